"""The JSON Schema (2020-12) of policy documents and law packs, for editors: generated from the model, never written.

It knows shapes, not references: whether `contact.name` is declared, the reader says. Numbers and booleans are accepted
beside strings, because an editor's YAML parser makes `13` a number before any schema sees it.
"""

from typing import Any

from omonat.policy import shapes
from omonat.policy.model import Policy
from omonat.policy.packs import Pack
from omonat.policy.patterns import PATTERNS
from omonat.policy.shapes import Shape, keys_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DURATION = r"^P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?$"
_MOMENT = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$"


def policy_schema() -> dict[str, Any]:
    """The schema of a policy document."""
    return _document(Policy, "policy", "A privacy policy that Omonat publishes, enforces and proves")


def pack_schema() -> dict[str, Any]:
    """The schema of a law pack."""
    return _document(Pack, "pack", "What a country's law says, as data")


def _document(model: type[Any], name: str, title: str) -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    root = _structure(model, definitions)
    found = {"$schema": DIALECT, "$id": f"urn:omonat:{name}:v1", "title": title, **root}
    return {**found, "$defs": dict(sorted(definitions.items()))}


def _structure(model: type[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    keys = keys_of(model)
    found: dict[str, Any] = {"type": "object", "description": (model.__doc__ or "").split("\n\n")[0]}
    found["properties"] = {k.word: _shape(k.shape, definitions) for k in keys}
    if required := [k.word for k in keys if k.required]:
        found["required"] = required
    return {**found, "additionalProperties": False}


def _defined(model: type[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if model.__name__ not in definitions:
        definitions[model.__name__] = {}  # claimed before descending: a structure may contain itself one day
        definitions[model.__name__] = _structure(model, definitions)
    return {"$ref": f"#/$defs/{model.__name__}"}


def _shape(shape: Shape, definitions: dict[str, Any]) -> dict[str, Any]:
    match shape:
        case shapes.Struct(of):
            return _defined(of, definitions)
        case shapes.Many(of, least):
            return {"type": "array", "items": _shape(of, definitions), **({"minItems": least} if least else {})}
        case shapes.Table(of, key):
            names = {"pattern": f"^{_pattern(key)}$"}
            return {"type": "object", "propertyNames": names, "additionalProperties": _shape(of, definitions)}
        case shapes.RoleParts():
            items = {"type": "array", "items": {"type": "string"}, "minItems": 1}
            part = {"anyOf": [{"const": "all"}, items]}
            return {"anyOf": [items, {"type": "object", "minProperties": 1, "additionalProperties": part}]}
        case shapes.Choice(of):
            return {"enum": list(of)}
        case shapes.Flag():
            return {"enum": [True, False, "true", "false"]}
        case shapes.Whole(least, most):
            digits = {"type": "string", "pattern": r"^(0|[1-9]\d{0,8})$"}
            return {"anyOf": [{"type": "integer", "minimum": least, "maximum": most}, digits]}
        case shapes.Text(most):
            return {"type": ["string", "number", "boolean"], "minLength": 1, "maxLength": most}
    return {"type": "string", "pattern": f"^{_pattern(shape)}$"}


def _pattern(shape: Shape) -> str:
    match shape:
        case shapes.Name(pattern):
            return PATTERNS[pattern].pattern
        case shapes.Ref("items"):
            return rf"{PATTERNS['kebab'].pattern}\.{PATTERNS['kebab'].pattern}"
        case shapes.Ref("promises") | shapes.Ref("disclosure"):
            return PATTERNS["promise"].pattern
        case shapes.Ref():
            return PATTERNS["kebab"].pattern
        case shapes.Period():
            return _DURATION[1:-1]
        case shapes.Moment():
            return _MOMENT[1:-1]
        case shapes.Day():
            return r"\d{4}-\d{2}-\d{2}"
    return r"\S+"
