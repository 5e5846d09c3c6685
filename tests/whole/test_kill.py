"""Killed at any moment, whatever part of it: what was acknowledged stays (I3, I4, I7, I8; bar c2).

A round: clients work, a process is killed with SIGKILL, the service is ready again, and everything the clients were
told is compared with what the service says now. What they saw is kept outside the service (`history`).
"""

import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from omonat.database.embedded import Server
from omonat.house import House, open_house, system_clock
from tests.whole import witness
from tests.whole.conftest import settings_of
from tests.whole.history import Operation
from tests.whole.load import Town, connected, each
from tests.whole.serving import Installation, Kind, Service, contention, soon

STUCK = 30.0
"""Seconds after which it doesn't recover by itself, however slow the machine."""
PROVED = 15.0
SAMPLE = 40
KINDS: Sequence[Kind] = ("web", "jobs", "postgres", "everything")
Killing = tuple[Kind, ...]
"""What is killed in one round, one right after the other."""


class Rounds:
    """One installation and its clients through many killings."""

    def __init__(self, of: Installation, folder: Path, seed: int) -> None:
        self.of = of
        self.folder = folder
        self.town = Town(of.credentials, seed=seed)
        self.chance = random.Random(seed)
        self.service = Service(of)
        self.kept: list[Path] = []
        self.checked = 0
        self.slowest: dict[str, float] = {}

    async def round(self, killing: Killing) -> None:
        """Work, kill, come back, compare."""
        await self.work_and_kill(killing)
        await self.settle()
        await self.read_back()
        await self.compare_evidence()

    async def work_and_kill(self, killing: Killing) -> None:
        """The clients don't notice but for what was cut off; they go on afterwards."""
        outlives = "everything" not in killing
        async with self.town.at_work(self.service, pause=0.02):
            await asyncio.sleep(self.chance.uniform(0.5, 1.5))
            for kind in killing:
                self.service.kill(kind)
            killed = time.monotonic()
            if outlives:
                await soon(self.service.answers, 60, self.service.said)
                self.note_ready(killing, killed)
                await asyncio.sleep(0.5)
        if not outlives:
            killed = time.monotonic()
            self.service = Service(self.of)
            await asyncio.to_thread(self.service.wait_until_it_answers)
            self.note_ready(killing, killed)

    def note_ready(self, killing: Killing, killed: float) -> None:
        """Keep the longest time, to be said at the end; judged is that it comes back by itself."""
        took = time.monotonic() - killed
        name = "+".join(killing)
        self.slowest[name] = round(max(took, self.slowest.get(name, 0)), 1)
        assert took <= STUCK * max(contention(), 1.0), f"{took:.1f} s after {name}\n{self.service.said()[-3000:]}"

    async def settle(self) -> None:
        """What was cut off is asked again under its key: the same thing is done once."""
        self.town.history.end_round(time.monotonic())
        async with connected(self.service, self.of.credentials["site"]) as http:
            await each(lambda o: self.town.repeat(http, o), self.town.history.unknown("collect"))
        assert not self.town.history.unknown("collect")

    async def read_back(self) -> None:
        """Every order of this round and a sample of older ones, and every consent, are as the clients were told."""
        history = self.town.history
        new = [o for o in history.operations[self.checked :] if o.act == "collect"]
        self.checked = len(history.operations)
        older = history.acknowledged("collect")
        orders = {o.about: o for o in new + self.chance.sample(older, min(SAMPLE, len(older)))}
        faults = {o.code for o in history.operations if o.code == "internal"}
        said = [line for line in self.service.said().splitlines() if '"request-unavailable"' not in line]
        assert not faults, "\n".join(said[-20:])  # a database that is gone is 503, not a fault of ours
        assert all(o.outcome == "ok" for o in orders.values()), {o.code for o in orders.values()}
        chosen = sorted({o.about for o in history.of("give", "withdraw")})
        people = self.chance.sample(chosen, min(2 * SAMPLE, len(chosen)))
        async with connected(self.service, self.of.credentials["site"]) as http:
            await each(lambda o: self.town.use(http, o.about), list(orders.values()))
            await each(lambda person: self.town.market(http, person), people)
        assert not [o.code for o in history.operations[self.checked :] if o.outcome == "unknown"]
        assert history.violations() == []

    async def compare_evidence(self) -> None:
        """Every acknowledged answer has its entry in the log, and the log is intact and extends all earlier ones."""
        told = self.town.history.acknowledged()
        await soon(lambda: not self.missing(told), PROVED, self.service.said)
        recent = [o.answer["evidence"]["receipt"] for o in told[-200:]]
        status, said = await asyncio.to_thread(witness.verify, self.of, receipts=recent, seen=self.kept[-3:])
        assert status == 0, said
        kept = self.folder / f"checkpoint-{len(self.kept)}"
        kept.write_bytes(witness.read(self.of).checkpoint)
        self.kept.append(kept)
        await self.take_a_proof(self.chance.choice(told))

    def missing(self, told: Sequence[Operation]) -> list[str]:
        """Ids of entries that were promised and aren't in the log, or are there with other bytes."""
        try:
            leaves = witness.read(self.of).leaves
        except (OSError, IndexError):  # a tile was just replaced by a wider one
            return ["unread"]
        promised = {o.answer["evidence"]["id"]: o.answer["evidence"]["leaf"] for o in told}
        return [id for id, leaf in promised.items() if leaves.get(id) != leaf]

    async def take_a_proof(self, operation: Operation) -> None:
        """The API gives the proof of an entry, and it verifies without the log."""
        async with connected(self.service, self.of.credentials["officer"]) as http:
            reply = await http.get(f"/v1/evidence/{operation.answer['evidence']['id']}")
        assert reply.status_code == 200, reply.text
        file = self.folder / "one.tlog-proof"
        status, said = await asyncio.to_thread(witness.verify_proof, self.of, reply.json()["proof"], file)
        assert status == 0, said


