"""Who looked, one entry with its proof, the newest checkpoint: what people, officers and auditors read."""

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio

from omonat.base.errors import BadInput, Fault
from omonat.base.ids import new_id
from omonat.base.instants import MINUTE, SECOND
from omonat.database.pool import Database
from omonat.evidence import verifier
from omonat.evidence.entry import Entry
from omonat.evidence.folder import LogFolder
from omonat.evidence.journal import Journal
from omonat.evidence.keys import LogKeys
from omonat.evidence.reader import START, Reader
from omonat.evidence.sequencer import Sequencer
from tests.evidence.conftest import ORIGIN, Clock
from tests.evidence.ledger import end_ledger
from tests.evidence.logs import pinned


@pytest.fixture
def folder(tmp_path: Path) -> LogFolder:
    return LogFolder(tmp_path / "log")


@pytest.fixture
def reader(database: Database, folder: LogFolder, keys: LogKeys) -> Reader:
    return Reader(database, folder, origin=ORIGIN, pinned=keys.pinned)


@pytest_asyncio.fixture(loop_scope="session")
async def sequencer(database: Database, folder: LogFolder, keys: LogKeys, clock: Clock) -> Sequencer:
    sequencer = Sequencer(database, folder, keys, clock=clock)
    assert await sequencer.open()
    return sequencer


async def look(journal: Journal, clock: Clock, person: str, times: int) -> list[Entry]:
    """The person's data is used so many times, a second apart."""
    entries = []
    for _ in range(times):
        clock.pass_(SECOND)
        entries.append(Entry(new_id("ev"), clock(), "use:person:authorised", {"purpose": "survey"}, (person,)))
        await journal.submit(entries[-1])
    return entries


async def test_P4_a_person_sees_who_looked_newest_first_page_by_page(
    reader: Reader, journal: Journal, clock: Clock
) -> None:
    person, other = new_id("per"), new_id("per")
    looked = await look(journal, clock, person, 5)
    await look(journal, clock, other, 2)

    seen, cursor = [], START
    while cursor is not None:
        page = await reader.of_person(person, before=cursor, most=2)
        assert len(page.entries) <= 2
        seen += [entry.id for entry in page.entries]
        cursor = page.next  # type: ignore[assignment]
    assert seen == [entry.id for entry in reversed(looked)]
    assert (await reader.of_person(new_id("per"))).entries == ()


async def test_R3_the_ledger_dies_and_the_log_stays(
    database: Database, reader: Reader, journal: Journal, sequencer: Sequencer, clock: Clock
) -> None:
    person, kept = new_id("per"), new_id("per")
    looked = await look(journal, clock, person, 3)
    await look(journal, clock, kept, 2)
    async with database.transaction() as connection:
        await end_ledger(connection, person)
    assert (await reader.of_person(person)).entries == ()
    assert len((await reader.of_person(kept)).entries) == 2

    await sequencer.advance()
    assert (await reader.entry(looked[0].id)).index is not None
    assert person.encode() not in b"".join(
        file.read_bytes() for file in reader.folder.path.rglob("*") if file.is_file()
    )


async def test_A1_an_entry_is_readable_at_once_and_proved_after_the_next_checkpoint(
    reader: Reader, journal: Journal, sequencer: Sequencer, keys: LogKeys, clock: Clock
) -> None:
    (first,) = await look(journal, clock, new_id("per"), 1)
    assert (await reader.entry(first.id)).index is None
    with pytest.raises(BadInput) as pending:
        await reader.proof(first.id)
    assert pending.value.code == "evidence-proof-pending"

    await sequencer.advance()
    proof = await reader.proof(first.id)
    entry, checkpoint, at = proof.check(keys.pinned, ORIGIN)
    assert (entry.id, checkpoint.size, at) == (first.id, 2, clock() // SECOND * SECOND)
    assert verifier.verify_proof(bytes(proof), pinned(keys)).code == verifier.INTACT

    more = await asyncio.gather(*(look(journal, clock, new_id("per"), 30) for _ in range(10)))
    assert await sequencer.open()  # five minutes went by: its lease has run out
    await sequencer.advance()
    for entries in more:
        assert (await reader.proof(entries[0].id)).index == (await reader.entry(entries[0].id)).index
    signed, path = reader.consistency(checkpoint.size)
    marks = 300 // 10 + 2  # the log's own: what waited is marked in its own time
    assert 302 < signed.checkpoint.size <= 302 + marks
    assert path


async def test_A1_unknown_ids_are_not_found(reader: Reader, sequencer: Sequencer) -> None:
    for unknown in (new_id("ev"), new_id("per"), "ev_", "'; select 1"):
        with pytest.raises(BadInput) as missing:
            await reader.entry(unknown)
        assert missing.value.code == "evidence-not-found"


async def test_A1_the_age_of_the_checkpoint_shows_a_silent_sequencer(
    reader: Reader, sequencer: Sequencer, clock: Clock
) -> None:
    with pytest.raises(BadInput) as none_yet:
        reader.checkpoint()
    assert none_yet.value.code == "evidence-proof-pending"
    await sequencer.advance()
    assert (reader.checkpoint().age(clock()) or 0) < SECOND
    clock.pass_(MINUTE)
    assert (reader.checkpoint().age(clock()) or 0) >= MINUTE


async def test_S6_an_altered_entry_is_not_shown(
    database: Database, reader: Reader, journal: Journal, sequencer: Sequencer, clock: Clock
) -> None:
    """Also when body and leaf were changed together: the signed tree knows better."""
    person = new_id("per")
    victim, other = await look(journal, clock, person, 2)
    await sequencer.advance()
    async with database.transaction() as connection:
        await connection.execute("alter table entries disable trigger append_only")
        await connection.execute(
            """
            update entries set body = convert_to(replace(convert_from(body, 'UTF8'), 'survey', 'orders'), 'UTF8')
            where id = $1
            """,
            victim.id,
        )
    with pytest.raises(Fault):
        await reader.of_person(person)
    with pytest.raises(Fault):
        await reader.entry(victim.id)
    await database.pool.execute("update entries set leaf = sha256('\\x00'::bytea || body) where id = $1", victim.id)
    with pytest.raises(Fault) as altered:
        await reader.proof(victim.id)
    assert altered.value.code == "evidence-altered"
    assert await reader.proof(other.id)


async def test_S6_a_false_checkpoint_is_not_shown(
    reader: Reader, sequencer: Sequencer, folder: LogFolder, keys: LogKeys
) -> None:
    await sequencer.advance()
    folder.write_checkpoint((folder.read_checkpoint() or b"").replace(b"\n1\n", b"\n2\n"))
    with pytest.raises(Fault):
        reader.checkpoint()
