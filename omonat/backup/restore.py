"""Restore: any data backup, the newest keys, the newest log, the newest control journal. Back come the living and none
of the erased; nothing that was withdrawn, restricted, quarantined, held, told, ended or published since is undone; and
nothing is served before that is proved (S6, C4, R3; design: Restore).

    marked      the marker lies in the home: from here on it refuses to serve
    keys        older ones are brought up to the journal: what was destroyed since is destroyed again
    loaded      the tables as they were, in an empty schema of the backup's own migrations; then the migrations since
    replayed    one transaction: the journal's changes, the log's entries, the burial of the destroyed, the gap closed
    proved      everything compared; then an entry says so, and the marker is removed

Killed anywhere before the proof, it is run again and begins again with an empty schema.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
from msgspec import Struct, structs

from omonat.backup import marker as markers
from omonat.backup.frames import BEGINNING, Place
from omonat.backup.gap import Gap, close_gap
from omonat.backup.marker import Marker
from omonat.backup.parts import check_part, members
from omonat.backup.prove import Finding, prove
from omonat.backup.replay import Replayed, frames_after, replay
from omonat.backup.sources import Sources
from omonat.backup.standing import Stores, check
from omonat.backup.statistics import note_lost_counts
from omonat.backup.tables import load_tables
from omonat.base.errors import BadInput, Fault, Refused
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.migrate import migrate, shipped
from omonat.database.statements import load
from omonat.evidence import journal
from omonat.evidence.entry import Entry
from omonat.vault.history import KeyState

_queries = load(__package__, "replay.sql")
_NAMED: Final = 1_000  # collections named in a report; all are counted


class Report(Struct, frozen=True, kw_only=True):
    """What a restore or a drill found, for people and programs: ids and counts, nothing of anybody.

    `lost` counts by act what came after the copy and can't be brought back; `collections` names what was taken in
    among it, by the entries whose receipts the source systems were given (a thousand at most). `not_held` are people
    the journal tells of who came after the copy; `log_behind` entries that a lost log had.
    """

    backup: str
    taken: Instant
    proved: bool
    findings: tuple[Finding, ...]
    open: tuple[str, ...] = ()
    gap: tuple[str, ...] = ()
    doubted: int = 0
    frames: int = 0
    changes: int = 0
    log: int = 0
    recovered: int = 0
    buried_people: int = 0
    buried_records: int = 0
    keys_lost: int = 0
    not_held: int = 0
    log_behind: int = 0
    lost: dict[str, int] = {}
    collections: tuple[str, ...] = ()


@dataclass(slots=True)
class Restoring:
    """One restore into the database of `stores`, whose keys, log and journal are the newest there are.

    `home` None: a drill, which leaves no marker and touches no key. `over`: what the database holds may be replaced.
    `log_lost`: an operator says that there is no newer log.
    """

    stores: Stores
    sources: Sources
    home: Path | None
    clock: Callable[[], Instant]
    over: bool = False
    log_lost: bool = False
    reached: Callable[[str], None] = lambda _step: None

    async def run(self) -> Report:
        """Bring everything back and prove it; `proved` says whether the home may serve now.

        Raises Fault (`backup-*`, `journal-*`, `evidence-*`, `restore-log-older`, `keys-*`), BadInput
        `restore-database-used`, `schema-newer`, `backup-sealed`.
        """
        manifest = self.sources.manifest
        if manifest.installation != self.stores.vault.installation:
            raise Fault("backup-foreign")
        self.sources.signed.check(self.stores.vault)
        await asyncio.to_thread(check_part, self.sources.backup, manifest.part("data"))
        began = Marker(backup=manifest.id, began=self.clock(), frames=manifest.frames, digest=manifest.digest)
        await self._make_room(began)
        self.reached("marked")
        lost_keys = await asyncio.to_thread(self._level_keys) if self.home is not None else 0
        self.reached("keys")
        await self._load()
        self.reached("loaded")
        await migrate(self.stores.database.dsn)
        self.reached("migrated")
        generation = self.stores.vault.key_state().generation
        done, gap = await self._replay()
        self.reached("committed")
        if self.home is not None:
            assert done.end is not None
            if done.end != BEGINNING:
                await asyncio.to_thread(self.stores.pin.write, done.end)
            markers.write(
                self.home,
                structs.replace(
                    began, replayed=True, open=tuple(gap.open), gap=tuple(entry.id for entry in gap.entries),
                    touched=tuple(gap.touched),
                ),
            )  # fmt: skip
        self.reached("replayed")
        report = Report(
            backup=manifest.id, taken=manifest.taken, proved=False, findings=(),
            gap=tuple(entry.id for entry in gap.entries), doubted=len(gap.doubted),
            frames=done.frames, changes=done.changes, log=done.log, recovered=len(done.recovered),
            buried_people=len(done.buried), buried_records=done.buried_records, keys_lost=lost_keys,
            not_held=len(done.missing), log_behind=done.log_behind, lost=dict(done.lost),
            collections=tuple(done.collections[:_NAMED]),
        )  # fmt: skip
        proof = Proof(
            self.stores, self.home, self.clock, manifest.place, tuple(gap.open), tuple(gap.touched), generation
        )
        return await proof.make(report, reached=self.reached)

    async def _make_room(self, began: Marker) -> None:
        """An empty schema, and the marker before anything of it. Raises BadInput `restore-database-used`."""
        again = self.home is not None and markers.read(self.home) is not None
        database = self.stores.database
        async with database.connection() as connection:
            used = await _queries.schema_used(connection)
        if used and not (again or self.over):
            raise BadInput("restore-database-used")
        if self.home is not None:
            markers.write(self.home, began)
        self.reached("marking")
        if used:
            async with database.transaction() as connection:
                await _queries.patience(connection)
                await _queries.drop_schema(connection)

    def _level_keys(self) -> int:
        """Keys from a backup are older than the journal: what was destroyed since is destroyed again, before anything
        is loaded that they could open. How many keys are lost."""
        stores = self.stores
        pinned, end = stores.pin.read() or BEGINNING, stores.journal.tail().place
        if end.frames < pinned.frames:
            raise Fault("journal-rolled-back", found=str(end.frames), expected=str(pinned.frames))
        keys, destroyed = KeyState(0, 0), set[int]()
        for _, frame in frames_after(stores, stores.journal.first()):
            keys = KeyState(*map(max, zip(keys, frame.keys, strict=True)))
            destroyed.update(number for number, _ in frame.destroyed)
        return stores.vault.catch_up(keys, destroyed)

    async def _load(self) -> None:
        manifest, database = self.sources.manifest, self.stores.database
        own = [migration for migration in shipped() if migration.number <= manifest.schema]
        if not own or own[-1].number != manifest.schema:
            raise BadInput("schema-newer", file=f"{manifest.schema:04}")
        await migrate(database.dsn, own)
        part = members(self.sources.backup, manifest.part("data"), self.sources.identities)
        async with database.transaction() as connection:
            if manifest.schema >= _WITH_JOURNAL:
                await _queries.notes(connection, wanted=False)
            await load_tables(connection, manifest.tables, part, reached=self.reached)
            if manifest.schema >= _WITH_JOURNAL:
                await _queries.numbers(connection)
                await _queries.notes(connection, wanted=True)

    async def _replay(self) -> tuple[Replayed, Gap]:
        async with self.stores.database.transaction() as connection:
            await _queries.patience(connection)
            start, now = self.sources.manifest.place, self.clock()
            done = await replay(connection, self.stores, start, now=now, log_lost=self.log_lost)
            self.reached("applied")
            gap = await close_gap(connection, self.stores, done, now=self.clock())
            await note_lost_counts(connection, done, taken=self.sources.manifest.taken, now=now, log_lost=self.log_lost)
            self.reached("closed")
            return done, gap


_WITH_JOURNAL: Final = 11
"""The migration that brought the control journal; every backup is of at least that."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Compares everything once it was brought back. `generation`: how far the keys had come when it was."""

    stores: Stores
    home: Path | None
    clock: Callable[[], Instant]
    start: Place
    open: tuple[str, ...]
    touched: tuple[str, ...]
    generation: int

    async def make(self, report: Report, *, reached: Callable[[str], None] = lambda _step: None) -> Report:
        """The report with its findings; where all of it holds and a home is restored, the entry is written and the
        marker removed."""
        async with self.stores.database.transaction() as connection:
            await _queries.patience(connection)
            findings = await prove(
                connection, self.stores, self.start, touched=self.touched, generation=self.generation
            )
            left = tuple([one for one in self.open if not await _published(connection, one)])
            good = not left and not any(finding.wrong for finding in findings)
            report = structs.replace(report, findings=tuple(findings), open=left, proved=good)
            if good and self.home is not None:
                await _say(connection, report, now=self.clock())
        reached("proved")
        await check(self.stores)
        reached("checked")
        if report.proved and self.home is not None:
            markers.remove(self.home)
        reached("done")
        return report


