"""The emulated AWS, with four mistakes of it put right. Run by the interpreter that has it. Seen in ministack 1.5.33.

1. A gateway keeps a list of media types that it hands on as bytes, and a change to it names one with ``~1`` for a
   slash (``/binaryMediaTypes/*~1*``). The emulator takes that name as it stands, so it matches nothing, and compressed
   pages arrive as base64.
2. AWS also knows a function's version by ``function:NAME:VERSION``, and Zappa asks so for what it rolls back to. The
   emulator looks for a function of the name "function".
3. The link to a version's code leads to that of the newest.
4. AWS asks for the two rights to send a whole mail on the identity that it comes from, and tells the policy's
   conditions that address. The emulator asks for one of them, on nothing in particular.
"""

from __future__ import annotations

import json
from base64 import b64decode
from email import message_from_bytes
from email.utils import parseaddr
from typing import Any

from ministack import app
from ministack.core.responses import get_account_id
from ministack.services import apigateway_v1, lambda_svc

Answer = tuple[int, dict[str, str], bytes]

_LIST = "binaryMediaTypes"
_apply_patch = apigateway_v1._apply_patch
_resolve = lambda_svc._resolve_name_and_qualifier
_get_function = lambda_svc._get_function
_serve_function_code = lambda_svc.serve_function_code
_enforce_ses_v2 = app._enforce_ses_v2


def apply_patch(api: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    others = []
    for operation in operations:
        name, _, kind = operation["path"].lstrip("/").partition("/")
        if name != _LIST or not kind:
            others.append(operation)
            continue
        kind = kind.replace("~1", "/").replace("~0", "~")
        kept = [one for one in api.get(_LIST) or [] if one != kind]
        api[_LIST] = kept if operation["op"] == "remove" else [*kept, kind]
    return _apply_patch(api, others)


def resolve_name_and_qualifier(name: str) -> tuple[str, str | None]:
    return _resolve(name.removeprefix("function:"))


def get_function(name: str, qualifier: str | None = None) -> Answer:
    status, headers, body = _get_function(name, qualifier)
    if qualifier:
        body = body.replace(f"/{name}?".encode(), f"/{name}:{qualifier}?".encode())
    return status, headers, body


def serve_function_code(name: str, account_id: str | None = None, region: str | None = None) -> Answer:
    plain, _, version = name.partition(":")
    if not version:
        return _serve_function_code(name, account_id, region)
    function = lambda_svc._functions.get_scoped(account_id, region, plain)
    return 200, {"Content-Type": "application/zip"}, function["versions"][version]["code_zip"]


def enforce_ses_v2(
    method: str, path: str, headers: dict[str, str], body: bytes, parameters: dict[str, Any], request_id: str
) -> Answer | None:
    sender = _sender(path, body)
    if not sender:
        denied: Answer | None = _enforce_ses_v2(method, path, headers, body, parameters, request_id)
        return denied
    region = app.extract_region(headers, parameters)
    identity = f"arn:aws:ses:{region}:{get_account_id()}:identity/{sender}"
    for action in ("ses:SendEmail", "ses:SendRawEmail"):
        context = {"ses:FromAddress": sender}
        denied = app._enforce_data_plane(
            "sesv2", action, headers, parameters, request_id, resource_arn=identity, service_context=context
        )
        if denied:
            return denied
    return None


def _sender(path: str, body: bytes) -> str:
    """Whom a mail comes from that is sent as a whole."""
    if not path.endswith("/outbound-emails"):
        return ""
    raw = json.loads(body)["Content"].get("Raw", {}).get("Data", "")
    return parseaddr(message_from_bytes(b64decode(raw)).get("From", ""))[1]


apigateway_v1._apply_patch = apply_patch
lambda_svc._resolve_name_and_qualifier = resolve_name_and_qualifier
lambda_svc._get_function = get_function
lambda_svc.serve_function_code = serve_function_code
app._enforce_ses_v2 = enforce_ses_v2

if __name__ == "__main__":
    app.main()
