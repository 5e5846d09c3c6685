"""`omonat policy`: what it says, and by which exit code."""
# ruff: noqa: E501 - a table of cases reads best with one case a line

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from omonat.cli.policy import app
from tests.policy.documents import HERE, SHIPPED, SMALL, changed

ANSWER = "\ncontradictions:\n  - {finding: ages-disagree, promises: [U2], status: resolved, because: {uz: Ha., ru: Да., en: Yes.}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "uz.yaml").write_bytes((HERE / "pack-uz.yaml").read_bytes())
    (tmp_path / "good.yaml").write_text(SMALL.read_text("utf-8") + ANSWER, "utf-8")
    return tmp_path


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_P1_a_policy_in_order_exits_with_zero(folder: Path) -> None:
    result = run("check", folder / "good.yaml")

    assert result.exit_code == 0, result.output
    assert "small-shop 1: 8 items, 5 purposes, 3 services" in result.output
    assert "resolved  ages-disagree: Yes." in result.output


@pytest.mark.parametrize(
    ("language", "said"), [("ru", "решено    ages-disagree: Да."), ("uz", "hal qilingan ages-disagree: Ha.")]
)
def test_P1_an_answered_contradiction_is_told_in_the_reader_s_language(folder: Path, language: str, said: str) -> None:
    result = run("check", folder / "good.yaml", "--language", language)

    assert result.exit_code == 0, result.output
    assert said in result.output
    assert "resolved" not in result.output


def test_P1_faults_are_lines_an_editor_can_jump_to(folder: Path) -> None:
    bad = folder / "bad.yaml"
    bad.write_text(changed("needs: [contact.email]", "needs: [contact.emial]"), "utf-8")

    plain = run("check", bad, "--format", "plain", "--language", "en")
    told = json.loads(run("check", bad, "--format", "json", "--language", "ru").stdout)

    assert plain.exit_code == 4
    line = bad.read_text("utf-8").splitlines().index("    needs: [contact.emial]") + 1
    assert (
        f"{bad}:{line}:13: `contact.emial` is not declared under `items`. Did you mean `contact.email`?" in plain.stderr
    )
    assert told["complaints"][0] | {"says": "", "fix": ""} == {
        "file": str(bad), "line": line, "column": 13, "code": "policy-unknown-name", "nearest": "contact.email", "says": "", "fix": "",
    }  # fmt: skip


def test_A1_a_finding_nobody_answered_is_no_invalid_document(folder: Path) -> None:
    bad = folder / "open.yaml"
    bad.write_text(changed("roles: [finance]", "roles: [finance, courier]") + ANSWER, "utf-8")

    result = run("check", bad, "--language", "uz")
    told = json.loads(run("check", bad, "--format", "json").stdout)

    assert result.exit_code == 9
    assert "- {finding: role-without-case, about: [keep-books, courier], status: accepted" in result.stderr
    assert {f["finding"]: f["status"] for f in told["findings"]} == {
        "role-without-case": "open",
        "ages-disagree": "resolved",
    }


def test_A1_a_stale_answer_is_like_none(folder: Path) -> None:
    stale = folder / "stale.yaml"
    stale.write_text(SMALL.read_text("utf-8") + ANSWER.replace("ages-disagree", "open-purpose-list"), "utf-8")

    assert run("check", stale).exit_code == 9


def test_P5_without_the_law_at_hand_it_cannot_tell(folder: Path) -> None:
    result = run("check", folder / "good.yaml", "--packs", folder)

    assert result.exit_code == 3
    assert "no law pack `uz` is at hand" in result.stderr


def test_L3_explain_tells_the_chain_of_reasons(folder: Path) -> None:
    asked = ("explain", folder / "good.yaml", "--purpose", "deliver-order", "--role", "courier", "--language", "en")

    granted, refused = run(*asked, "--item", "contact.mobile"), run(*asked, "--item", "contact.email")

    assert (granted.exit_code, refused.exit_code) == (0, 5)
    assert "✓ “Courier” sees “Mobile phone” for it. [S4]" in granted.output
    assert "✗ “Delivery of the order” does not need “E-mail”. [L3]" in refused.output


@pytest.mark.parametrize("what", ["purposes", "services", "roles", "retention", "recipients"])
def test_A3_show_prints_every_table_of_the_shipped_policy(what: str) -> None:
    result = run("show", SHIPPED, "--what", what, "--language", "uz")

    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) > 5


def test_P1_the_schema_is_json() -> None:
    assert json.loads(run("schema").stdout)["$id"] == "urn:omonat:policy:v1"
    assert json.loads(run("schema", "--pack").stdout)["$id"] == "urn:omonat:pack:v1"


def test_A1_the_rules_are_listed_in_every_language() -> None:
    for language in ("uz", "ru", "en"):
        assert "open-purpose-list" in run("rules", "--language", language).stdout
    assert len(json.loads(run("rules", "--format", "json").stdout)) >= 30
