"""No evidence, no data: without a durable entry nothing is released, and it mends itself (S4, I3; bar c3)."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pytest_asyncio

from omonat.database.home import OWNER, USER, address
from tests.whole import witness
from tests.whole.lines import ORDER, Answer, Line, ordered
from tests.whole.serving import Installation, Service, contention, until

SOON = 2.0
"""Seconds within which a use is told that it can't be; a machine shared with others gets more."""


@pytest_asyncio.fixture(loop_scope="session")
async def owner(running: Service) -> "asyncpg.Connection":
    """The owner of the database server: the one who can take the evidence table away from us."""
    connection = await asyncpg.connect(address(running.of.home).dsn(USER, user=OWNER))
    await connection.execute("set search_path = omonat")
    yield connection
    await connection.close()


def delivery(line: Line, of: Installation, case: str) -> Answer:
    return line.use(of.credentials["site"], purpose="deliver-order", case=case)


def refuses(line: Line, of: Installation, case: str, *codes: str) -> None:
    """Says in time that it can't, and gives nothing; with one of these codes, where it isn't the evidence alone."""
    began = time.monotonic()
    answer = delivery(line, of, case)
    took = time.monotonic() - began
    assert answer.status == 503
    assert answer.code in ("evidence-unavailable", *codes)
    assert "items" not in answer.body
    assert took <= SOON + 0.5 or took <= SOON * contention() + 0.5


async def test_S4_a_table_that_cannot_be_written_stops_uses_and_changes_and_recovers_by_itself(
    running: Service, lines: tuple[Line, Line], owner: asyncpg.Connection
) -> None:
    of = running.of
    ordered(lines[0], of, "order:shut-1")
    entries = await owner.fetchval("select count(*) from entries")
    people = await owner.fetchval("select count(*) from persons")
    await owner.execute(f"revoke insert on entries from {USER}")
    try:
        for line in lines:
            refuses(line, of, "order:shut-1")
            body = {"service": "order", "items": ORDER, "version": "1", "case": "order:shut-2", "accepted": True}
            stopped = line.post("/v1/collect", body, of.credentials["site"])
            assert stopped.status in (500, 503), stopped.body
            assert "person" not in stopped.body
        assert await owner.fetchval("select count(*) from entries") == entries
        assert await owner.fetchval("select count(*) from persons") == people  # no data without its entry either
    finally:
        await owner.execute(f"grant insert on entries to {USER}")
    for line in lines:
        assert delivery(line, of, "order:shut-1").status == 200
    ordered(lines[1], of, "order:shut-2")


async def test_S4_a_table_that_hangs_is_answered_in_time_and_nobody_waits_for_ever(
    running: Service, lines: tuple[Line, Line], owner: asyncpg.Connection
) -> None:
    of = running.of
    ordered(lines[0], of, "order:hangs")
    async with owner.transaction():
        await owner.execute("lock table entries in access exclusive mode")
        for line in lines:
            refuses(line, of, "order:hangs")
    until(lambda: all(delivery(line, of, "order:hangs").status == 200 for line in lines), 10, running.said)


async def test_S4_a_database_that_only_reads_releases_nothing_and_recovers_by_itself(
    running: Service, lines: tuple[Line, Line], owner: asyncpg.Connection
) -> None:
    of = running.of
    ordered(lines[0], of, "order:reads")
    await only_reads(owner, "on")
    try:
        until(lambda: all(delivery(line, of, "order:reads").status == 503 for line in lines), 5, running.said)
        for line in lines:
            refuses(line, of, "order:reads", "database-unavailable")  # by a connection that was cut
            body = {"service": "order", "items": ORDER, "version": "1", "case": "order:reads-2", "accepted": True}
            stopped = line.post("/v1/collect", body, of.credentials["site"])
            assert (stopped.status, stopped.code) == (503, "database-unavailable")
    finally:
        await only_reads(owner, "off")
    until(lambda: all(delivery(line, of, "order:reads").status == 200 for line in lines), 10, running.said)
    ordered(lines[0], of, "order:reads-2")


async def only_reads(owner: asyncpg.Connection, state: str) -> None:
    """As after a failover: every connection is cut, and the new ones may only read, or may write again."""
    await owner.execute(f"alter role {USER} set default_transaction_read_only = {state}")
    await owner.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", USER)


@contextmanager
def in_the_way(of: Installation) -> Iterator[None]:
    """The log can't be written, whoever we are: a folder that isn't empty stands where its files are made."""
    obstacles = [of.home / "log" / "checkpoint.new"]
    for obstacle in obstacles:
        obstacle.mkdir()
        (obstacle / "here").touch()
    try:
        yield
    finally:
        for obstacle in obstacles:
            (obstacle / "here").unlink()
            obstacle.rmdir()


async def test_A1_a_log_that_cannot_be_written_delays_proofs_and_nothing_else(
    running: Service, lines: tuple[Line, Line], owner: asyncpg.Connection
) -> None:
    of, line = running.of, lines[0]
    ordered(line, of, "order:log-1")
    with in_the_way(of):
        used = delivery(line, of, "order:log-1")
        assert used.status == 200, used.body
        entry, receipt = used.body["evidence"]["id"], used.body["evidence"]["receipt"]
        before = (of.home / "log" / "checkpoint").read_bytes()
        await asyncio.sleep(7)  # a heartbeat and more, in which nothing may be signed
        assert (of.home / "log" / "checkpoint").read_bytes() == before
        pending = line.get(f"/v1/evidence/{entry}", of.credentials["officer"])
        assert pending.code == "evidence-proof-pending", pending.body
    until(lambda: line.get(f"/v1/evidence/{entry}", of.credentials["officer"]).status == 200, 15, running.said)
    status, said = witness.verify(of, receipts=[receipt])
    assert status == 0, said
    assert len(running.children("jobs")) == 1
