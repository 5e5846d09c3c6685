"""Collecting in process: ten items of an order, durable, beside a bare INSERT and its commit; and what they take up."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import msgspec

from bench.doors import PAYLOAD
from bench.figures import Figure, amount, percentile, ratio
from bench.proof import catch_up
from bench.reads import measure
from bench.town import Town
from omonat.base.ids import new_id
from omonat.flows.collect import CollectRequest
from omonat.vault.header import SLOT

IN_FLIGHT = 64
_INSERT = "insert into plain_taken (id, document) values ($1, $2)"
_RECORD = """insert into plain_records (id, person, service, case_id, version, source, collected_at, due_at, document)
             values ($1, $2, 'order', $3, 1, 'site', now(), now() + interval '6 years', $4)"""
_TABLES_TAKE = """select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
                    from pg_class c join pg_namespace n on n.oid = c.relnamespace
                   where n.nspname = 'omonat' and c.relkind = 'r' and c.relname not like 'plain%'"""
_ITEMS: dict[str, Any] = PAYLOAD["items"]
_numbers = itertools.count(1)


def request(town: Town, **changed: Any) -> CollectRequest:
    """The order of ten items, for a case nobody has yet."""
    given: dict[str, Any] = {
        "credential": town.credentials["site"], "service": "order", "items": _ITEMS,
        "version": town.house.grounds.law.history()[-1].version, "consents": PAYLOAD["consents"],
        "accepted": True, "case": f"order:k{next(_numbers)}",
    }  # fmt: skip
    return CollectRequest(**given | changed)


async def collect(town: Town) -> None:
    """One collection, answered after its commit."""
    asked = request(town)
    answer = await town.house.collect(asked)
    town.answered["collect:record:accepted"] += 1
    assert answer.case == asked.case
    assert answer.evidence


async def figures(town: Town, *, rounds: int, seconds: float) -> list[Figure]:
    """The row of collecting. Raises AssertionError when rows are missing afterwards."""
    pool, document = town.house.grounds.database.pool, dict(PAYLOAD)
    before = town.answered["collect:record:accepted"], await pool.fetchval("select count(*) from records")
    inserted = 0

    async def insert() -> None:
        nonlocal inserted
        await pool.execute(_INSERT, new_id("row"), document)
        inserted += 1

    measured = await measure({"ours": (lambda: collect(town), 64), "bare": (insert, 64)}, rounds, seconds)
    assert await pool.fetchval("select count(*) from plain_taken where id like 'row%'") == inserted
    held = await pool.fetchval("select count(*) from records") - before[1]
    assert held == town.answered["collect:record:accepted"] - before[0]
    return [
        ratio(
            "collect of a 10-item order, 64 in flight, beside a bare INSERT and commit",
            list(zip(measured["ours"], measured["bare"], strict=True)),
            gate=1.0,
            durable=True,
            more={name + "/s": percentile(rates, 0.5) for name, rates in measured.items()},
        )
    ]


async def space(town: Town, *, people: int, each: int = 10) -> list[Figure]:
    """The row of space. People are taken in by the flow, with `each` orders of a kilobyte; nothing else may run.

    Counted are all tables with their indices, the log's files and the slots given out; plain are a table with the
    indices of `records` and a table of cases.
    """
    pool, vault = town.house.grounds.database.pool, town.house.grounds.vault
    items = _kilobyte()
    consents: dict[str, bool] = {}
    await pool.execute("create table plain_cases (like cases including indexes)")
    before, slots = await _taken(town), vault.key_state().high_water
    plain_before = await _plain(town)

    async def person(_: int) -> None:
        known = None
        for _ in range(each):
            asked = request(town, items=items, consents=consents, person=known)
            known = (await town.house.collect(asked)).person
            town.answered["collect:record:accepted"] += 1
            await pool.execute(_RECORD, new_id("rec"), known, asked.case, msgspec.json.encode(items).decode())

    numbers = iter(range(people))
    await _drained(person, numbers)
    await pool.execute("insert into plain_cases select * from cases where id like 'order:k%'")
    await catch_up(town)
    await pool.execute("vacuum")
    ours = await _taken(town) - before + SLOT * (vault.key_state().high_water - slots)
    plain = await _plain(town) - plain_before
    count = people * each
    return [
        amount(
            f"space for {count:,} records of 1 KB, log and slots included, beside plain tables with the same indices",
            [ours / plain],
            gate=1.35,
            at_most=True,
            more={"ours, bytes a record": ours / count, "plain": plain / count},
        )
    ]


async def _drained(one: Any, numbers: Any) -> None:
    async def worker() -> None:
        for number in numbers:
            await one(number)

    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))


def _kilobyte() -> dict[str, Any]:
    items: dict[str, Any] = dict(_ITEMS)
    items["transaction.order-lines"] = [{"item": "Osh", "count": 2, "price": 4_500_000}] * 11
    return items


async def _taken(town: Town) -> int:
    tables = int(await town.house.grounds.database.pool.fetchval(_TABLES_TAKE))
    return tables + _files(town.house.settings.log)


async def _plain(town: Town) -> int:
    return int(
        await town.house.grounds.database.pool.fetchval(
            "select pg_total_relation_size('plain_records') + pg_total_relation_size('plain_cases')"
        )
    )


def _files(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
