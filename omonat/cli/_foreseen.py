"""Shows what a version would do: whom it concerns and which uses it would stop; counted, never named."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import typer

from omonat.cli._differences import as_json, compiled_from, print_differences
from omonat.cli._speech import words
from omonat.flows.foresee import DAYS, Concerned, Outcome
from omonat.house import House
from omonat.pages.words import N_
from omonat.policy.compiled import CompiledPolicy


async def foreseen(
    house: House, file: Path, packs: Path | None, *, days: int = DAYS
) -> tuple[CompiledPolicy | None, CompiledPolicy, Concerned, tuple[Outcome, ...]]:
    """The newest published version, the file compiled after it, whom it concerns, and what becomes of uses."""
    history = await house.grounds.law.known()
    new = compiled_from(file, packs, history)
    concerned = await house.foresee.concerned((*history, new))
    return (history[-1] if history else None), new, concerned, await house.foresee.simulate(new, days=days)


_HEADINGS: Final = (
    N_("purpose"), N_("role"), N_("uses"), N_("go on"), N_("wait"), N_("stop"), N_("open"), N_("why"),
)  # fmt: skip


def print_concerned(concerned: Concerned) -> None:
    """One line: how many, and the way to them."""
    if not concerned.people:
        typer.echo(words("people to be told: nobody"))
        return
    typer.echo(
        words(
            "people to be told: %(people)s (%(email)s by e-mail, %(sms)s by SMS, %(center)s in the Privacy Center)",
            people=concerned.people, email=concerned.by_email, sms=concerned.by_sms, center=concerned.in_center,
        )
    )  # fmt: skip


def print_outcomes(outcomes: tuple[Outcome, ...], days: int) -> None:
    """A table: purpose, role, uses, and what becomes of them."""
    typer.echo(words("uses under the new version, by those of so many days past: %(days)s", days=days))
    headings = tuple(words(heading) for heading in _HEADINGS)
    rows = [
        (o.purpose, o.role, *map(str, (o.uses, o.allowed, o.waiting, o.refused, o.opened)), _why(o)) for o in outcomes
    ]
    widths = [max(len(row[column]) for row in (headings, *rows)) for column in range(len(headings))]
    for row in (headings, *rows):
        typer.echo("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if not rows:
        typer.echo("  " + words("none"))


def _why(outcome: Outcome) -> str:
    return ", ".join(f"{code} {many}" for code, many in outcome.codes)


def print_foreseen(
    old: CompiledPolicy | None, new: CompiledPolicy, concerned: Concerned, outcomes: tuple[Outcome, ...], *,
    language: str, days: int = DAYS,
) -> None:  # fmt: skip
    """All of it, as whoever approves a version reads it."""
    if old is not None:
        typer.echo(words("version %(old)s → %(new)s", old=old.version, new=new.version))
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
