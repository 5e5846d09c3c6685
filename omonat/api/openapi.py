"""The OpenAPI 3.1 document, made from the table of operations: what isn't routed isn't described, and the reverse."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final, get_args

import msgspec

from omonat.api.answers import Problem, encode
from omonat.api.call import Operation
from omonat.api.http import JSON
from omonat.api.operations import EVERYWHERE, OPERATIONS, SEALED, WITH_BODY, WITH_CREDENTIAL, WITH_KEY
from omonat.base.codes import Code, registry

_REF: Final = "#/components/schemas/{name}"
_PATTERNS: Final = {
    "campaign": ("^[a-z0-9][a-z0-9-]{0,79}$", "A campaign by its name."),
    "hold": ("^hld_[a-z2-7]{26}$", "A legal hold, as `place-hold` answered."),
    "announcement": (
        "^(ann_[a-z2-7]{26}|version-[1-9][0-9]{0,7})$",
        "An announcement, as `write-announcement` answered, or a version of the policy.",
    ),
    "notice": ("^rnd_[a-z2-7]{26}$", "A notice to many, as `write-service-notice` answered."),
    "client": ("^bcl_[a-z2-7]{26}$", "A business client, as `register-business-client` answered."),
    "version": ("^[1-9][0-9]{0,7}$", "A version of the procedure by which business clients are told."),
    "erasure": ("^ers_[a-z2-7]{26}$", "An erasure, as `erase` answered."),
    "kind": ("^[a-z][a-z0-9-]{0,39}$", "The kind of case, as the policy declares it."),
    "reference": ("^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$", "The case's number in its source system; never personal data."),
    "ref": ("^[A-Za-z0-9][A-Za-z0-9._:-]{0,79}$", "The staff member's number in your systems."),
    "person": ("^per_[a-z2-7]{26}$", "A person, as `collect` or `look-up` answered."),
    "purpose": ("^[a-z][a-z0-9-]{0,59}$", "A purpose of the policy."),
    "ago": ("^[1-9][0-9]{0,2}$", "Which period of four weeks: 1 is the newest that is over."),
    "service": ("^[a-z][a-z0-9-]{0,59}$", "A service of the policy."),
    "id": ("^ev_[a-z2-7]{26}$", "An evidence entry, as an answer named it."),
    "size": ("^(0|[1-9][0-9]{0,17})$", "How many entries the log had in a checkpoint you kept."),
}
_TAGS: Final = (
    ("data", "Personal data in and out"),
    ("reports", "What source systems report"),
    ("reading", "Policy, evidence, health"),
)
_SIGNED: Final = {
    "webhook-id": "The report's own id; part of what is signed.",
    "webhook-timestamp": "Seconds since 1970; part of what is signed.",
    "webhook-signature": "`v1a,…`: Ed25519 over id, time and body, joined by dots, by the provider's registered key.",
}


@cache
def document() -> bytes:
    """The document, printed once."""
    return encode(_document())


def codes_of(operation: Operation) -> tuple[str, ...]:
    """Every error an operation can answer, each once."""
    found = [*operation.codes, *EVERYWHERE]
    if "{" in operation.path:
        found.append("route-unknown")
    if operation.body is not None:
        found += WITH_BODY
    if operation.keyed:
        found += WITH_KEY
    if not operation.open:
        found += WITH_CREDENTIAL
    elif operation.id not in SEALED:
        found += ["sealed"]
    return tuple(dict.fromkeys(found))


def _document() -> dict[str, Any]:
    shapes = [shape for o in OPERATIONS for shape in (*_answers(o), *_members(o.body))]
    _, components = msgspec.json.schema_components([*shapes, Problem], ref_template=_REF)
    components["UsedMany"]["properties"]["answers"]["items"] = {
        "anyOf": [{"$ref": _REF.format(name="Used")}, {"$ref": _REF.format(name="Problem")}]
    }
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    paths["/v1/openapi.json"] = {"get": _itself()}
    named = {name for operation in OPERATIONS for name in codes_of(operation)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Omonat",
            "version": "1",
            "summary": "Collect and use personal data as far as the policy allows, with evidence.",
            "description": "`/v1` only grows. Errors are RFC 9457 problems; tell them apart by `code` (GET /v1/codes).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": says} for name, says in _TAGS],
        "paths": paths,
        "components": {
            "schemas": components,
            "examples": {name: _example(registry()[name]) for name in sorted(named)},
            "securitySchemes": {
                "credential": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`omk_<id>_<secret>`, one per system.",
                }
            },
        },
    }


def _answers(operation: Operation) -> Iterable[Any]:
    return _members(operation.answer) if operation.kind == JSON else ()


def media_of(operation: Operation) -> str:
    """The media type of an operation's answer, without its charset."""
    return operation.kind.decode().partition(";")[0]


