"""The loop: break something, be ready again within seconds, and compare everything with what the clients were told."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import asyncpg

from omonat.base.failpoints import MARK
from omonat.database.home import OWNER, USER, address
from omonat.vault.root import RootKey
from omonat.vault.vault import Vault
from tests.faults import breaking
from tests.faults.breaking import Clock, Failpoints
from tests.faults.clients import Town
from tests.faults.crowd import Waited, waited_since, waits
from tests.faults.model import choices_agree
from tests.faults.outside import Outside
from tests.faults.state import index_differences, unfinished, unnamed_ends, wrong_keys
from tests.whole import witness
from tests.whole.serving import Installation, Service, still_running

READY: Final = 5.0
"""Seconds within which it is to be ready again (c2) on a machine that is its own; said at the end, not judged."""
STUCK: Final = 30.0
"""Seconds after which it doesn't recover by itself, whatever else the machine does."""
PROVED: Final = 90.0
"""A sequencer that met a fault looks again twice a minute; one that hangs is given up after a minute."""
SETTLE_EVERY: Final = 20
PAUSE: Final = 0.15
ROUNDS: Final = {
    "points": 32, "workers": 8, "postgres": 22, "backend": 20,
    "everything": 2, "disk-full": 4, "log-unwritable": 4, "clock": 8,
}  # fmt: skip
"""How often each kind of round, in hundredths. A round breaks as many things at once as it has processes to hit."""
RUDE: Final = ("raise", "full", "delay:0.3")
"""What else happens at points, beside being killed there."""
ENDS: Final = ("kill", "kill", "raise")
"""What ends the jobs there: a fault nobody foresaw as well, for a job that fails ends its process."""
_BY_JOBS: Final = (
    "drain.", "sequencer.", "log.", "sweep.", "journal.", "lookup-key.", "packets.", "systems.", "reconcile.",
)  # fmt: skip
_QUIET: Final = ("slots.made", "slots.flushed", "keys.", "client.", "publish.", "activate.")
"""Points only a start or an operator comes by."""

_UNPROVED: Final = (
    "select l.*, pg_current_snapshot()::text as now, (select count(*) from entries e where not exists"
    " (select from placements p where p.txid = e.txid and p.entry = e.id)) as unplaced from evidence_log l",
    "select * from leases",
    "select pid, state, wait_event_type, wait_event, xact_start, state_change, now() as now, left(query, 60) as query"
    " from pg_stat_activity where datname is not null",
)


class Points:
    """Every point some process was ever seen at, in turn; one object through all parts of a run."""

    def __init__(self) -> None:
        self.killed_at: set[str] = set()
        self._left: list[str] = []

    def next(self, seen: set[str], chance: random.Random, *, by_jobs: bool) -> str | None:
        """The next one of the web workers or of the jobs; None before there is any."""
        here = [p for p in sorted(seen) if not p.startswith(_QUIET) and p.startswith(_BY_JOBS) == by_jobs]
        left = [p for p in self._left if p in here]
        if not left:
            chance.shuffle(here)
            left = here
            self._left += here
        if left:
            self._left.remove(left[0])
        return left[0] if left else None


