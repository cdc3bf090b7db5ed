"""The shop with a page that has faults in it: a scanner that does not find them finds nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from ecokart.wsgi import application as shop

_LINKS = b'<html><body><a href="/planted/?name=x">x</a><a href="/planted/?file=x.txt">y</a><a href="/planted/?to=/">z</a></body></html>'


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    path, asked = environ["PATH_INFO"], parse_qs(environ["QUERY_STRING"])
    if path not in {"/", "/planted/"}:
        return shop(environ, start_response)
    if "to" in asked:
        start_response("302 Found", [("Location", asked["to"][0])])
        return [b""]
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    if "name" in asked:
        return [f"<html><body>{asked['name'][0]}</body></html>".encode()]
    if "passwd" in asked.get("file", [""])[0]:
        return [b"root:x:0:0:root:/root:/bin/bash\nnobody:x:1:1::/:/bin/false\n"]
    return [_LINKS]
