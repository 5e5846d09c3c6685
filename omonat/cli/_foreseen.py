"""Shows what a version would do: whom it concerns and which uses it would stop; counted, never named."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from omonat.cli._differences import as_json, compiled_from, print_differences
from omonat.flows.foresee import DAYS, Concerned, Outcome
from omonat.house import House
from omonat.policy.compiled import CompiledPolicy


async def foreseen(
    house: House, file: Path, packs: Path | None, *, days: int = DAYS
) -> tuple[CompiledPolicy | None, CompiledPolicy, Concerned, tuple[Outcome, ...]]:
    """The newest published version, the file compiled after it, whom it concerns, and what becomes of uses."""
    history = await house.grounds.law.known()
    new = compiled_from(file, packs, history)
    concerned = await house.foresee.concerned((*history, new))
    return (history[-1] if history else None), new, concerned, await house.foresee.simulate(new, days=days)


def print_concerned(concerned: Concerned) -> None:
    """One line: how many, and the way to them."""
    if not concerned.people:
        typer.echo("people to be told: nobody")
        return
    ways = f"{concerned.by_email} by e-mail, {concerned.by_sms} by SMS, {concerned.in_center} in the Privacy Center"
    typer.echo(f"people to be told: {concerned.people} ({ways})")


def print_outcomes(outcomes: tuple[Outcome, ...], days: int) -> None:
    """A table: purpose, role, uses, and what becomes of them."""
    typer.echo(f"uses of the last {days} days under the new version:")
    headings = ("purpose", "role", "uses", "go on", "wait", "stop", "open", "why")
    rows = [
        (o.purpose, o.role, *map(str, (o.uses, o.allowed, o.waiting, o.refused, o.opened)), _why(o)) for o in outcomes
    ]
    widths = [max(len(row[column]) for row in (headings, *rows)) for column in range(len(headings))]
    for row in (headings, *rows):
        typer.echo("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if not rows:
        typer.echo("  none")


def _why(outcome: Outcome) -> str:
    return ", ".join(f"{code} {many}" for code, many in outcome.codes)


def print_foreseen(
    old: CompiledPolicy | None, new: CompiledPolicy, concerned: Concerned, outcomes: tuple[Outcome, ...], *,
    language: str, days: int = DAYS,
) -> None:  # fmt: skip
    """All of it, as whoever approves a version reads it."""
    if old is not None:
        typer.echo(f"version {old.version} → {new.version}")
        print_differences(old, new, language)
    print_concerned(concerned)
    print_outcomes(outcomes, days)


def foreseen_json(
    old: CompiledPolicy | None, new: CompiledPolicy, concerned: Concerned, outcomes: tuple[Outcome, ...], language: str
) -> dict[str, Any]:
    """The same for programs."""
    compared = as_json(old, new, language) if old is not None else {"old": None, "new": new.version, "changes": []}
    people = {**asdict(concerned), "in_center": concerned.in_center}
    uses = [{**asdict(one), "codes": dict(one.codes)} for one in outcomes]
    return {**compared, "people": people, "uses": uses}
