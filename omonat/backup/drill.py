"""The drill: the newest backup brought back beside the running service, proved, measured and removed (S6).

It works on a database of its own in a folder of its own, with copies of the log and the journal as they are now; keys
are never copied, those of the running service are read. What people do meanwhile is not its business: keys destroyed
after it began are left out of the comparison.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, to_builtins

from omonat.backup import manifest as manifests
from omonat.backup.journal_file import JournalFile
from omonat.backup.log_copy import mirror_log
from omonat.backup.parts import check_part, members
from omonat.backup.pin import Pin
from omonat.backup.prove import Finding
from omonat.backup.restore import Report, Restoring
from omonat.backup.sources import Sources
from omonat.backup.standing import Stores
from omonat.base.errors import BadInput, Fault
from omonat.base.instants import Instant
from omonat.database.pool import Database
from omonat.database.statements import load
from omonat.evidence import verifier
from omonat.evidence.folder import LogFolder

_queries = load(__package__, "control.sql")
KEYS_PART: Final = "keys-part"


class DrillReport(Struct, frozen=True, kw_only=True):
    """What a drill found. `recovery_point` is how old the data would be, `journal_waiting` how many changes were not in
    the journal yet; `seconds` is how long each step took, `recovery_time` all of them."""

    passed: bool
    at: Instant
    recovery_point: float
    journal_waiting: int
    recovery_time: float
    seconds: dict[str, float]
    restore: Report


@dataclass(slots=True)
class Drill:
    """One drill. `live` are the stores of the running service; `folder` is the drill's own, empty."""

    live: Stores
    folder: Path
    sources: Sources
    clock: Callable[[], Instant]
    reached: Callable[[str], None] = lambda _step: None
    seconds: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.monotonic)

    def step(self, name: str) -> None:
        """A step has ended: how long it took."""
        now = time.monotonic()
        self.seconds[name] = round(self.seconds.get(name, 0.0) + now - self._last, 3)
        self._last = now

    async def run(self, dsn: str) -> DrillReport:
        """Restore into the empty database at `dsn` and prove it. Raises what a restore raises."""
        began = self.clock()
        async with self.live.database.connection() as connection:
            waiting = await _queries.waiting(connection)
        journal = JournalFile(self.folder / "journal", self.live.vault.installation)
        self.live.journal.mirror(journal.folder)
        mirror_log(self.live.log, self.folder / "log")
        self.step("copies")
        database = await Database.connect(dsn, size=2, name="omonat drill")
        try:
            stores = Stores(
                database, self.live.vault, LogFolder(self.folder / "log"), self.live.keys, journal,
                Pin(self.folder / "keys", self.live.vault),
            )  # fmt: skip
            report = await Restoring(stores, self.sources, None, self.clock, reached=self._reached).run()
        finally:
            await database.close()
        findings = [*report.findings, self._verified(), *self._keys_part()]
        self.step("verified")
        return DrillReport(
            passed=report.proved and not any(finding.wrong for finding in findings),
            at=began,
            recovery_point=round((began - self.sources.manifest.taken) / 1_000_000, 3),
            journal_waiting=waiting,
            recovery_time=round(sum(self.seconds.values()), 3),
            seconds=self.seconds,
            restore=_with(report, findings),
        )

    def _reached(self, name: str) -> None:
        self.reached(name)
        if name in ("loaded", "migrated", "committed", "proved"):
            self.step(name)

    def _verified(self) -> Finding:
        """The log, by the verifier that shares no code with its writer."""
        pinned = verifier.Pinned.of([key.vkey for key in self.live.keys.pinned])
        report = verifier.verify_log(self.folder / "log", pinned)
        return Finding("verifier", report.size, int(report.code != verifier.INTACT))

    def _keys_part(self) -> list[Finding]:
        """The copy of the keys, slot for slot: the same as ours, or destroyed since."""
        if self.sources.keys is None:
            return []
        about, signed = manifests.read_keys(self.sources.keys)
        signed.check(self.live.vault)
        (part,) = about.parts
        check_part(self.sources.keys, part)
        try:
            files = dict(members(self.sources.keys, part, self.sources.identities))
        except BadInput:  # sealed to somebody else, as it should be: its bytes are what the manifest says
            return [Finding(KEYS_PART, part.bytes, 0)]
        same, destroyed, other = self.live.vault.compare_copy(files["slots"])
        return [Finding(KEYS_PART, same + destroyed + other, other)]


def _with(report: Report, findings: list[Finding]) -> Report:
    values: dict[str, Any] = {name: getattr(report, name) for name in report.__struct_fields__}
    return Report(**{**values, "findings": tuple(findings)})


def facts_of(report: DrillReport) -> dict[str, Any]:
    """What of it goes into the log: counts and times."""
    return {
        "taken": report.restore.taken,
        "recovery-point-ms": round(report.recovery_point * 1000),
        "recovery-time-ms": round(report.recovery_time * 1000),
        "waiting": report.journal_waiting,
        "findings": {one.what: {"looked-at": one.looked_at, "wrong": one.wrong} for one in report.restore.findings},
    }


def as_json(report: DrillReport) -> dict[str, Any]:
    """The whole report, for a program."""
    found: dict[str, Any] = to_builtins(report)
    return found


def clear(folder: Path) -> None:
    """Remove what a drill, this one or one that was killed, has left. It never holds keys."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise Fault("drill-failed", what=str(folder))
