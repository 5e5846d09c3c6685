"""Our own log and its witnesses, over real HTTP: cosignatures are collected, needed, and believed against ourselves."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from omonat.base.errors import BadInput, Fault, Unavailable
from omonat.base.instants import SECOND
from omonat.base.settings import load
from omonat.database.pool import Database
from omonat.evidence import verifier
from omonat.evidence.entry import Entry
from omonat.evidence.folder import LogFolder
from omonat.evidence.journal import Journal
from omonat.evidence.keys import LogKeys
from omonat.evidence.note import Note
from omonat.evidence.reader import Reader
from omonat.evidence.sequencer import HEARTBEAT, LEASE_LASTS, Sequencer
from omonat.evidence.witnesses import Panel, Witness, Witnesses
from omonat.witness.door import application
from omonat.witness.memory import Memory, origin_hash
from tests.evidence.conftest import ORIGIN, Clock, clock, journal, keys, make_entry
from tests.witness.conftest import answering

__all__ = ["clock", "journal", "keys", "make_entry"]

MakeEntry = Callable[..., Entry]


class Town:
    """A log under way, and witnesses that can be switched off."""

    def __init__(self, database: Database, journal: Journal, keys: LogKeys, clock: Clock, folder: Path) -> None:
        self.database, self.journal, self.keys, self.clock = database, journal, keys, clock
        self.folder = LogFolder(folder / "log")
        self.place = folder
        self.memories: list[Memory] = []
        self.panel = Panel((), 0)
        self.witnesses = Witnesses(self.folder, keys.log.verifier, self.panel)

    def hire(self, *, quorum: int | None = None, addresses: list[str]) -> None:
        members = tuple(
            Witness(memory.signer.verifier, url) for memory, url in zip(self.memories, addresses, strict=True)
        )
        self.panel = Panel(members, quorum or len(members))
        self.witnesses = Witnesses(self.folder, self.keys.log.verifier, self.panel)

    def memory(self, name: str) -> Memory:
        memory = Memory.create(self.place / name, f"witness.example/{name}")
        memory.trust(self.keys.log.verifier.vkey)
        self.memories.append(memory)
        return memory

    def sequencer(self) -> Sequencer:
        return Sequencer(
            self.database, self.folder, self.keys, clock=self.clock, witnesses=self.witnesses, holder="one"
        )

    async def add(self, make_entry: MakeEntry, count: int) -> None:
        await asyncio.gather(*(self.journal.submit(make_entry()) for _ in range(count)))

    def signers(self, raw: bytes | None) -> set[str]:
        return {name for name, _, _ in Note.parse(raw or b"").signatures}

    def verify(self, **more: Any) -> verifier.Report:
        vkeys = [member.verifier.vkey for member in self.panel.members]
        pinned = verifier.Pinned.of([key.vkey for key in self.keys.pinned], witnesses=vkeys, **more)
        return verifier.verify_log(self.folder.path, pinned)


@pytest_asyncio.fixture(loop_scope="session")
async def town(
    database: Database, journal: Journal, keys: LogKeys, clock: Clock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    made = Town(database, journal, keys, clock, tmp_path_factory.mktemp("town"))
    yield made
    await made.witnesses.close()


@asynccontextmanager
async def watched(town: Town, count: int, *, quorum: int | None = None) -> AsyncIterator[list[str]]:
    async with AsyncExitStack() as stack:
        addresses = [
            await stack.enter_async_context(answering(application(town.memory(f"w{n}"), town.clock)))
            for n in range(count)
        ]
        town.hire(quorum=quorum, addresses=addresses)
        yield addresses
        await town.witnesses.close()


async def test_S6_who_lost_the_lease_says_nothing_of_witnesses_any_more(town: Town, make_entry: MakeEntry) -> None:
    """Else two processes, one of which could ask and one of which could not, begin and end a doubt for ever."""
    async with watched(town, 1):
        pass  # the witness is away from now on
    lost, town.witnesses = town.witnesses, Witnesses(town.folder, town.keys.log.verifier, town.panel)
    first = Sequencer(town.database, town.folder, town.keys, clock=town.clock, witnesses=lost, holder="first")
    second = town.sequencer()
    assert await first.open()
    await first.advance()
    assert lost.unread == {"witness.example/w0"}
    assert not await second.open()
    assert town.witnesses.unread is None
    town.clock.pass_(LEASE_LASTS + SECOND)
    assert await second.open()
    with pytest.raises(Unavailable):
        await first.advance()
    assert (lost.unread, town.witnesses.unread) == (None, {"witness.example/w0"})
    await lost.close()


async def test_S6_every_checkpoint_goes_round_and_carries_its_cosignatures(town: Town, make_entry: MakeEntry) -> None:
    async with watched(town, 2):
        sequencer = town.sequencer()
        assert await sequencer.open()
        for count in (3, 300, 1):
            await town.add(make_entry, count)
            await sequencer.advance()
            assert town.verify().code == verifier.UNWITNESSED
            assert await town.witnesses.go_round()
            assert town.signers(town.folder.read_checkpoint()) == {
                *(ORIGIN, f"{ORIGIN}/clock"),
                *("witness.example/w0", "witness.example/w1"),
            }
            report = town.verify()
            assert (report.code, sum("cosigned by" in line for line in report.notices)) == (verifier.INTACT, 2)
            assert town.folder.read_witnessed() == town.folder.read_checkpoint()
            town.clock.pass_(SECOND)
        before = town.folder.read_checkpoint()
        for _ in range(3):
            town.clock.pass_(HEARTBEAT // 2)
            await sequencer.advance()  # a heartbeat says the same: their lines stay true, and stay
        assert town.folder.read_checkpoint() != before
        assert town.verify().code == verifier.INTACT


async def test_S6_a_proof_is_given_under_the_checkpoint_that_witnesses_saw(town: Town, make_entry: MakeEntry) -> None:
    entry = make_entry()
    async with watched(town, 1):
        sequencer = town.sequencer()
        await sequencer.open()
        await town.journal.submit(entry)
        await sequencer.advance()
        await town.witnesses.go_round()
    await town.add(make_entry, 5)
    await sequencer.advance()  # the witness is away now: this one has nobody's line
    reader = Reader(town.database, town.folder, origin=ORIGIN, pinned=town.keys.pinned)
    witness = town.panel.members[0].verifier
    proof = await reader.proof(entry.id)
    assert set(Note.parse(proof.signed).check([witness])) == {witness}
    pinned = verifier.Pinned.of([key.vkey for key in town.keys.pinned], witnesses=[witness.vkey])
    assert verifier.verify_proof(bytes(proof), pinned).code == verifier.INTACT
    late = make_entry()
    await town.journal.submit(late)
    await sequencer.advance()
    unseen = bytes(await reader.proof(late.id))
    assert verifier.verify_proof(unseen, pinned).code == verifier.UNWITNESSED


async def test_S6_a_witness_whose_memory_cannot_be_read_at_the_start_is_named_until_it_answers(
    town: Town, make_entry: MakeEntry
) -> None:
    """Else whoever puts the whole machine back need only wait until the one witness who knows better is damaged."""
    async with watched(town, 2):
        sequencer = town.sequencer()
        assert town.witnesses.unread is None  # nobody asked yet
        assert await sequencer.open()
        assert town.witnesses.unread == frozenset()  # both say: nothing seen so far
        await town.add(make_entry, 2)
        await sequencer.advance()
        assert await town.witnesses.go_round()
        seen = town.memories[1].path / origin_hash(ORIGIN) / "seen"
        kept = seen.read_bytes()
        seen.write_bytes(b"nonsense")
        await town.witnesses.compare()
        assert town.witnesses.unread == {"witness.example/w1"}
        await town.add(make_entry, 2)
        await sequencer.advance()  # it is no reason not to sign
        assert not await town.witnesses.go_round()
        assert town.witnesses.unread == {"witness.example/w1"}
        seen.write_bytes(kept)
        assert await town.witnesses.go_round()
        assert town.witnesses.unread == frozenset()


async def test_S6_a_quorum_is_enough_and_whoever_is_away_delays_nobody(town: Town, make_entry: MakeEntry) -> None:
    async with watched(town, 3, quorum=2) as addresses:
        gone = Witness(town.panel.members[2].verifier, "http://127.0.0.1:9")
        town.panel = Panel((*town.panel.members[:2], gone), 2)
        town.witnesses.panel = town.panel
        sequencer = town.sequencer()
        assert await sequencer.open()
        await town.add(make_entry, 2)
        await sequencer.advance()
        assert await town.witnesses.go_round()
        assert town.verify(quorum=2).code == verifier.INTACT
        report = town.verify(quorum=3)
        assert (report.code, report.first_bad) == (verifier.UNWITNESSED, None)
        assert len(addresses) == 3
        town.witnesses.panel = Panel(town.panel.members, 3)
        assert not await town.witnesses.go_round()  # and with three needed it isn't a witnessed one


async def test_S6_a_witness_that_sits_silent_is_given_up_in_time(
    town: Town, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omonat.evidence.witnesses.PATIENCE", 0.2)

    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    town.memory("silent")
    town.hire(addresses=[f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"])
    try:
        sequencer = town.sequencer()
        async with asyncio.timeout(5):
            assert await sequencer.open()
            await town.add(make_entry, 1)
            assert (await sequencer.advance()).size == 2
            assert not await town.witnesses.go_round()
    finally:
        server.close()


@pytest.mark.parametrize("lost", ["before a start", "while it runs"])
async def test_S6_a_log_put_back_whole_is_seen_by_its_witness_and_signs_no_more(
    town: Town, make_entry: MakeEntry, tmp_path: Path, lost: str
) -> None:
    """Log, database and keys are all of yesterday: nothing here can tell, but the witness can."""
    async with watched(town, 1):
        sequencer = town.sequencer()
        await sequencer.open()
        await town.add(make_entry, 3)
        await sequencer.advance()
        await town.witnesses.go_round()
        yesterday, placed = tmp_path / "yesterday", await state_of(town.database)
        shutil.copytree(town.folder.path, yesterday)
        await town.add(make_entry, 3)
        await sequencer.advance()
        await town.witnesses.go_round()

        shutil.rmtree(town.folder.path)
        shutil.copytree(yesterday, town.folder.path)
        await roll_back(town.database, placed)
        before = town.folder.read_checkpoint()
        again = town.sequencer()
        if lost == "before a start":
            with pytest.raises(Fault) as fault:
                await again.open()
        else:
            town.witnesses.panel = Panel((), 0)
            assert await again.open()
            await town.add(make_entry, 2)  # fewer than were lost
            await again.advance()
            before = town.folder.read_checkpoint()
            town.witnesses.panel = town.panel
            await town.witnesses.go_round()
            with pytest.raises(Fault) as fault:
                await again.advance()
        assert fault.value.code == "evidence-witness-conflict"
        assert town.folder.read_checkpoint() == before
        assert len(town.folder.conflicts()) == 1
        kept = town.folder.conflicts()[0].read_bytes()  # our own signature under a history that we don't have
        report = verifier.verify_log(town.folder.path, pinned(town), seen=[kept])
        assert report.code == verifier.FORK


async def test_S6_two_histories_of_one_size_are_a_proof_that_needs_no_log(
    town: Town, make_entry: MakeEntry, tmp_path: Path
) -> None:
    async with watched(town, 1):
        sequencer = town.sequencer()
        await sequencer.open()
        start = await state_of(town.database)
        await town.add(make_entry, 3)
        head = await sequencer.advance()
        await town.witnesses.go_round()
        seen = town.memories[0].checkpoint(origin_hash(ORIGIN)) or b""

        shutil.rmtree(town.folder.path)
        await roll_back(town.database, start)
        town.witnesses.panel = Panel((), 0)
        again = town.sequencer()
        assert await again.open()
        town.clock.pass_(SECOND)
        await town.add(make_entry, 3)
        assert (await again.advance()).size == head.size
        town.witnesses.panel = town.panel
        await town.witnesses.go_round()
        assert town.witnesses.conflict is not None
        shown = town.folder.read_checkpoint() or b""
        assert verifier.verify_note(shown, pinned(town), seen=[seen]).code == verifier.FORK
        assert verifier.verify_note(shown, pinned(town), seen=[shown]).code == verifier.INTACT
        forks = town.memories[0].path / origin_hash(ORIGIN) / "forks"
        assert len(list(forks.glob("*.shown"))) <= 1


async def test_S6_a_witness_cannot_make_a_conflict_up(town: Town, make_entry: MakeEntry) -> None:
    """Its own signature under a checkpoint of ours that never was convicts nobody: ours is missing."""
    async with watched(town, 1):
        sequencer = town.sequencer()
        await sequencer.open()
        await town.add(make_entry, 3)
        await sequencer.advance()
        await town.witnesses.go_round()
        memory = town.memories[0]
        seen = memory.path / origin_hash(ORIGIN) / "seen"
        seen.write_bytes(seen.read_bytes().replace(b"\n4\n", b"\n9\n"))
        await town.add(make_entry, 1)
        await sequencer.advance()
        assert not await town.witnesses.go_round()
        assert (town.witnesses.conflict, town.folder.conflicts()) == (None, [])


def pinned(town: Town) -> verifier.Pinned:
    return verifier.Pinned.of([key.vkey for key in town.keys.pinned])


async def state_of(database: Database) -> Any:
    async with database.connection() as connection:
        return await connection.fetchrow("select seen::text as seen, placed, published, root, marked from evidence_log")


async def roll_back(database: Database, placed: Any) -> None:
    """As a snapshot put back: entries and places of later are gone, and the log's row is what it was."""
    async with database.transaction() as connection:
        await connection.execute(
            "alter table entries disable trigger user; alter table placements disable trigger user"
        )
        await connection.execute(
            "delete from entries where id not in (select entry from placements where index < $1)", placed["placed"]
        )
        await connection.execute("delete from placements where index >= $1", placed["placed"])
        await connection.execute(
            "update evidence_log set seen = pg_current_snapshot(), placed = $1, published = $2, root = $3, marked = $4",
            *(placed["placed"], placed["published"], placed["root"], placed["marked"]),
        )
        await connection.execute("alter table entries enable trigger user; alter table placements enable trigger user")


