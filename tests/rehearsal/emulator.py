"""The emulated AWS, with four mistakes of it put right. Run by the interpreter that has it. Seen in ministack 1.5.33.

1. A gateway keeps a list of media types that it hands on as bytes, and a change to it names one with ``~1`` for a
   slash (``/binaryMediaTypes/*~1*``). The emulator takes that name as it stands, so it matches nothing, and compressed
   pages arrive as base64.
2. AWS also knows a function's version by ``function:NAME:VERSION``, and Zappa asks so for what it rolls back to. The
   emulator looks for a function of the name "function".
3. The link to a version's code leads to that of the newest.
4. AWS asks for the right to send a mail on the identity that it comes from, and tells the policy's conditions that
   address. The emulator asks for it on nothing in particular.
"""

from __future__ import annotations

from typing import Any

from ministack import app
from ministack.core import iam_actions
from ministack.services import apigateway_v1, lambda_svc

Answer = tuple[int, dict[str, str], bytes]

_LIST = "binaryMediaTypes"
_apply_patch = apigateway_v1._apply_patch
_resolve = lambda_svc._resolve_name_and_qualifier
_get_function = lambda_svc._get_function
_serve_function_code = lambda_svc.serve_function_code
_extract_resource_arn = iam_actions.extract_resource_arn
_request_tag_context = iam_actions.request_tag_context


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


def extract_resource_arn(service: str, *request: Any) -> str:
    arn: str = _extract_resource_arn(service, *request)
    parameters, region, account_id = request[-3:]
    sender = _sender(service, parameters)
    return f"arn:aws:ses:{region}:{account_id}:identity/{sender}" if sender else arn


def request_tag_context(service: str, action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
    context: dict[str, Any] = _request_tag_context(service, action, body, parameters)
    sender = _sender(service, parameters)
    return context | ({"ses:FromAddress": sender} if sender else {})


def _sender(service: str, parameters: dict[str, Any]) -> str:
    found = parameters.get("Source", "") if service == "ses" else ""
    return str(found[0] if isinstance(found, list) else found)


apigateway_v1._apply_patch = apply_patch
lambda_svc._resolve_name_and_qualifier = resolve_name_and_qualifier
lambda_svc._get_function = get_function
lambda_svc.serve_function_code = serve_function_code
iam_actions.extract_resource_arn = extract_resource_arn
iam_actions.request_tag_context = request_tag_context

if __name__ == "__main__":
    app.main()
