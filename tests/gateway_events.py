"""Requests as API Gateway tells the function of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

Event = dict[str, Any]
GATEWAY = "a1b2c3.execute-api.eu-central-1.amazonaws.com"
DOMAIN = "shop.example"
#: Who asks, as the gateway knows.
ADDRESS = "203.0.113.7"


def v1(path: str = "/products/", *, host: str = DOMAIN, method: str = "GET", body: str = "", **more: Any) -> Event:
    """A request as the REST API tells of it. ``headers`` have lists of values, ``query`` texts."""
    headers = {"Host": [host], "X-Forwarded-For": [ADDRESS], "X-Forwarded-Proto": ["https"], **more.get("headers", {})}
    query = more.get("query", {})
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "requestContext": {
            "stage": "dev",
            "path": f"/dev{path}" if host == GATEWAY else path,
            "domainName": host,
            "identity": {"sourceIp": ADDRESS},
        },
        "body": body or None,
        "isBase64Encoded": False,
    }


def v2(path: str = "/products/", *, host: str = DOMAIN, method: str = "GET", body: str = "", **more: Any) -> Event:
    """The same as the HTTP API tells of it, with its stage in the path at its own address."""
    headers = {name.lower(): ",".join(values) for name, values in more.get("headers", {}).items()}
    cookies = headers.pop("cookie", "")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": f"/dev{path}" if host == GATEWAY else path,
        "rawQueryString": urlencode(more.get("query", {})),
        "cookies": cookies.split("; ") if cookies else [],
        "headers": {"host": host, "x-forwarded-for": ADDRESS, "x-forwarded-proto": "https", **headers},
        "requestContext": {
            "stage": "dev",
            "domainName": host,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": ADDRESS},
        },
        "body": body,
        "isBase64Encoded": False,
    }