VKEY = "w.example/1+c2aa7e3f+"


def test_S6_witnesses_are_named_by_key_and_address_or_not_at_all(keys: LogKeys) -> None:
    clock_key = keys.clock.verifier.vkey
    good = Panel.of([f"{clock_key} https://w.example/x/"], None)
    assert (good.quorum, good.members[0].url) == (1, "https://w.example/x")
    assert Panel.of([], None) == Panel((), 0)
    for written in (
        "",
        clock_key,
        f"{keys.log.verifier.vkey} https://w.example",
        f"{clock_key} http://w.example",
        f"{clock_key} ftp://localhost",
        f"{clock_key} https://w.example/?x",
        f"{clock_key}  https://w.example",
        f"{VKEY} https://w.example",
    ):
        with pytest.raises(BadInput, match="witnesses"):
            Panel.of([written], None)
    with pytest.raises(BadInput):
        Panel.of([f"{clock_key} https://a.example", f"{clock_key} https://b.example"], None)
    with pytest.raises(BadInput, match="quorum"):
        Panel.of([f"{clock_key} https://w.example"], 2)
    settings = load({"OMONAT_HOME": "/h", "OMONAT_WITNESSES": f"{clock_key} https://w.example, {clock_key} https://v"})
    assert len(settings.witnesses) == 2
    again = load(settings.environment())
    assert again.witnesses == settings.witnesses
