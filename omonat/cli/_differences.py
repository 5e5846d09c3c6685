"""Shows what differs between two versions: for `omonat policy compare`, and before a version is approved."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from omonat.base.errors import BadInput
from omonat.policy.changes import Change, changes
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.packs import read_pack
from omonat.policy.prose_changes import SAME, Told, told
from omonat.policy.reader import file_bytes, read_policy

SAID_THE_SAME, DIFFERS, TO_BE_TOLD, TO_BE_AGREED = 0, 10, 11, 12
"""Exit codes of a comparison: nothing differs · nothing that people must be told · they must · they must also agree."""


def texts_of(file: Path, packs: Path | None) -> tuple[str, dict[str, str]]:
    """A document and the packs it names, as text. Raises BadInput `policy-pack-unknown`, InvalidPolicy."""
    document = file_bytes(file).decode("utf-8", "strict")
    folder = packs or file.parent / "packs"
    laws = read_policy(document, name=str(file)).policy.controller.laws
    return document, {law: _pack(folder / f"{law}.yaml") for law in laws}


def compiled_from(file: Path, packs: Path | None, history: Sequence[CompiledPolicy] = ()) -> CompiledPolicy:
    """A file, compiled as the version after `history`."""
    document, texts = texts_of(file, packs)
    known = [read_pack(text, name=name) for name, text in texts.items()]
    return compile_policy(read_policy(document, name=str(file)), known, history)


def _pack(path: Path) -> str:
    if not path.is_file():
        raise BadInput("policy-pack-unknown", name=path.stem)
    return path.read_text("utf-8")


def print_differences(old: CompiledPolicy, new: CompiledPolicy, language: str) -> None:
    """Every change in words, what must be told first, with its mark."""
    found = told(old, new, language)
    if not found:
        typer.echo(SAME[language])
    for one in found:
        typer.secho(f"{_mark(one.change)} {one.title}", bold=one.change.tell)
        for line in one.lines:
            typer.echo(f"    {line}")
        if one.change.services:
            services = ", ".join(old.services[name].says[language] for name in one.change.services)
            typer.echo(f"    [{services}]")


def _mark(change: Change) -> str:
    """`!!` people must be told and agree, `!` be told, `-` milder, `·` anything else."""
    if change.agree:
        return "!!"
    return "! " if change.tell else "- " if change.milder else "· "


def as_json(old: CompiledPolicy, new: CompiledPolicy, language: str) -> dict[str, Any]:
    """The same for programs."""
    found: Sequence[Told] = told(old, new, language)
    rows = [{**asdict(one.change), "title": one.title, "lines": list(one.lines)} for one in found]
    return {"old": old.version, "new": new.version, "exit": exit_of(old, new), "changes": rows}


def exit_of(old: CompiledPolicy, new: CompiledPolicy) -> int:
    """The exit code that says what follows from the differences."""
    found = changes(old, new)
    if any(change.agree for change in found):
        return TO_BE_AGREED
    if any(change.tell for change in found):
        return TO_BE_TOLD
    return DIFFERS if found else SAID_THE_SAME
