"""The document that describes the API, OpenAPI 3.1, made of the table.

`python -m signalpost.api.openapi` writes it to standard output; `docs/openapi.json` is that.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import msgspec

from signalpost import __version__
from signalpost.api import types
from signalpost.api.table import ROWS, Row

__all__ = ["document", "statuses"]

_REF: Final = "#/components/schemas/{name}"
_PROBLEM: Final = {"$ref": _REF.format(name="Problem")}
_NAMES: Final = {
    "app": "the App ID",
    "account": "an account",
    "channel": "a channel",
    "name": "an attribute's name",
    "call": "a call's id, as it was given out",
    "webhook": "the name that the configuration gives a webhook",
}
_REPEATED: Final = "Idempotency-Replayed"

#: Why a request may be answered so, whatever it is.
_REASONS: Final[dict[int, str]] = {
    400: "Something in the request is not allowed; `detail` says what.",
    401: "The key is missing or wrong.",
    403: "The key may not do that, or not from this address.",
    404: "There is no such app.",
    409: "The same request is under way.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The same `Idempotency-Key` was used for another request.",
    429: "Too many requests, messages or wrong keys; `Retry-After` says when to come again.",
    503: "The server ends, or its store is away; `Retry-After` says when to come again.",
}


def document() -> bytes:
    """The document, formatted so that changes are seen line by line."""
    return msgspec.json.format(msgspec.json.encode(_document()), indent=2) + b"\n"


def statuses(row: Row) -> dict[int, str]:
    """What a row may be answered, and when."""
    common = [400, 401, 403, 429, 503]
    common += [404] if row.of_app else []
    common += [413, 415] if row.body else []
    common += [409, 422] if row.once else []
    refused = {status: _REASONS[status] for status in common}
    for status, reason in (row.refuses or {}).items():
        refused[status] = f"{reason} {_REASONS[409]}" if status == 409 and row.once else reason
    done = (204, "Done.") if row.answer is None else (200, "Done.")
    return dict([done, *sorted(refused.items())])


def _document() -> dict[str, Any]:
    used = [each for row in ROWS for each in (row.body, row.answer) if each is not None]
    _, schemas = msgspec.json.schema_components([*used, types.Problem], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for row in ROWS:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Signalpost",
            "version": __version__,
            "description": "What a back end and an operator can ask of a Signalpost server.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8082", "description": "as it is configured by default"}],
        "security": [{"key": []}],
        "tags": [{"name": name} for name in dict.fromkeys(row.tag for row in ROWS)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "`spk_ID_SECRET`"},
            },
            "responses": {str(status): _refusal(status, why) for status, why in _REASONS.items()},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def _operation(row: Row) -> dict[str, Any]:
    of = "a key of the app, or an operator's" if row.of_app else "an operator's key"
    scope = "with any scope" if row.scope is None else f"with the scope `{row.scope.value}`"
    operation: dict[str, Any] = {
        "operationId": row.name,
        "tags": [row.tag],
        "summary": row.summary,
        "description": f"For {of} {scope}.",
        "parameters": list(_parameters(row)),
        "responses": {str(status): _response(row, status, why) for status, why in statuses(row).items()},
    }
    if row.body is not None:
        content = {"application/json": {"schema": {"$ref": _REF.format(name=row.body.__name__)}}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(row: Row) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", row.path):
        schema = {"type": "string", "minLength": 1, "maxLength": 128}
        if name == "call":
            schema |= {"maxLength": 4096, "pattern": "^[A-Za-z0-9_-]+$"}
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": _NAMES[name],
            "schema": schema,
        }
    if row.query is not None:
        _, found = msgspec.json.schema_components([row.query])
        for name, schema in found[row.query.__name__]["properties"].items():
            described = {"description": schema.pop("description")} if "description" in schema else {}
            yield {"name": name, "in": "query", **described, "schema": schema}
    if row.once:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A text of your own: a request that is repeated with it is done once.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
        }


def _response(row: Row, status: int, why: str) -> dict[str, Any]:
    if status == 204:
        return {"description": why}
    if status != 200:
        if why == _REASONS.get(status):
            return {"$ref": f"#/components/responses/{status}"}
        return _refusal(status, why)
    assert row.answer is not None, "one without an answer is answered 204"
    response: dict[str, Any] = {
        "description": why,
        "content": {"application/json": {"schema": {"$ref": _REF.format(name=row.answer.__name__)}}},
    }
    if row.once:
        told = "`true` if the request was done before, and this was answered then"
        response["headers"] = {_REPEATED: {"description": told, "schema": {"type": "string"}}}
    return response


def _refusal(status: int, why: str) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}. {why}",
        "content": {"application/problem+json": {"schema": _PROBLEM}},
    }
    if status in (429, 503):
        response["headers"] = {
            "Retry-After": {"description": "seconds", "schema": {"type": "integer", "minimum": 1}}
        }
    return response


if __name__ == "__main__":
    sys.stdout.buffer.write(document())
