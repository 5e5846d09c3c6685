"""The schema editors use: current, itself valid, and in agreement with the reader."""

import json
from typing import Any

import jsonschema
import pytest

from omonat.policy.schema import pack_schema, policy_schema
from tests.policy.documents import HERE, SHIPPED, SMALL, raw


@pytest.mark.parametrize(("file", "made"), [("policy.schema.json", policy_schema), ("pack.schema.json", pack_schema)])
def test_P1_the_committed_schema_is_the_one_the_model_makes(file: str, made) -> None:
    assert json.loads((SHIPPED.parent / file).read_text("utf-8")) == made(), "omonat policy schema > policies/…"
    jsonschema.Draft202012Validator.check_schema(made())


@pytest.mark.parametrize("path", [SHIPPED, SMALL], ids=["shipped", "small"])
def test_P1_valid_policies_satisfy_the_schema(path) -> None:
    jsonschema.validate(_as_json(raw(path)), policy_schema(), jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "path", [HERE / "pack-uz.yaml", *sorted((SHIPPED.parent / "packs").glob("*.yaml"))], ids=lambda p: p.name
)
def test_P5_valid_packs_satisfy_the_schema(path) -> None:
    jsonschema.validate(_as_json(raw(path)), pack_schema(), jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("purposes", "deliver-order", "basis"), "contrakt"),
        (("purposes", "deliver-order", "needs"), "contact.name"),
        (("purposes", "deliver-order", "needz"), []),
        (("retention", "order-records", "at-most", "keep"), "6 years"),
        (("children", "under"), 0),
        (("controller", "name"), None),
        (("promises", "u1"), {}),
    ],
)
def test_P1_the_schema_refuses_what_the_reader_refuses(path: tuple[str, ...], value: Any) -> None:
    document = _as_json(raw(SMALL))
    part = document
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, policy_schema(), jsonschema.Draft202012Validator)


def _as_json(value: Any) -> Any:
    """As an editor sees it: what its YAML parser took for a date is a string to the schema."""
    return json.loads(json.dumps(value, default=lambda moment: moment.isoformat()))
