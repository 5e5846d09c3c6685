"""`omonat backup`, `restore` and `drill`: the four parts out, back in, and the proof that it works (S6, C4, R3)."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from omonat.backup import manifest as manifests
from omonat.backup.drill import Drill, DrillReport, clear, facts_of
from omonat.backup.drill import as_json as in_full
from omonat.backup.parts import identities_of, recipients_of
from omonat.backup.prove import Finding
from omonat.backup.restore import Report, Restoring, prove_again
from omonat.backup.sources import Sources, bring_journal, bring_keys, bring_log
from omonat.backup.take import Taking, take
from omonat.base.errors import BadInput, Fault, Unavailable
from omonat.base.instants import to_rfc3339
from omonat.base.settings import Settings, load
from omonat.base.verdict import Allow
from omonat.cli._holders import current_root
from omonat.cli._house import in_house
from omonat.cli._speech import ngettext, tell, words
from omonat.database import safety
from omonat.database.embedded import Server
from omonat.database.home import claim
from omonat.database.pool import Database
from omonat.house import House, log_keys, stores_of, system_clock
from omonat.pages.words import N_
from omonat.vault.vault import Vault

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]
Identity = Annotated[Path | None, typer.Option(help="A file of age identities that opens sealed parts.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]

_WHAT: Final = {
    "log": N_("entries in log and database"),
    "journal": N_("rows the journal tells of"),
    "withdrawn": N_("people whose choices it tells of"),
    "keys": N_("keys, destroyed and living"),
    "living": N_("sections of the living, opened"),
    "verifier": N_("entries, by the stand-alone verifier"),
    "keys-part": N_("slots in the copy of the keys"),
}


def register(root: typer.Typer) -> None:
    """Add `backup`, `restore` and `drill` to the top of the command line."""
    root.command()(backup)
    root.command()(restore)
    root.command()(drill)


def backup(
    folder: Annotated[Path | None, typer.Argument(help="Where backups go [OMONAT_BACKUPS].")] = None,
    keys: Annotated[Path | None, typer.Option(help="Where the copy of the keys goes: another place.")] = None,
    home: Home = None,
) -> None:
    """Back up data, log and journal into FOLDER, and the keys apart from them; while the service runs."""
    settings = load(os.environ, home=home)
    taking = Taking(
        folder=_backups(folder, settings),
        keys=keys,
        recipients=recipients_of(settings.backup_recipients),
        keys_recipients=recipients_of(settings.backup_keys_recipients),
    )

    async def work(house: House) -> tuple[Path, manifests.Manifest]:
        return await take(house.stores, settings.keys, taking, house.grounds.journal, clock=house.grounds.clock)

    target, made = in_house(home, work)
    rows = sum(table.rows for table in made.tables)
    size = sum(part.bytes for part in made.parts)
    counts = (
        ngettext("%(num)s row", "%(num)s rows", rows),
        ngettext("%(num)s table", "%(num)s tables", len(made.tables)),
        ngettext("%(num)s entry", "%(num)s entries", made.placed),
        ngettext("%(num)s byte", "%(num)s bytes", size),
    )
    typer.echo(f"{target}: {made.id}, {', '.join(counts)}")
    if keys is not None:
        typer.echo(words("%(folder)s: the keys; keep them apart from the data", folder=keys / target.name))
    elif not settings.key_copies:
        lacking = words("the keys are not in it: name a place of their own with --keys, or register key-copies")
        typer.echo(lacking, err=True)


def restore(
    folder: Annotated[Path | None, typer.Argument(help="A backup, or a folder of backups: the newest.")] = None,
    *,
    home: Home = None,
    keys: Annotated[Path | None, typer.Option(help="The copy of the keys, where the home has none.")] = None,
    copy: Annotated[
        list[Path] | None, typer.Option(help="A folder with a newer `journal` and `log`; may be repeated.")
    ] = None,
    identity: Identity = None,
    over: Annotated[bool, typer.Option("--over", help="Replace what the database holds.")] = False,
    log_lost: Annotated[
        bool, typer.Option("--log-lost", help="There is no newer log: go on from this one, and say so for ever.")
    ] = False,
    prove: Annotated[bool, typer.Option("--prove", help="Only prove a restore again.")] = False,
    as_json: Json = False,
) -> None:
    """Bring a backup back with the newest keys, log and journal, and prove it; until then nothing is served.

    Exit codes: 0 proved · 2 used wrongly · 5 an identity is missing · 6 no backup · 7 unavailable · 8 a store is older
    than the others · 9 the backup is altered, or the proof failed.
    """
    os.umask(0o077)
    settings = load(os.environ, home=home)
    sources = None if prove else _sources(_backups(folder, settings), settings, keys, copy or [], identity)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    server, held = None, None
    if settings.database is None:
        server = Server.start(settings.home, programs=settings.postgres, tell=tell)
    else:
        held = claim(settings.home)
    try:
        dsn = server.dsn if server is not None else str(settings.database)
        report = asyncio.run(_restore(settings, dsn, sources, over=over, log_lost=log_lost))
    finally:
        if server is not None:
            server.stop()
        if held is not None:
            os.close(held)
    typer.echo(msgspec.json.encode(report).decode() if as_json else "\n".join(_told(report)))
    if not report.proved:
        wrong = [one.what for one in report.findings if one.wrong] + list(report.open)
        raise Fault("restore-not-proved", what=", ".join(wrong))
    if not as_json:
        typer.echo(words("proved; `omonat serve` may start"))


def drill(
    folder: Annotated[Path | None, typer.Argument(help="A backup, or a folder of backups: the newest.")] = None,
    *,
    home: Home = None,
    keys: Annotated[Path | None, typer.Option(help="The copy of the keys, to be compared as well.")] = None,
    identity: Identity = None,
    report: Annotated[Path | None, typer.Option(help="Write the report there, as JSON.")] = None,
    standing: Annotated[bool, typer.Option("--standing", help="Only say whether drills are up to date.")] = False,
    as_json: Json = False,
) -> None:
    """Restore the newest backup beside the running service, prove and measure it, and remove everything again.

    Exit codes: 0 passed · 1 with --standing: overdue · 3 nobody can tell · 6 no backup · 7 unavailable · 9 failed.
    """
    os.umask(0o077)
    settings = load(os.environ, home=home)
    if standing:
        _say_standing(home)
        return
    sources = _sources(_backups(folder, settings), settings, keys, [], identity)
    place = settings.home.resolve().with_name(f"{settings.home.name}.drill")
    server = Server.start(place, programs=settings.postgres, tell=tell)  # stops and takes over what a killed one left
    try:
        found = in_house(home, lambda house: _drill(house, place, sources, server.dsn))
    finally:
        server.stop(at_once=True)
        clear(place)
    raw = msgspec.json.format(msgspec.json.encode(in_full(found)))
    if report is not None:
        report.write_bytes(raw + b"\n")
    typer.echo(raw.decode() if as_json else "\n".join(_measured(found)))
    if not found.passed:
        raise Fault("drill-failed", what=", ".join(one.what for one in found.restore.findings if one.wrong))


def _backups(folder: Path | None, settings: Settings) -> Path:
    found = folder or settings.backups
    if found is None:
        raise typer.BadParameter(words("name a folder, or set OMONAT_BACKUPS"), param_hint="FOLDER")
    return found


def _sources(folder: Path, settings: Settings, keys: Path | None, copies: list[Path], identity: Path | None) -> Sources:
    backup = manifests.newest(folder)
    if backup is None:
        raise BadInput("backup-incomplete", folder=str(folder))
    manifest, signed = manifests.read(backup)
    if keys is not None and (found := manifests.newest_keys(keys)) is None:
        raise BadInput("backup-incomplete", folder=str(keys))
    keys = None if keys is None else found
    return Sources(
        backup=backup, manifest=manifest, signed=signed, identities=identities_of(identity), keys=keys,
        copies=[path for path in (*settings.journal_copies, *copies) if path.exists()],
    )  # fmt: skip


async def _restore(settings: Settings, dsn: str, sources: Sources | None, *, over: bool, log_lost: bool) -> Report:
    safety.refuse(safety.address_findings(dsn))
    await _refuse_unsafe(dsn, settings)
    if sources is not None:
        bring_keys(settings.home, sources)
    vault = Vault.open(
        settings.home, current_root(settings), other_copies=settings.slot_copies, copying_storage_ok=settings.demo
    )
    if sources is not None:
        bring_journal(settings.home, sources, vault)
        bring_log(settings.home, sources)
    database = await Database.connect(dsn, size=4, name="omonat restore")
    try:
        if sources is None:
            origin = await _origin(database)
            return await prove_again(
                stores_of(settings, database, vault, log_keys(vault, origin)), settings.home, clock=system_clock
            )
        stores = stores_of(settings, database, vault, log_keys(vault, sources.manifest.origin))
        return await Restoring(stores, sources, settings.home, system_clock, over=over, log_lost=log_lost).run()
    finally:
        await database.close()


async def _refuse_unsafe(dsn: str, settings: Settings) -> None:
    """No data comes into a server that a start would be refused for."""
    database = await Database.connect(dsn, size=1, name="omonat restore")
    try:
        safety.refuse(await safety.setting_findings(database, settings.archive_days))
    finally:
        await database.close()


async def _origin(database: Database) -> str:
    async with database.connection() as connection:
        origin = await connection.fetchval("select origin from installation")
    if origin is None:
        raise Unavailable("no-policy")
    return str(origin)


async def _drill(house: House, place: Path, sources: Sources, dsn: str) -> DrillReport:
    found = await Drill(house.stores, place, sources, house.grounds.clock).run(dsn)
    await house.safeguards.note_drill(
        backup=sources.manifest.id, passed=found.passed, report=in_full(found), facts=facts_of(found)
    )
    return found


def _say_standing(home: Path | None) -> None:
    verdict = in_house(home, lambda house: house.safeguards.drill_standing())
    if isinstance(verdict, Allow):
        typer.echo(words("restore drill: kept"))
        return
    raise Unavailable(verdict.reasons[0].code)


def _told(report: Report) -> list[str]:
    """The report in lines."""
    return [
        words("%(backup)s, taken %(at)s", backup=report.backup, at=to_rfc3339(report.taken)),
        *map(_looked_at, report.findings),
        *(f"  {line}" for line in _brought_back(report)),
        *_not_brought_back(report),
        *("  " + words("open: %(what)s", what=one) for one in report.open),
    ]


def _looked_at(one: Finding) -> str:
    marks = words("ok"), words("WRONG")
    mark = marks[bool(one.wrong)].ljust(max(map(len, marks)))
    wrong = "; " + words("differ: %(num)s", num=one.wrong) if one.wrong else ""
    return f"  {mark} {one.what:<10} {words(_WHAT[one.what])}: {one.looked_at}{wrong}"


def _brought_back(report: Report) -> list[str]:
    people, records = report.buried_people, report.buried_records
    lines = [
        words("changes replayed: %(changes)s, in frames: %(frames)s", changes=report.changes, frames=report.frames),
        words("entries taken from the log: %(num)s", num=report.recovered),
        words("buried, because their keys are destroyed: people %(people)s, records %(records)s",
              people=people, records=records),
    ]  # fmt: skip
    if report.keys_lost:
        lines.append(words("keys made after the copy of the keys, and lost: %(num)s", num=report.keys_lost))
    return lines


def _not_brought_back(report: Report) -> list[str]:
    lines = []
    if report.lost or report.not_held:
        came = words("came after the backup and can't be brought back (new people: %(num)s):", num=report.not_held)
        lines.append(f"  {came}")
        lines += [f"    {count:>8}  {act}" for act, count in sorted(report.lost.items())]
        lines += [f"    {entry}" for entry in report.collections]
    if report.gap:
        acts, people = len(report.gap), report.doubted
        lacks = words(
            "acts of the log that the journal lacks: %(acts)s; people whose consents are in doubt: %(people)s",
            acts=acts, people=people,
        )  # fmt: skip
        lines.append(f"  {lacks}")
        lines += [f"    {entry}" for entry in report.gap]
    return lines


def _measured(report: DrillReport) -> list[str]:
    """The drill in lines."""
    steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in report.seconds.items())
    age, waiting = f"{report.recovery_point:.0f}", report.journal_waiting
    took = f"{report.recovery_time:.1f}"
    return [
        words("restore drill passed") if report.passed else words("restore drill FAILED"),
        *_told(report.restore),
        "  " + words("recovery point: data %(seconds)s s old; choices, holds and erasures not yet in the journal: "
                     "%(num)s", seconds=age, num=waiting),
        "  " + words("recovery time: %(seconds)s s (%(steps)s)", seconds=took, steps=steps),
    ]  # fmt: skip


__all__ = ["backup", "drill", "register", "restore"]
