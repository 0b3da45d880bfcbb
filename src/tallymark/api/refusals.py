"""What is refused, as the API's description tells of it on every operation (platform §1.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from tallymark.api.contract_names import add_contract_names

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_PERMISSIONS: Json = {
    "type": "array",
    "items": _TEXT,
    "description": "What whoever has signed in would need; any one of these would do.",
}
_DETAILS: Json = {
    "anyOf": [{"type": "object"}, _TEXT],
    "description": "Codes by field; by the index of an element where a field holds a list. A text of an expression that fails.",
}


_PROVIDER: Json = {
    "type": "object",
    "properties": {"code": _TEXT},
    "required": ["code"],
    "description": "The connection to the payment provider that says no; its words are the details.",
}
_PLACES: Json = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": _TEXT},
    "description": "The same codes by where they belong, of what lies deeper than a field: `charges.1.properties`.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """A kind of refusal: the fields that its body has beside `status` and `error`, and those that it may have."""

    status: int
    description: str
    error: str | None = None
    """The text of `error`, where it is always the same."""
    fields: Json = field(default_factory=dict)
    options: Json = field(default_factory=dict)
    is_of_reads: bool = True
    """Whether those who only read are refused so, too."""

    def response(self) -> Json:
        """The response of the description."""
        error = _TEXT if self.error is None else {"const": self.error}
        always = {"status": {"const": self.status}, "error": error, **self.fields}
        schema = {"type": "object", "properties": {**always, **self.options}, "required": list(always)}
        return {"description": self.description, "content": {"application/json": {"schema": schema}}}


_CODE: Json = {"code": _TEXT}
_REFUSALS = {
    "BadRequest": _Refusal(
        status=HTTPStatus.BAD_REQUEST,
        description="No JSON, or not the object that should hold everything.",
    ),
    "Unauthorized": _Refusal(
        status=HTTPStatus.UNAUTHORIZED,
        error="Unauthorized",
        description="No key, or one that is unknown or over.",
        options=_CODE,
    ),
    "Forbidden": _Refusal(
        status=HTTPStatus.FORBIDDEN,
        error="Forbidden",
        description="The caller may not do this.",
        fields=_CODE,
        options={"required_permissions": _PERMISSIONS},
    ),
    "NotFound": _Refusal(
        status=HTTPStatus.NOT_FOUND, error="Not Found", description="There is no such record.", fields=_CODE
    ),
    "NotAllowed": _Refusal(
        status=HTTPStatus.METHOD_NOT_ALLOWED,
        error="Method Not Allowed",
        description="Not in the state that the record is in.",
        fields=_CODE,
    ),
    "Conflict": _Refusal(
        status=HTTPStatus.CONFLICT,
        error="Conflict",
        description="Something else is under way.",
        fields=_CODE,
        is_of_reads=False,
    ),
    "PayloadTooLarge": _Refusal(
        status=413, error="Payload Too Large", description="A body of more than 10 MiB.", is_of_reads=False
    ),
    "Invalid": _Refusal(
        status=422,
        error="Unprocessable Entity",
        description="The input breaks rules, or a payment provider says no.",
        fields=_CODE,
        options={"error_details": _DETAILS, "error_places": _PLACES, "provider": _PROVIDER},
    ),
    "TooMany": _Refusal(
        status=HTTPStatus.TOO_MANY_REQUESTS,
        error="Too Many Requests",
        description="More calls than there may be.",
        options=_CODE,
    ),
    "TookTooLong": _Refusal(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        error="Service Unavailable",
        description="It takes the database longer than it may. Nothing was done.",
        fields=_CODE,
    ),
}


def not_allowed(*codes: str) -> dict[int | str, Json]:
    """The responses of an operation that is refused by these codes alone where a record's state does not let it."""
    refusal = _REFUSALS["NotAllowed"]
    return {refusal.status: replace(refusal, fields={"code": {"enum": sorted(codes)}}).response()}


class DescribedApi(FastAPI):
    """An application whose description tells of what is refused, too."""

    def openapi(self) -> Json:
        """The API's description."""
        if self.openapi_schema is None:
            document = super().openapi()
            _add_refusals(document)
            add_contract_names(document)
            _leave_out_sections(document)
        assert self.openapi_schema is not None, "it has just been made"
        return self.openapi_schema


_SECTION = re.compile(r"\s*\([^()]*(?:§|\w\.md)[^()]*\)")


def _leave_out_sections(node: Any) -> None:
    """Docstrings name the section of the specification that they follow; who reads the description doesn't have it."""
    if isinstance(node, dict):
        text = node.get("description")
        if isinstance(text, str):
            node["description"] = _SECTION.sub("", text)
    if isinstance(node, (dict, list)):
        for inner in node.values() if isinstance(node, dict) else node:
            _leave_out_sections(inner)


def _add_refusals(document: Json) -> None:
    components = document["components"]
    components["responses"] = {name: refusal.response() for name, refusal in _REFUSALS.items()}
    for frameworks_own in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(frameworks_own, None)
    for path, operations in document["paths"].items():
        if path.count("/") == 1:
            # The doors of whoever runs the installation refuse nothing.
            continue
        for method, operation in operations.items():
            told = operation["responses"]
            # Some operations tell by which codes they are not allowed.
            known = {"NotAllowed"} if str(int(_REFUSALS["NotAllowed"].status)) in told else set()
            told |= {
                str(int(refusal.status)): {"$ref": f"#/components/responses/{name}"}
                for name, refusal in _REFUSALS.items()
                if name not in known and (method != "get" or refusal.is_of_reads)
            }