class Loop:
    """One installation, its clients, and many faults."""

    def __init__(self, of: Installation, folder: Path, outside: Outside, points: Points, seed: int) -> None:
        self.of = of
        self.folder = folder
        self.outside = outside
        self.chance = random.Random(seed)
        self.town = Town(of.credentials, outside, seed=seed, pause=PAUSE)
        self.failpoints = Failpoints(folder / "faults")
        self.clock = Clock(folder / "clock")
        self.faults: Counter[str] = Counter()
        self.rounds = self.loops = 0
        self.points = points
        self.slowest: dict[str, float] = {}
        self.recoveries: list[float] = []
        self.checked: set[str] = set()
        self._settings: dict[str, str] = {}
        self._choices: set[str] = set()
        self._kept: list[Path] = []
        self._coming: asyncio.Task[None] | None = None
        self._database: asyncpg.Connection | None = None
        self._rude_at = 0.0
        self._broke = 0.0
        self._rude: set[str] = set()

    async def run(self, loops: int) -> None:
        """So many rounds in which something was broken, one after the other, while the clients work."""
        (self.of.home / MARK).touch(0o600)
        self.clock.step(0)
        self.failpoints.disarm()
        at = await self.outside.open()
        self._settings = {**at, "FAILPOINTS": str(self.failpoints.control), "TEST_CLOCK": str(self.clock.file)}
        try:
            self._start()
            await self._ready("start", time.monotonic(), {})
            async with self.town.at_work():
                await asyncio.sleep(1.0)
                while self.loops < loops:
                    await self._round()
                    if self.rounds % SETTLE_EVERY == 0:
                        await self._settle()
                await self._settle()
            assert self.service.stop() == 0
        finally:
            self.service.end()
            self.outside.close()

    def _start(self) -> None:
        self.service = Service(self.of, **self._settings)
        self.town.service = self.service

    # One round ----------------------------------------------------------------------------------------------------

    async def _round(self) -> None:
        kind, before = breaking.one_of(self.chance, ROUNDS), self.faults.total()
        self.rounds += 1
        await getattr(self, f"_{kind.replace('-', '_')}")()
        self.loops += self.faults.total() > before
        await self._look(kind)

    async def _points(self) -> None:
        """Two web workers and the jobs are killed where they stand, and something else happens at a fourth point."""
        await self._came_back()
        before, began = waits(self.service), time.monotonic()
        tokens = {}
        for by_jobs, action in (
            *((False, "kill"), (False, "kill"), (True, self.chance.choice(ENDS))),
            (False, self.chance.choice(RUDE)),
        ):
            point = self.points.next(self.failpoints.hit(), self.chance, by_jobs=by_jobs)
            if point is not None:
                token = self.failpoints.arm(point, action)
                tokens[token] = (point, action)
                self._rude |= {token} if action in ("raise", "full") else set()
        await self._soon(lambda: all(map(self.failpoints.happened, tokens)), 2.0)
        self.failpoints.disarm()
        for token, (point, action) in tokens.items():
            if self.failpoints.happened(token):
                self.faults[f"point-{action.partition(':')[0]}"] += 1
                self.points.killed_at |= {point} if action == "kill" else set()
        self._watch("worker", max(began, time.monotonic() - 2.0), before)

    async def _workers(self) -> None:
        await self._came_back()
        before = waits(self.service)
        breaking.kill(self.chance.choice(await self._children("web")))
        breaking.kill(self.chance.choice(await self._children("jobs")))
        self.faults.update(("web", "jobs"))
        self._watch("worker", time.monotonic(), before)

    async def _children(self, kind: Literal["web", "jobs"]) -> list[int]:
        """Those of a kind. One may just have ended by itself, over the fault before, and be on its way back."""
        end = time.monotonic() + STUCK
        while not (found := self.service.children(kind)):
            assert time.monotonic() < end, self._why("a fault", [f"no process of {kind}"])
            await asyncio.sleep(0.03)
        return found

    async def _postgres(self) -> None:
        self.faults["postgres"] += 1
        self.service.kill("postgres")
        self._broke = time.monotonic()
        await self._ready("postgres", time.monotonic())

    async def _backend(self) -> None:
        """One helper of the database: the server takes it for damaged memory and starts anew by itself."""
        helpers = breaking.database_processes(self.service)[1:]
        self.faults["backend"] += bool(helpers)
        if helpers:
            breaking.kill(self.chance.choice(helpers))
        self._broke = time.monotonic()
        await self._ready("postgres", time.monotonic())

    async def _everything(self) -> None:
        await self._came_back()
        self.faults["everything"] += 1
        await asyncio.to_thread(self.service.kill, "everything")
        began = time.monotonic()
        self._start()
        await self._ready("everything", began, {})

    async def _disk_full(self) -> None:
        helpers = breaking.database_processes(self.service)[1:]
        with breaking.full_disk(self.service):
            stopped = await self._soon(lambda: not still_running(helpers), 15.0)
        self.faults["disk-full"] += 1
        self._broke = time.monotonic()
        assert stopped, "the database didn't notice that its disk is full"
        await self._ready("disk", time.monotonic())

    async def _log_unwritable(self) -> None:
        with breaking.unwritable_log(self.of):
            await asyncio.sleep(0.6)
        self.faults["log-unwritable"] += 1

    async def _clock(self) -> None:
        self.faults["clock"] += 1
        forward = self.chance.random() < 0.6
        self.clock.step(
            self.chance.randrange(20, 90) * 1_000_000 if forward else -self.chance.randrange(1_200_000, 3_000_000)
        )
        await asyncio.sleep(0.2)

    # Being well again ---------------------------------------------------------------------------------------------

    def _well(self) -> bool:
        complete = len(self.service.children("web")) == 2 and len(self.service.children("jobs")) == 1
        return complete and self.service.answers()

    def _watch(self, name: str, since: float, before: Waited) -> None:
        self._coming = asyncio.create_task(self._ready(name, since, before))

    async def _came_back(self) -> None:
        """Whoever was killed before is there again: a worker is not killed while it starts."""
        coming, self._coming = self._coming, None
        if coming is not None:
            await coming

    async def _ready(self, name: str, since: float, before: Waited | None = None) -> None:
        before = waits(self.service) if before is None else before
        assert await self._soon(self._well, 120.0), self.service.said()[-4000:]
        took = time.monotonic() - max(since, self._broke)  # another fault may have come while this one was healing
        self.slowest[name] = round(max(took, self.slowest.get(name, 0)), 1)
        took -= waited_since(before, self.service)
        self.recoveries.append(took)
        assert took <= STUCK, self._why(name, [f"{took:.1f} s until ready"])

    def _why(self, after: str, found: Sequence[str]) -> str:
        """For whoever reads a failure: what was wrong, after what, and what the service said last."""
        return "\n".join([f"after {after}: {', '.join(found)}", *self.service.said().splitlines()[-25:]])

    @staticmethod
    async def _soon(reached: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not await asyncio.to_thread(reached):
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.03)
        return True

    # What must be so ----------------------------------------------------------------------------------------------

    async def _look(self, kind: str) -> None:
        """After every fault: every answer and letter explained, no acknowledged entry missing (I1–I5, I9)."""
        history = self.town.history
        told = [o.answer["evidence"] for o in history.acknowledged() if "evidence" in o.answer]
        fresh = {e["id"]: e["leaf"] for e in told if e["id"] not in self.checked}
        rows = await self._asked("select id, encode(leaf, 'hex') as leaf from entries where id = any($1)", list(fresh))
        missing = fresh.items() - {(row["id"], row["leaf"]) for row in rows}
        assert not missing, f"{len(missing)} acknowledged entries are not in the database after {kind}"
        self.checked |= fresh.keys()
        found = history.violations(self.outside.letters, self.town.readers)
        assert found == [], self._why(kind, found)
        rude = {token for token in self._rude if self.failpoints.happened(token)}
        if rude:  # an error of ours is a fault, unless somebody asked for one while it was under way
            self._rude, self._rude_at = self._rude - rude, time.monotonic()
        faults = [o.code for o in history.operations if o.code.startswith("fault-") and o.asked > self._rude_at]
        assert faults == [], self._why(kind, faults)

    async def _settle(self) -> None:
        """At rest: everything acknowledged is proved, everything kept is whole."""
        self.failpoints.disarm()
        await self._came_back()
        async with self.town.at_rest():
            await self._ready("rest", time.monotonic())
            await self._look("settling")
            rows = await self._asked("select id, person, kind || ':' || purpose as kind, state from choices")
            shaped = [
                {**row, "kind": row["kind"].partition(":")[0], "purpose": row["kind"].partition(":")[2]} for row in rows
            ]
            found, self._choices = choices_agree(self.town.history, shaped, self._choices)
            found += await index_differences(await self._connected())
            await self._proved()
            found += await self._ended()
            assert found == [], self._why("settling", found)

    async def _proved(self) -> None:
        told = self.town.history.acknowledged()
        promised = {e["id"]: e["leaf"] for o in told if (e := o.answer.get("evidence"))}
        proved = await self._soon(lambda: not self._unproved(promised), PROVED)
        assert proved, await self._why_unproved(promised)
        recent = [o.answer["evidence"]["receipt"] for o in told if "evidence" in o.answer][-100:]
        status, said = await asyncio.to_thread(witness.verify, self.of, receipts=recent, seen=self._kept[-3:])
        assert status == 0, said
        kept = self.folder / f"checkpoint-{len(self._kept)}"
        kept.write_bytes(witness.read(self.of).checkpoint)
        self._kept.append(kept)

    async def _ended(self) -> list[str]:
        """I5, I6, I8: what was to be erased is, whatever died meanwhile; nothing else lost a key, and what a duty keeps
        is there."""
        end, duties = time.monotonic() + PROVED, self.town.duties
        vault = Vault.open(self.of.home, RootKey.from_file(self.of.root_key), create=False)
        while True:
            owner = await self._connected()
            left = await unfinished(owner, list(self.town.erased)) + await duties.outlived(owner, vault)
            if not left or time.monotonic() > end:
                found = left + await wrong_keys(owner, vault) + await unnamed_ends(owner, vault)
                return found + await duties.lost(owner, vault) + await duties.books()
            await asyncio.sleep(0.3)

    async def _why_unproved(self, promised: dict[str, str]) -> str:
        """How far the sequencer has come, and what the database is doing instead."""
        found = [f"{len(self._unproved(promised))} entries have no place"]
        for asked in _UNPROVED:
            found += [str(dict(row)) for row in await self._asked(asked)]
        errors = [line for line in self.service.said().splitlines() if '"level": "error"' in line or "waits" in line]
        return "\n".join([*found, *errors[-20:]])

    def _unproved(self, promised: dict[str, str]) -> list[str]:
        try:
            leaves = witness.read(self.of).leaves
        except (OSError, IndexError):  # a tile was just replaced by a wider one
            return ["unread"]
        return [id for id, leaf in promised.items() if leaves.get(id) != leaf]

    async def _asked(self, statement: str, *values: Any) -> Sequence[Any]:
        """Rows, from a database that may have gone a moment ago."""
        return await self._tried(lambda database: database.fetch(statement, *values))

    async def _tried(self, work: Callable[[asyncpg.Connection], Awaitable[Any]]) -> Any:
        end = time.monotonic() + 10
        while True:
            try:
                return await work(await self._connected())
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                assert time.monotonic() < end, self.service.said()[-2000:]
                self._database = None
                await asyncio.sleep(0.05)

    async def _connected(self) -> asyncpg.Connection:
        if self._database is None or self._database.is_closed():
            self._database = await asyncpg.connect(address(self.of.home).dsn(USER, user=OWNER), timeout=5)
            await self._database.execute("set search_path = omonat")
        return self._database
