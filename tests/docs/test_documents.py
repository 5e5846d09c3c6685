"""What the documents name exists: links, codes, commands, settings, files; and they keep to themselves."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import click
import pytest
import typer.main

from omonat.base.codes import registry
from omonat.cli import build
from scripts import codes

ROOT = Path(__file__).parents[2]


def _tracked() -> list[Path]:
    named = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in named.split("\0") if name and (ROOT / name).is_file()]


DOCUMENTS = sorted(file for file in _tracked() if file.suffix == ".md")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _anchors(file: Path) -> set[str]:
    """The anchors of a document's headings, as code forges make them: small letters, hyphens, no other signs."""
    headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in _LINK.findall(_CODE.sub("", document.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{_name(document)} links to {link}"
        if anchor and target.suffix == ".md":
            assert anchor in _anchors(target), f"{_name(document)} links to {link}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_file_that_is_named_exists(document: Path) -> None:
    """A path in backticks from one of our own folders on; `*`, `…` and `<name>` stand for something else."""
    ours = "omonat|omonat_client|docs|tests|scripts|policies|examples|bench"
    for path in re.findall(rf"`((?:{ours})/[^`\s]*)`", document.read_text("utf-8")):
        if not re.search(r"[*…<>{}]|NNNN|/v\d+$", path):
            assert (ROOT / path.rstrip("/").partition("#")[0]).exists(), f"{_name(document)} names {path}"


def test_every_document_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in _LINK.findall(index.read_text("utf-8"))}
    assert {_name(file) for file in DOCUMENTS if index.parent in file.parents and file not in {*linked, index}} == set()


def test_the_page_of_codes_is_what_the_registry_says() -> None:
    page = codes.PAGE.read_text("utf-8")
    assert page == codes.written(), "run: python -m scripts.codes"
    assert [code for code in registry() if f"| `{code}` |" not in page] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = document.read_text("utf-8")
    named = set(re.findall(r"`make ([a-z-]+)", text)) | set(re.findall(r"^(?:    )?make ([a-z-]+)", text, re.MULTILINE))
    assert named <= targets


def test_every_make_target_is_described_to_contributors() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert {target for target in targets if f"`make {target}`" not in text} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_command_that_is_named_exists(document: Path) -> None:
    for command in _commands(document.read_text("utf-8")):
        assert _exists(command), f"{_name(document)} names: omonat {' '.join(command)}"


_NOT_BUILT = {("check",), ("prove",)}
"""Commands that documents name as not built yet."""


def _commands(text: str) -> Iterator[tuple[str, ...]]:
    """The words after `omonat` in code spans and in lines of code; several subcommands may share a span with `|`."""
    spans = re.findall(r"`(?:python -m |\.venv/bin/)?omonat ([a-z][^`\n]*)`", text)
    lines = re.findall(r"^(?:    )?(?:\.venv/bin/)?(?:python -m )?omonat ([a-z].*)$", text, re.MULTILINE)
    fenced = "\n".join(re.findall(r"^```.*?^```|^    .*$", text, re.MULTILINE | re.DOTALL))
    for span in [*spans, *(line for line in lines if line in fenced)]:
        first, *rest = span.split()
        words = list(takewhile(lambda word: re.fullmatch(r"[a-z|]+", word), rest))
        if "|" in words:
            yield from ((first, word) for word in words if word != "|")
        else:
            yield (first, *words[:1])


def _exists(command: tuple[str, ...]) -> bool:
    found: click.Command | None = typer.main.get_command(build())
    for word in command:
        if not isinstance(found, click.Group):
            return True  # arguments follow
        found = found.commands.get(word)
    return found is not None or command in _NOT_BUILT


def test_the_readme_counts_the_promises() -> None:
    states = tomllib.loads((ROOT / "omonat" / "policy" / "promises.toml").read_text("utf-8"))
    assert f"a list of {len(states)} numbered promises" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_picture_is_small_and_says_in_words_what_it_shows(document: Path) -> None:
    for link in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", document.read_text("utf-8")):
        assert (document.parent / link).stat().st_size <= 120 * 1024, link


_FORBIDDEN = re.compile(
    rb"/(?:work|root|home/[a-z]+)/|pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|crates\.io|proxy\.golang\.org",
    re.IGNORECASE,
)
_ALLOWED: dict[str, set[bytes]] = {}
"""File → what it may name all the same."""


def test_no_file_names_a_machine_or_where_packages_come_from() -> None:
    found = {}
    for file in _tracked():
        named = set(_FORBIDDEN.findall(file.read_bytes())) - _ALLOWED.get(_name(file), set())
        if named and file != Path(__file__):
            found[_name(file)] = named
    assert found == {}
