"""The OpenAPI document: complete, valid, and held against the door by a program that tries to break it."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from omonat.api import openapi
from omonat.api.operations import OPERATIONS
from omonat.base.codes import registry
from tests.api.conftest import Door, Served

CONFIG = """\
seed = 20261201

[checks.positive_data_acceptance]
# A well-formed request may still name what the policy doesn't know (422), or come too early (409).
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429"]

[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "408", "413", "415", "422", "431"]
"""


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(openapi.document())
    return loaded


def test_every_operation_is_described_with_its_errors_and_every_example_fits_its_schema() -> None:
    described = document()
    components = {"components": described["components"], "$schema": "https://json-schema.org/draft/2020-12/schema"}
    for operation in OPERATIONS:
        told = described["paths"][operation.path][operation.method.lower()]
        assert told["summary"]
        named = {code for status in told["responses"].values() for code in status["description"].split(", ")}
        assert {f"`{code}`" for code in openapi.codes_of(operation)} <= named
        for code in openapi.codes_of(operation):
            assert code in registry()
        fitting = [
            (told["responses"][str(operation.status)]["content"][openapi.media_of(operation)], operation.example.answer)
        ]
        if operation.body is not None:
            fitting.append((told["requestBody"]["content"]["application/json"], operation.example.body))
        for content, example in fitting:
            if example is not None:
                Draft202012Validator(components | content["schema"]).validate(example)


def test_the_guide_names_every_operation() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
    for operation in OPERATIONS:
        assert f"`{operation.method} {operation.path}`" in guide


async def test_the_document_is_served_as_it_is(door: Door) -> None:
    answer = await door.http.get("/v1/openapi.json")
    assert answer.json() == document()
    assert answer.json()["openapi"].startswith("3.1")


async def test_schemathesis_finds_no_server_error_and_no_disagreement(
    door: Door, served: Served, tmp_path: Path
) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIG, "utf-8")
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(tmp_path / "schemathesis.toml")),
        *("run", f"{served.url}/v1/openapi.json", "--checks", "all", "--phases", "examples,coverage,fuzzing"),
        *("--max-examples", "12", "--max-time", "30", "--header", f"Authorization: Bearer {door.credentials['site']}"),
        *("--workers", "1", "--no-color", "--generation-database", "none", "--continue-on-failure"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), timeout=120)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, output.decode()[-8000:]
    assert '"level": "error"' not in door.logged.getvalue()
