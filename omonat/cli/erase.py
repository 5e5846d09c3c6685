"""`omonat erase`: a person, a record, or items go, as far as no duty keeps them (R3, K2, Q2)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from omonat.base.codes import LANGUAGES
from omonat.base.instants import Instant, to_rfc3339
from omonat.cli._house import in_house
from omonat.cli._speech import ngettext, words
from omonat.flows.erase import Cause, Erasure, ErasureRequest
from omonat.house import House
from omonat.pages.certificate import certificate_pdf
from omonat.pages.words import N_
from omonat.promises.retention.rule import Stay

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


def register(root: typer.Typer) -> None:
    """`omonat erase …` and `omonat erasure show …`."""
    root.command("erase")(erase)
    group = typer.Typer(help="Erasures: how far they are.", no_args_is_help=True)
    group.command("show")(show)
    group.command("certificate")(certificate)
    group.command("acknowledge")(acknowledge)
    root.add_typer(group, name="erasure")


def erase(
    person: Annotated[str, typer.Argument(help="The person: per_…")],
    *,
    record: Annotated[str | None, typer.Option(help="One record of theirs alone: rec_…")] = None,
    item: Annotated[list[str] | None, typer.Option(help="These items alone; may be given several times.")] = None,
    cause: Annotated[str, typer.Option(help="asked, inaccurate or child.")] = "asked",
    plan: Annotated[bool, typer.Option("--plan", help="Say what would go and stay; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask once more.")] = False,
    home: Home = None,
) -> None:
    """Erase a person, or with --record or --item a part. What a duty keeps stays, and is named."""
    if cause not in ("asked", "inaccurate", "child"):
        raise typer.BadParameter(words("asked, inaccurate or child"), param_hint="--cause")
    named: Cause = cause  # type: ignore[assignment]  # checked on the line above
    request = ErasureRequest(person=person, record=record, items=tuple(item or ()), cause=named, by="operator")
    if plan:
        found = in_house(home, lambda house: house.erase.plan(request))
        for name, count in sorted(found.goes.items()):
            typer.echo(f"{_mark(N_('goes'))}  {name}  " + words("in %(count)s", count=count))
        _tell(found.stays)
        return
    if not yes:
        typer.confirm(words("What goes can't be brought back by anybody. Erase?"), abort=True)
    _show(in_house(home, lambda house: house.erase(request)))


def show(
    erasure: Annotated[str, typer.Argument(help="The erasure: ers_…")],
    home: Home = None,
) -> None:
    """Say how far an erasure is, what stays, why and until when."""
    _show(in_house(home, lambda house: house.erase.show(erasure)))


def certificate(
    erasure: Annotated[str, typer.Argument(help="The erasure: ers_…")],
    *,
    out: Annotated[Path | None, typer.Option(help="The file to write; <id>.json or <id>.pdf when absent.")] = None,
    pdf: Annotated[str | None, typer.Option(help="A page to print, in uz, ru or en; JSON when absent.")] = None,
    home: Home = None,
) -> None:
    """Write the certificate, as the person gets it: JSON with its proofs, or a page."""
    if pdf is not None and pdf not in LANGUAGES:
        raise typer.BadParameter(", ".join(LANGUAGES), param_hint="--pdf")

    async def work(house: House) -> bytes:
        told = await house.certify(erasure)
        if pdf is None:
            return msgspec.json.format(msgspec.json.encode(told))
        return certificate_pdf(told, pdf, await house.grounds.law.current())

    made = in_house(home, work)
    file = out or Path(f"{erasure}.{'json' if pdf is None else 'pdf'}")
    file.write_bytes(made)
    typer.echo(f"{file}: " + ngettext("%(num)s byte", "%(num)s bytes", len(made)))


def acknowledge(
    erasure: Annotated[str, typer.Argument(help="The erasure: ers_…")],
    system: Annotated[str, typer.Argument(help="The system, as the policy names it.")],
    home: Home = None,
) -> None:
    """Note that another system, served by hand, has erased its copy."""
    typer.echo(in_house(home, lambda house: house.systems.acknowledge(erasure, system, by="operator")))


_SAYS = {
    **{"person": N_("person"), "record": N_("record"), "items": N_("items")},
    **{"asked": N_("asked"), "inaccurate": N_("inaccurate"), "child": N_("child"), "due": N_("due")},
    **{"hidden": N_("hidden"), "key-destroyed": N_("key destroyed"), "swept": N_("swept"), "final": N_("final")},
    "evidence": N_("evidence"),
}


def _show(erasure: Erasure) -> None:
    scope, cause, stage = (words(_SAYS[each]) for each in (erasure.scope, erasure.cause, erasure.stage))
    typer.echo(f"{erasure.id}  {scope}, {cause}: {stage}")
    stages = (
        ("hidden", erasure.hidden_at, ""),
        ("key-destroyed", erasure.destroyed_at, _copies(erasure)),
        ("swept", erasure.swept_at, ""),
        ("final", erasure.final_at, ""),
    )
    width = max(len(words(_SAYS[name])) for name, _, _ in stages)
    for name, at, more in stages:
        typer.echo(f"  {words(_SAYS[name]):<{width}}  {_time(at)}{more}")
    if erasure.swept_at is not None and erasure.final_at is None:
        pending = words(
            "content final, look-up pending until the end of look-up key %(epoch)s", epoch=erasure.lookup_epoch
        )
        typer.echo(f"  {pending}")
    _tell(erasure.stays)


def _copies(erasure: Erasure) -> str:
    if erasure.copies is None:
        return ""
    return "  " + ngettext("on %(num)s registered copy", "on %(num)s registered copies", erasure.copies)


def _tell(stays: Iterable[Stay]) -> None:
    for stay in stays:
        source = f" ({stay.source})" if stay.source else ""
        waits = ", " + words("or %(event)s", event=stay.waits_for) if stay.waits_for else ""
        where = words("in %(count)s of %(service)s", count=stay.count, service=stay.service)
        until = words("until %(at)s", at=_time(stay.until))
        typer.echo(f"{_mark(N_('stays'))}  {stay.item}  {where}: {stay.factor}{source} {until}{waits}")


def _mark(word: str) -> str:
    return words(word).ljust(max(len(words(each)) for each in (N_("goes"), N_("stays"))))


def _time(at: Instant | None) -> str:
    return "–" if at is None else to_rfc3339(at)
