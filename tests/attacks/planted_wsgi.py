"""The shop with pages that have faults in them: a scanner that does not find them finds nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from ecokart.wsgi import application as shop

_LINKS = b"""<html><body><a href="/planted/?name=x">x</a><a href="/planted/?file=x.txt">y</a><a href="/planted/?to=/">z</a>
<a href="/planted/?id=1">q</a></body></html>"""
#: No language, no title, no main part, no heading of the first rank, and what cannot be read, named or made larger.
_BARRIERS = b"""<!doctype html><html><head><meta name="viewport" content="width=device-width, user-scalable=no"></head><body>
<h2>Offers</h2><h4>Today</h4><img src="/x.png"><a href="/"></a><button></button><input type="text"><select><option>1</select>
<p style="color: #bbb; background: #fff">Pale</p></body></html>"""
_PAGES = {"/": _LINKS, "/planted/": _LINKS, "/planted/barriers/": _BARRIERS}


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    path, asked = environ["PATH_INFO"], parse_qs(environ["QUERY_STRING"])
    if path not in _PAGES:
        return shop(environ, start_response)
    if "to" in asked:
        start_response("302 Found", [("Location", asked["to"][0])])
        return [b""]
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    if "name" in asked:
        return [f"<html><body>{asked['name'][0]}</body></html>".encode()]
    if "'" in asked.get("id", [""])[0] or '"' in asked.get("id", [""])[0]:
        return [b"You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version"]
    if "passwd" in asked.get("file", [""])[0]:
        return [b"root:x:0:0:root:/root:/bin/bash\nnobody:x:1:1::/:/bin/false\n"]
    return [_PAGES[path]]