async def prove_again(stores: Stores, home: Path, *, clock: Callable[[], Instant]) -> Report:
    """Once what was open has been settled: the proof alone. Raises BadInput `restore-not-begun`, Refused
    `restore-unproved` for a restore that was cut off before its replay: run that again."""
    marker = markers.read(home)
    if marker is None:
        raise BadInput("restore-not-begun", home=str(home))
    if not marker.replayed:
        raise Refused("restore-unproved", home=str(home))
    report = Report(backup=marker.backup, taken=marker.began, proved=False, findings=(), gap=marker.gap)
    generation = stores.vault.key_state().generation
    return await Proof(stores, home, clock, marker.start, marker.open, marker.touched, generation).make(report)


async def _published(connection: asyncpg.Connection, one: str) -> bool:
    """Whether an open `policy:<ordinal>:<digest>` has been published again."""
    known = {f"policy:{row['ordinal']}:{row['digest']}" async for row in _queries.digests(connection)}
    return one in known


async def _say(connection: asyncpg.Connection, report: Report, *, now: Instant) -> None:
    facts = {
        "backup": report.backup,
        "taken": report.taken,
        "journal": report.frames,
        "recovered": report.recovered,
        "buried": report.buried_people,
        "keys-lost": report.keys_lost,
        "log-lost": report.log_behind,
        "lost": sum(report.lost.values()),
        "gap": len(report.gap),
        "findings": {finding.what: finding.looked_at for finding in report.findings},
    }
    entry = Entry(new_id("ev"), now, "restore:installation:proved", facts)
    await connection.execute(journal.WRITE, *journal.columns([entry]))
