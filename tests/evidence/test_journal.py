"""The journal: durable before it answers, one flush for all who wait, and its receipts."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import asyncpg
import pytest

from omonat.base.errors import BadInput, Unavailable
from omonat.base.ids import new_id
from omonat.base.instants import HOUR, SECOND
from omonat.database.pool import Database
from omonat.evidence.entry import Entry, encode, leaf_hash
from omonat.evidence.journal import Journal
from omonat.evidence.keys import LogKeys
from omonat.evidence.receipts import Receipt, Token
from tests.evidence.conftest import ORIGIN, Clock, fixed_key

MakeEntry = Callable[..., Entry]


async def test_A1_a_submitted_entry_is_durable_when_it_is_answered(
    database: Database, journal: Journal, make_entry: MakeEntry
) -> None:
    person = new_id("per")
    entry = make_entry(subjects=(person,))

    receipt = await journal.submit(entry)

    row = await database.pool.fetchrow("select id, at, act, body, leaf from entries")
    assert row is not None
    assert (row["id"], row["at"], row["act"]) == (entry.id, entry.at, entry.act)
    assert row["body"] == encode(entry)
    assert row["leaf"] == leaf_hash(row["body"]) == bytes.fromhex(receipt.leaf)
    ledger = await database.pool.fetchrow("select person, at, entry from ledger")
    assert ledger is not None
    assert tuple(ledger) == (person, entry.at, entry.id)


async def test_design_many_uses_share_one_flush(database: Database, journal: Journal, make_entry: MakeEntry) -> None:
    receipts = await asyncio.gather(*(journal.submit(make_entry()) for _ in range(200)))

    assert len({receipt.id for receipt in receipts}) == 200
    transactions = await database.pool.fetchval("select count(distinct txid) from entries")
    assert transactions <= 3
    assert await database.pool.fetchval("select count(*) from entries") == 200


async def test_design_an_entry_of_a_change_lives_and_dies_with_its_transaction(
    database: Database, journal: Journal, make_entry: MakeEntry, clock: Clock
) -> None:
    with suppress(RuntimeError):
        async with database.transaction() as connection:
            await journal.append(connection, [make_entry()], now=clock())
            raise RuntimeError("the change fails")
    assert await database.pool.fetchval("select count(*) from entries") == 0

    async with database.transaction() as connection:
        receipts = await journal.append(connection, [make_entry(), make_entry()], now=clock())
    assert [receipt.due for receipt in receipts] == [clock() + 10 * SECOND] * 2
    assert await database.pool.fetchval("select count(*) from entries") == 2


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 64, 100])
async def test_A1_every_receipt_of_a_batch_verifies_alone_and_no_altered_one_does(
    journal: Journal, make_entry: MakeEntry, keys: LogKeys, count: int
) -> None:
    receipts = await asyncio.gather(*(journal.submit(make_entry()) for _ in range(count)))
    for receipt in receipts:
        token = Token.parse(receipt.token)
        assert (token.due, token.leaf.hex()) == (receipt.due, receipt.leaf)
        token.check(keys.receipts.verifier, ORIGIN)

    original = Token.parse(receipts[-1].token)
    for altered in _alterations(original):
        with pytest.raises(BadInput):
            altered.check(keys.receipts.verifier, ORIGIN)
    with pytest.raises(BadInput):
        original.check(keys.receipts.verifier, "another.example/log")
    with pytest.raises(BadInput):
        original.check(
            LogKeys.of(ORIGIN, log=fixed_key(1), clock=fixed_key(2), receipts=fixed_key(9)).receipts.verifier, ORIGIN
        )


async def test_A1_a_receipt_says_what_was_promised_at_its_flush_whenever_somebody_asks_for_it(
    journal: Journal, keys: LogKeys, make_entry: MakeEntry, clock: Clock
) -> None:
    receipts = await asyncio.gather(*(journal.submit(make_entry()) for _ in range(5)))
    promised = [receipt.due for receipt in receipts]
    clock.pass_(HOUR)
    await journal.submit(make_entry())
    spelled = [Token.parse(receipt.token) for receipt in reversed(receipts)][::-1]
    assert [token.due for token in spelled] == promised
    for token in spelled:
        token.check(keys.receipts.verifier, ORIGIN)
    assert [receipt.token for receipt in receipts] == [str(token) for token in spelled]


def _alterations(token: Token) -> list[Token]:
    altered = [
        replace(token, due=token.due + 1),
        replace(token, size=token.size + 1),
        replace(token, leaf=bytes(32)),
        replace(token, signature=token.signature[::-1]),
        replace(token, path=(*token.path, bytes(32))),
    ]
    if token.path:
        altered += [replace(token, path=token.path[1:]), replace(token, path=(bytes(32), *token.path[1:]))]
        altered.append(replace(token, position=token.position - 1))
    return altered


@pytest.mark.parametrize("spoil", ["{}=", "{}\n", " {}", "{}A", "omr2.{}", "{}+"])
async def test_design_a_receipt_has_one_spelling(journal: Journal, make_entry: MakeEntry, spoil: str) -> None:
    token = (await journal.submit(make_entry())).token
    assert str(Token.parse(token)) == token
    with pytest.raises(BadInput, match=r"receipt"):
        Token.parse(spoil.format(token))


@pytest.mark.parametrize(
    "statement",
    ["update entries set act = 'x:y'", "delete from entries", "truncate entries", "delete from placements"],
)
async def test_S6_entries_are_append_only_for_every_ordinary_statement(
    database: Database, journal: Journal, make_entry: MakeEntry, statement: str
) -> None:
    await journal.submit(make_entry())
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.pool.execute(statement)


async def test_design_without_a_running_journal_nothing_is_acknowledged(
    database: Database, keys: LogKeys, clock: Clock, make_entry: MakeEntry
) -> None:
    journal = Journal(database, origin=ORIGIN, receipts=keys.receipts, clock=clock)
    with pytest.raises(Unavailable) as refused:
        await journal.submit(make_entry())
    assert refused.value.code == "evidence-unavailable"


async def test_design_stopping_flushes_what_waits(
    database: Database, keys: LogKeys, clock: Clock, make_entry: MakeEntry
) -> None:
    journal = Journal(database, origin=ORIGIN, receipts=keys.receipts, clock=clock)
    await journal.start()
    waiting = [asyncio.create_task(journal.submit(make_entry())) for _ in range(10)]
    await asyncio.sleep(0)
    await journal.stop()
    receipts: list[Receipt] = await asyncio.gather(*waiting)
    assert len(receipts) == await database.pool.fetchval("select count(*) from entries") == 10
    with pytest.raises(Unavailable):
        await journal.submit(make_entry())


async def test_A1_a_lost_database_is_a_refusal_and_the_journal_recovers_by_itself(
    database: Database, journal: Journal, make_entry: MakeEntry
) -> None:
    """The journal's connection is cut under a use; the next use after that finds the database again."""
    await journal.submit(make_entry())
    cut = """
        select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'omonat evidence' and datname = current_database()
    """
    async with database.pool.acquire() as holder:
        await holder.execute("begin")
        await holder.execute("lock table entries in access exclusive mode")
        caught = asyncio.create_task(journal.submit(make_entry()))
        await asyncio.sleep(0.1)
        await holder.execute(cut)
        with pytest.raises(Unavailable) as refused:
            await caught
        await holder.execute("rollback")
    assert refused.value.code == "evidence-unavailable"

    await journal.submit(make_entry())
    assert await database.pool.fetchval("select count(*) from entries") == 2