def _members(shape: Any) -> Iterable[Any]:
    return () if shape is None else get_args(shape) or (shape,)


def _schema(shape: Any) -> dict[str, Any]:
    refs = [{"$ref": _REF.format(name=member.__name__)} for member in _members(shape)]
    return refs[0] if len(refs) == 1 else {"oneOf": refs}


def _operation(operation: Operation) -> dict[str, Any]:
    of_json = operation.kind == JSON
    content: dict[str, Any] = {"schema": _schema(operation.answer) if of_json else {"type": "string"}}
    if operation.example.answer is not None:
        content["example"] = operation.example.answer
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [_tag(operation)],
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": {
            str(operation.status): {"description": "Done.", "content": {media_of(operation): content}},
            **_problems(codes_of(operation)),
        },
        "security": [] if operation.open else [{"credential": []}],
    }
    if operation.tells:
        described["description"] = operation.tells
    if operation.body is not None:
        body: dict[str, Any] = {"schema": _schema(operation.body)}
        if operation.example.body is not None:
            body["example"] = operation.example.body
        described["requestBody"] = {
            "required": not operation.body_optional,
            "content": {"application/json": body},
        }
    return described


def _tag(operation: Operation) -> str:
    if operation.open and not operation.signed:
        return "reading"
    return "data" if operation.id in ("collect", "use", "look-up") else "reports"


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in re.findall(r"{([a-z]+)}", operation.path):
        pattern, says = _PATTERNS[name]
        parameter: dict[str, Any] = {
            "name": name,
            "in": "path",
            "required": True,
            "description": says,
            "schema": {"type": "string", "pattern": pattern},
        }
        if name in operation.example.path:
            parameter["example"] = operation.example.path[name]
        found.append(parameter)
    language = {"type": "string", "enum": ["uz", "ru", "en"]}
    says = "The language of sentences; else Accept-Language, else English."
    found.append({"name": "lang", "in": "query", "required": False, "description": says, "schema": language})
    if operation.signed:
        found += [
            {"name": name, "in": "header", "required": True, "description": says, "schema": {"type": "string"}}
            for name, says in _SIGNED.items()
        ]
    if operation.keyed:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key with the same request is done once and answered alike.",
                "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
            }
        )
    return found


def _problems(codes: Iterable[str]) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for name in codes:
        code = registry().get(name)
        if code is not None:
            by_status.setdefault(code.status, []).append(name)
    return {str(status): _problem(status, names) for status, names in sorted(by_status.items())}


def _problem(status: int, names: list[str]) -> dict[str, Any]:
    examples = {name: {"$ref": f"#/components/examples/{name}"} for name in sorted(names)}
    schema = {"$ref": _REF.format(name="Problem")}
    described: dict[str, Any] = {
        "description": ", ".join(f"`{name}`" for name in sorted(names)),
        "content": {"application/problem+json": {"schema": schema, "examples": examples}},
    }
    if status == 401:
        described["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    if status == 503:
        described["headers"] = {"Retry-After": {"schema": {"type": "string"}}}
    return described


def _example(code: Code) -> dict[str, Any]:
    value = Problem(
        type=f"/v1/codes#{code.id}",
        title="A short title in the caller’s language",
        status=code.status,
        detail=code.says["en"],
        code=code.id,
        promise=code.promise,
        next=code.next["en"],
    )
    return {"summary": code.says["en"], "value": value}


def _itself() -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "operationId": "openapi",
        "tags": ["reading"],
        "summary": "This document",
        "responses": {"200": {"description": "Done.", "content": content}, **_problems(EVERYWHERE)},
        "security": [],
    }