async def everything_opens_again(of: Installation, town: Town) -> None:
    """Every record of every person opens to what was sent: read from the house itself, without any door."""
    orders = town.history.acknowledged("collect")
    closed = {o.about for o in town.history.of("close")}
    assert len(orders) > 20

    async def opens(house: House, order: Operation) -> None:
        mine = await house.my_data(order.answer["person"])
        held = {item.item: item.value for item in mine.held if item.record == order.answer["record"]}
        due = {"contact.postal-address"} if order.about in closed and "contact.postal-address" not in held else set()
        assert held == {item: value for item, value in order.sent.items() if item not in due}

    server = Server.start(of.home)
    try:
        async with open_house(settings_of(of.home, of.root_key, server.dsn), clock=system_clock) as house:
            await each(lambda order: opens(house, order), orders)
    finally:
        server.stop()


async def loop(of: Installation, folder: Path, killings: Sequence[Killing], seed: int) -> Rounds:
    rounds = Rounds(of, folder, seed)
    try:
        await asyncio.to_thread(rounds.service.wait_until_it_answers)
        for killing in killings:
            await rounds.round(killing)
        assert rounds.service.stop() == 0
        await everything_opens_again(of, rounds.town)
    finally:
        rounds.service.end()
    counts = {act: len(rounds.town.history.acknowledged(act)) for act in ("collect", "give", "withdraw", "close")}
    cut_off = sum(o.outcome == "unknown" for o in rounds.town.history.operations)
    print(f"\nseed {seed}: {len(killings)} rounds, acknowledged {counts}, cut off {cut_off}, ready {rounds.slowest}")
    return rounds


async def test_A1_whatever_is_killed_nothing_acknowledged_is_lost_or_undone(
    installation: Installation, tmp_path: Path
) -> None:
    rounds: Sequence[Killing] = (("web", "jobs"), ("postgres",), ("everything",))
    await loop(installation, tmp_path, rounds, seed=random.randrange(10**6))


@pytest.mark.long
async def test_A1_fifty_killings_in_any_order(installation: Installation, tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    await loop(installation, tmp_path, [tuple(chance.sample(KINDS, chance.choice([1, 1, 2]))) for _ in range(50)], seed)
