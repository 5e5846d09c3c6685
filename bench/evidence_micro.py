"""The witness in figures: group commit against committed inserts, append and sequence, verify, prove.

    python -m bench.evidence_micro [--quick]

Ratios come from interleaved pairs in one run; the disk's flush is printed first, because durable rows mean nothing
without it.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database import codecs
from omonat.database.embedded import Server
from omonat.database.migrate import migrate
from omonat.database.pool import Database
from omonat.evidence import verifier
from omonat.evidence.entry import Entry, encode, leaf_hash
from omonat.evidence.folder import LogFolder
from omonat.evidence.journal import WRITE, Journal, columns
from omonat.evidence.keys import LogKeys
from omonat.evidence.proofs import TileCache, TreeView
from omonat.evidence.receipts import issue
from omonat.evidence.sequencer import Sequencer

ORIGIN = "bench.example/log"


def now() -> Instant:
    return Instant(time.time_ns() // 1000)


def entry(person: str | None = None) -> Entry:
    facts = {
        "actor": "stf_k3v7q2m5x4w6z2y3a7b5c4d6e2",
        "case": "c1:5f0c8a1be2d94b7790",
        "items": ["contact.name", "contact.mobile", "contact.postal-address"],
        "policy": 3,
        "purpose": "deliver-order",
        "role": "courier",
    }
    return Entry(new_id("ev"), now(), "use:person:authorised", facts, (person,) if person else ())


def flush_us(folder: Path, times: int = 200) -> float:
    """Median microseconds of one 4 KiB write and fdatasync."""
    descriptor = os.open(folder / "probe", os.O_RDWR | os.O_CREAT, 0o600)
    prices = []
    for _ in range(times):
        os.pwrite(descriptor, os.urandom(4096), 0)
        start = time.perf_counter_ns()
        os.fdatasync(descriptor)
        prices.append((time.perf_counter_ns() - start) / 1000)
    os.close(descriptor)
    return statistics.median(prices)


async def rate(one: Callable[[], Awaitable[object]], in_flight: int, seconds: float) -> float:
    """Operations a second of a closed loop."""
    end = time.perf_counter() + seconds
    done = 0

    async def loop() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await one()
            done += 1

    start = time.perf_counter()
    await asyncio.gather(*(loop() for _ in range(in_flight)))
    return done / (time.perf_counter() - start)


async def group_commit(database: Database, journal: Journal, pairs: int, seconds: float) -> None:
    """Durable entries with their ledger row and receipt, against the same two rows committed one entry at a time."""
    people = [new_id("per") for _ in range(1000)]
    turn = iter(range(10**9))
    pool = await asyncpg.create_pool(database.dsn, min_size=8, max_size=8, server_settings={"search_path": "omonat"})

    async def committed() -> None:
        # A plain log table as one would write it: one INSERT, one commit, on eight connections.
        one = entry()
        body = encode(one)
        await pool.execute(
            "insert into plain_log (id, at, act, body) values ($1, now(), $2, $3)", one.id, one.act, body
        )

    async def submitted() -> None:
        await journal.submit(entry(people[next(turn) % 1000]))

    await pool.execute("create table plain_log (id text primary key, at timestamptz, act text, body bytea)")
    print(f"{'in flight':>10} {'INSERT each/s':>14} {'journal/s':>10}   ratio (median, range)")
    for in_flight in (8, 64, 256):
        ratios, plain_rates, our_rates = [], [], []
        for _ in range(pairs):
            plain_rates.append(await rate(committed, in_flight, seconds))
            our_rates.append(await rate(submitted, in_flight, seconds))
            ratios.append(our_rates[-1] / plain_rates[-1])
        low, high = min(ratios), max(ratios)
        middle = statistics.median(ratios)
        print(
            f"{in_flight:>10} {statistics.median(plain_rates):>14.0f} {statistics.median(our_rates):>10.0f}"
            f"   {middle:.1f} × ({low:.1f} to {high:.1f})"
        )
    await pool.close()


async def append_and_sequence(database: Database, sequencer: Sequencer, count: int) -> int:
    """Entries in batches of 1,024 through the journal's statement, then placed, written, read back, signed."""
    connection = await asyncpg.connect(database.dsn, server_settings={"search_path": "omonat", "TimeZone": "UTC"})
    await codecs.install(connection)
    await sequencer.advance()
    start = time.perf_counter()
    for _ in range(count // 1024):
        await connection.execute(WRITE, *columns([entry() for _ in range(1024)]))
    appended = time.perf_counter()
    head = await sequencer.advance()
    while head.size < await connection.fetchval("select count(*) from entries"):
        await sequencer.open()
        head = await sequencer.advance()
    done = time.perf_counter()
    await connection.close()
    count -= count % 1024
    print(
        f"append {count / (appended - start):,.0f}/s, sequence {count / (done - appended):,.0f}/s, "
        f"both {count / (done - start):,.0f}/s ({count:,} entries)"
    )
    return head.size


def verify(folder: Path, keys: LogKeys) -> None:
    pinned = verifier.Pinned.of([key.vkey for key in keys.pinned])
    start = time.perf_counter()
    report = verifier.verify_log(folder, pinned)
    seconds = time.perf_counter() - start
    assert report.code == verifier.INTACT, verifier.show(report, as_json=False)
    print(f"verify {report.size:,} entries in {seconds:.1f} s: {seconds / report.size * 1e6:.1f} s per 1,000,000")


def prove(folder: Path, size: int) -> None:
    cache = TileCache(LogFolder(folder), most=4096)
    view = TreeView(cache, size)
    places = [number * 7919 % size for number in range(5_000)]
    start = time.perf_counter()
    view.inclusion(places[0])
    cold = time.perf_counter() - start
    for place in places:
        view.inclusion(place)
    start = time.perf_counter()
    for place in places:
        view.inclusion(place)
    warm = (time.perf_counter() - start) / len(places)
    print(f"inclusion proof of {size:,}: {warm * 1e6:.1f} µs with warm tiles, {cold * 1e6:.0f} µs from the files")


def receipts(keys: LogKeys) -> None:
    for size in (1, 64, 256):
        entries = [entry() for _ in range(size)]
        leaves = [leaf_hash(encode(one)) for one in entries]
        ids = [one.id for one in entries]
        start = time.perf_counter()
        for _ in range(50):
            for receipt in issue(ids, leaves, due=now(), origin=ORIGIN, signer=keys.receipts):
                assert receipt.token
        print(f"receipt in a batch of {size}: {(time.perf_counter() - start) / 50 / size * 1e6:.1f} µs each")


async def main(quick: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="omonat-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # noqa: ASYNC240 - before anything runs
        print(f"flush p50 {flush_us(folder):.0f} µs")
        server = Server.start(folder / "home")
        try:
            await migrate(server.dsn)
            database = await Database.connect(server.dsn)
            keys = LogKeys.of(
                ORIGIN,
                log=Ed25519PrivateKey.generate(),
                clock=Ed25519PrivateKey.generate(),
                receipts=Ed25519PrivateKey.generate(),
            )
            journal = Journal(database, origin=ORIGIN, receipts=keys.receipts, clock=now)
            sequencer = Sequencer(database, LogFolder(folder / "log"), keys, clock=now)
            await journal.start()
            assert await sequencer.open()
            await group_commit(database, journal, 7 if quick else 15, 0.5)
            assert await sequencer.open()
            size = await append_and_sequence(database, sequencer, 51_200 if quick else 204_800)
            await journal.stop()
            await database.close()
        finally:
            server.stop()
        receipts(keys)
        prove(folder / "log", size)
        verify(folder / "log", keys)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    uvloop.run(main(parser.parse_args().quick))
