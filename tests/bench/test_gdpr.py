"""GDPRbench's workloads, small: every operation runs on every side, and a difference at the end stops the bench."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from bench import gdpr
from bench.gdpr import Studies
from bench.gdpr_work import MIXES, World, shares
from omonat.flows.choose import Choosing

RECORDS, OPERATIONS = 250, 20


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def studies(short_folder: Path) -> AsyncIterator[Studies]:
    folder = short_folder / "studies"
    folder.mkdir(mode=0o711)
    async with gdpr.studies(folder, records=RECORDS) as here:
        yield here


async def test_all_four_workloads_end_in_the_same_records_on_every_side(studies: Studies) -> None:
    rows = await gdpr.figures(studies, rounds=1, operations=OPERATIONS)
    assert [row.gate for row in rows] == [1.5, None, None, None, None]
    assert all(row.durable for row in rows)
    assert rows[0].more["aim"] == 2
    expected = studies.world.state()
    assert await studies.house.state() == await studies.plain.state() == await studies.unlogged.state() == expected
    assert studies.world.deleted
    assert studies.world.objected
    assert studies.world.decided


@pytest.mark.parametrize(
    ("column", "value", "before"),
    [("data", "boshqa", None), ("recipient", "recipient-x", None), ("objected", "not objected", "objected")],
)
async def test_a_field_that_differs_in_the_table_stops_the_bench(
    studies: Studies, column: str, value: str, before: str | None
) -> None:
    pool, key = studies.town.house.grounds.database.pool, min(studies.world.state())
    await gdpr.compare(studies)
    was = await pool.fetchval(f"select {column} from gdpr_plain where key = $1", key)
    changed = value if before else f"'{value}'"
    await pool.execute(f"update gdpr_plain set {column} = {changed} where key = $1", key)
    with pytest.raises(AssertionError, match=rf"^plain: a record differs in {column}$"):
        await gdpr.compare(studies)
    await pool.execute(f"update gdpr_plain set {column} = $2 where key = $1", key, was)
    await gdpr.compare(studies)


async def test_an_answer_that_only_the_house_was_given_stops_the_bench(studies: Studies) -> None:
    record = studies.world.state()[min(studies.world.state())]
    answer, back = ("withdrawn", "given") if record.objected else ("given", "withdrawn")
    person = studies.house.person(record.user)

    async def object_(state: str) -> None:
        await studies.town.house.choose(
            Choosing(person=person, kind="objection", purpose=record.purpose, state=state)  # type: ignore[arg-type]
        )

    await object_(answer)
    with pytest.raises(AssertionError, match=r"^house: a record differs in objected$"):
        await gdpr.compare(studies)
    await object_(back)
    await gdpr.compare(studies)


async def test_a_record_that_is_left_or_missing_stops_the_bench(studies: Studies) -> None:
    pool, key = studies.town.house.grounds.database.pool, min(studies.world.state())
    await pool.execute("create table kept as select * from gdpr_unlogged where key = $1::text", key)
    await pool.execute("delete from gdpr_unlogged where key = $1", key)
    with pytest.raises(AssertionError, match=r"^unlogged: other records"):
        await gdpr.compare(studies)
    await pool.execute("insert into gdpr_unlogged select * from kept")
    await gdpr.compare(studies)


async def test_a_read_that_brings_something_else_stops_the_bench(studies: Studies) -> None:
    drawn = [one for one in studies.world.draw("processor", OPERATIONS) if one.expected]
    wrong = replace(drawn[0], expected=dict.fromkeys(drawn[0].expected, "boshqa"))
    for side in studies.sides.values():
        await gdpr._seconds(side, drawn, expiring=0)
        with pytest.raises(AssertionError, match="brought something else"):
            await gdpr._seconds(side, [wrong], expiring=0)
        with pytest.raises(AssertionError, match="0 records expired, 3 were due"):
            await gdpr._seconds(side, [], expiring=3)


def test_the_same_operations_are_drawn_for_everybody_in_the_proportions_of_the_benchmark() -> None:
    first, second = World(RECORDS), World(RECORDS)
    for mix, proportions in MIXES.items():
        assert sum(proportions.values()) == 100
        assert shares(proportions, 100) == dict(proportions)
        assert sum(shares(proportions, 7).values()) == 7
        drawn = first.draw(mix, 100)
        assert drawn == second.draw(mix, 100)
        assert len(drawn) == 100
    assert first.state() == second.state() != World(RECORDS).state()
    with pytest.raises(ValueError, match="multiple"):
        World(RECORDS + 1)
