"""`omonat policy compare` and `simulate`: what differs between two versions, and what a new one would do (P1–P3)."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from omonat.base.errors import BadInput
from omonat.cli import policy
from omonat.cli._differences import as_json, compiled_from, exit_of, print_differences
from omonat.cli._foreseen import foreseen, foreseen_json, print_foreseen
from omonat.cli._house import in_house
from omonat.cli._speech import words
from omonat.flows.foresee import DAYS
from omonat.house import House
from omonat.policy.compiled import CompiledPolicy

Packs = Annotated[Path | None, typer.Option(help="Folder of law packs; else `packs` beside each document.")]
Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Language = Annotated[str | None, typer.Option(help="uz, ru or en; else that of the terminal.")]


def register(_root: typer.Typer) -> None:
    """Add both to the group `policy`."""
    policy.app.command("compare")(compare)
    policy.app.command("simulate")(simulate)


def compare(
    old: Annotated[str, typer.Argument(help="A policy document, or the name of a published version.")],
    new: Annotated[str, typer.Argument(help="As OLD.")],
    *,
    packs: Packs = None,
    home: Home = None,
    json_: Json = False,
    language: Language = None,
) -> None:
    """Say by meaning what differs. `!!` people must be told and agree, `!` be told, `-` is milder, `·` anything else.

    Exit codes: 0 they do the same · 10 they differ, nobody has to be told · 11 people have to be told · 12 and to agree
    · 4 invalid · 6 no such file or version.
    """
    speech = policy.known_language(language)
    before, after = _both(old, new, packs, home)
    if json_:
        typer.echo(json.dumps(as_json(before, after, speech), ensure_ascii=False, indent=2))
    else:
        typer.echo(words("version %(old)s → %(new)s", old=before.version, new=after.version))
        print_differences(before, after, speech)
    sys.exit(exit_of(before, after))


def simulate(
    file: Annotated[Path, typer.Argument(help="The policy document that might be published.")],
    *,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far to look back.")] = DAYS,
    packs: Packs = None,
    home: Home = None,
    json_: Json = False,
    language: Language = None,
) -> None:
    """Say what this version would do: whom it concerns, and which uses of the last days would go on, wait or stop.

    Reads the evidence, opens nothing, changes nothing, names nobody. Exit codes as `compare`.
    """
    speech = policy.known_language(language)
    found = in_house(home, lambda house: foreseen(house, file, packs, days=days))
    if json_:
        typer.echo(json.dumps(foreseen_json(*found, speech), ensure_ascii=False, indent=2))
    else:
        print_foreseen(*found, language=speech, days=days)
    sys.exit(exit_of(found[0], found[1]) if found[0] is not None else 0)


def _both(old: str, new: str, packs: Path | None, home: Path | None) -> tuple[CompiledPolicy, CompiledPolicy]:
    """Files need no installation; the name of a version does."""
    files = [Path(text) if Path(text).is_file() else None for text in (old, new)]
    if files[0] is not None and files[1] is not None:
        before = compiled_from(files[0], packs)
        return before, compiled_from(files[1], packs, [before])

    async def work(house: House) -> tuple[CompiledPolicy, CompiledPolicy]:
        history = await house.grounds.law.known()
        before = _published(old, history) if files[0] is None else compiled_from(files[0], packs)
        if files[1] is None:
            return before, _published(new, history)
        return before, compiled_from(files[1], packs, history[: before.ordinal] if files[0] is None else [before])

    return in_house(home, work)


def _published(version: str, history: tuple[CompiledPolicy, ...]) -> CompiledPolicy:
    found = next((one for one in history if one.version == version), None)
    if found is None:
        raise BadInput("policy-version-not-found", version=version)
    return found
