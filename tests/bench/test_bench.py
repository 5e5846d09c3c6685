"""The bench itself: on a tiny town every row runs and is checked, and its checks can fail. No time is asserted."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from bench import (
    copies,
    decisions,
    doors,
    erasing,
    growth,
    leaving,
    pages,
    people,
    proof,
    purposes,
    reads,
    removing,
    taking,
    witness,
)
from bench.__main__ import TINY
from bench.figures import Figure, amount, flush_us, interval, percentile, ratio, table
from bench.load import Spec, run
from bench.town import Town, town
from omonat.base.instants import HOUR

SIZE = replace(TINY, people=40, rounds=1, seconds=0.05)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hamlet(tmp_path_factory: pytest.TempPathFactory, short_folder: Path) -> AsyncIterator[Town]:
    folder = short_folder / "hamlet"
    folder.mkdir(mode=0o711)
    async with town(folder, people=SIZE.people) as here:
        yield here


async def test_every_read_is_checked_and_a_wrong_value_stops_the_bench(hamlet: Town) -> None:
    rows = await reads.figures(hamlet, rounds=1, seconds=0.05)
    assert [row.gate for row in rows] == [0.7, 1.8, 3.5, 0.5, None]

    pool = hamlet.house.grounds.database.pool
    await pool.execute("update plain_orders set landmark = 'boshqa'")
    with pytest.raises(AssertionError):
        await reads.Reads(hamlet).bare()
    await pool.execute("update cases set closed_at = now()")
    with pytest.raises(Exception, match="case"):
        await reads.Reads(hamlet).enforced()
    await pool.execute("update cases set closed_at = null")


async def test_a_copy_brings_every_record_in_each_form_or_stops_the_bench(hamlet: Town) -> None:
    rows = await copies.figures(hamlet, records=40, rounds=1)
    assert [(row.gate, row.at_most) for row in rows] == [(10, True)] * 3
    with pytest.raises(AssertionError):
        copies.Copies(hamlet, 2).check("html", b"0-uy, katta chorraha yonida")
    with pytest.raises(AssertionError):
        copies.Copies(hamlet, 2).check("json", b'{"held": []}')
    with pytest.raises(AssertionError):
        copies.Copies(hamlet, 40).check("pdf", b"%PDF-1.7 /Count 1")


async def test_what_is_collected_is_weighed_and_counted_with_every_row_there(hamlet: Town) -> None:
    (weighed,) = await taking.space(hamlet, people=2, each=2)
    assert weighed.more["ours, bytes a record"] > 1000 < weighed.more["plain"]
    (collected,) = await taking.figures(hamlet, rounds=1, seconds=0.05)
    assert collected.gate == 1.0
    assert [row.gate for row in await witness.figures(hamlet, rounds=1, seconds=0.02)] == [2.0, 8.0, 15.0]


async def test_an_access_request_brings_all_of_a_person_or_stops_the_bench(hamlet: Town) -> None:
    (row,) = await reads.access(hamlet, people=2, rounds=1, seconds=0.05)
    assert row.gate == 0.7
    (person,) = await people.settle(hamlet, 1, [(people.NEWSLETTER, HOUR)] * 9)
    with pytest.raises(AssertionError):
        await reads.Access(hamlet, [person]).ours()
    with pytest.raises(AssertionError):
        await reads.Access(hamlet, [person]).bare()


async def test_whom_the_bench_erases_is_gone_and_what_is_due_is_read_by_nobody(hamlet: Town) -> None:
    rows = await erasing.persons(hamlet, rounds=1, sizes={1: 1, 5: 1})
    assert [row.gate for row in rows] == [3.5, 3.5, 1.3]
    (row,) = await erasing.expiry(hamlet, rounds=2, records=10)
    assert row.gate == 5
    (person,) = await people.settle(hamlet, 1, [(people.VISIT, HOUR)])
    with pytest.raises(AssertionError, match="expired"):  # a visit of an hour ago is still kept, and read
        await erasing._nothing_due_is_read(hamlet, [person])


async def test_growth_is_measured_for_four_operations(hamlet: Town) -> None:
    rows = await growth.figures(hamlet, hamlet, rounds=1, seconds=0.02)
    assert [(row.gate, row.at_most) for row in rows] == [(1.3, True)] * 4
    (number, person), *_ = await growth._owners(hamlet)
    with pytest.raises(AssertionError):
        await growth._look_up(hamlet, [(number + 1, person)])


async def test_what_is_removed_among_more_is_all_that_had_to_go_and_nothing_else(hamlet: Town) -> None:
    rows = await removing.figures(hamlet, hamlet, rounds=1, due=10)
    assert [(row.gate, row.at_most) for row in rows] == [(1.3, True)] * 4
    (person,) = await people.settle(hamlet, 1, [(people.NEWSLETTER, HOUR)])
    with pytest.raises(AssertionError, match="was lost"):
        await removing._still_read(hamlet, [person], 2)
    destroyed = removing._Destroyed(hamlet)
    with pytest.raises(AssertionError, match="0 keys too many, 1 too few"):
        destroyed.are([1])
    await erasing.Watched(hamlet).one(person)
    with pytest.raises(AssertionError, match="1 keys too many, 0 too few"):
        destroyed.are([])


def _asked(hamlet: Town, tokens: tuple[str, ...]) -> dict[str, int]:
    """Each kind of load once, and the wrong answers that must stop the bench; how many were answered."""
    with doors.doors(hamlet) as there:
        use, courier, _ = doors._uses(hamlet, there, SIZE.seconds)
        collect, insert = doors._collections(hamlet, there, SIZE.seconds)
        leave, plain = leaving.specs(there, tokens, SIZE.seconds)
        for spec in (use, courier, collect, insert, leave, plain):
            assert there.load(replace(spec, connections=4)).latencies
        with pytest.raises(AssertionError, match="credential-refused"):
            there.load(replace(use, headers="authorization: Bearer omk_nobody\r\n"))
        with pytest.raises(AssertionError):
            there.load(replace(use, expects="somebody else's address"))
        with pytest.raises(AssertionError):
            there.load(replace(leave, tokens=("per_nobody.marketing-email.x",) * len(tokens)))
        return dict(there.answered)


async def test_every_answer_over_http_is_checked_and_counted_in_the_log(hamlet: Town) -> None:
    tokens = await leaving.readers(hamlet, rounds=1, seconds=SIZE.seconds)
    async with proof.sequencing(hamlet):
        answered = await asyncio.to_thread(_asked, hamlet, tokens)
    left = await hamlet.house.grounds.database.pool.fetchval("select count(*) from plain_readers where not reads")
    assert left > 0
    assert len(await proof.figures(hamlet, rounds=1)) == 2
    await proof.check(hamlet, answered)
    with pytest.raises(AssertionError, match="in the log"):
        await proof.check(hamlet, {**answered, "/v1/use": 10**6})


async def test_a_new_purpose_reaches_two_workers_and_leaves_out_whoever_was_not_told(hamlet: Town) -> None:
    (row,) = await purposes.figures(hamlet, rounds=1, rows=5)
    assert row.gate == 20
    pool = hamlet.house.grounds.database.pool
    told = await pool.fetchrow(
        "select told, standing from persons p join cases k on k.person = p.id and k.id = 'order:1'"
    )
    await pool.execute(
        "update persons set told = $1, standing = $2 where id = (select person from cases where id = 'order:2')", *told
    )
    with pytest.raises(AssertionError, match="wasn't told"):
        await purposes._respected(hamlet, hamlet.house, "bring-order-1")


def test_a_decision_unlike_cedars_stops_the_bench() -> None:
    policy = pages.compiled()
    assert len(decisions.figures(policy, pairs=1, count=100)) == 2
    with pytest.raises(AssertionError, match="differ"):
        decisions.figures(policy, pairs=1, count=100, decide=lambda asked: not decisions.ours(policy, asked))


def test_the_pages_are_measured_in_all_languages() -> None:
    assert {row.name for row in pages.figures(rounds=1)} >= {"policy: compile", "notice page: size as sent"}


def test_a_gate_is_passed_by_the_bad_end_of_the_interval() -> None:
    assert Figure(name="a", value=2, interval=(0.9, 3), gate=1).passed is False
    assert Figure(name="a", value=2, interval=(1.0, 3), gate=1).passed is True
    assert Figure(name="a", value=2, interval=(1, 3.1), gate=3, at_most=True).passed is False
    assert Figure(name="a", value=2, interval=(1, 3)).passed is None


def test_durable_rows_on_a_slow_disk_prove_nothing() -> None:
    row = Figure(name="a", value=2, interval=(1, 3), gate=1, durable=True)
    assert row.as_json(flush_us=199)["comparable"] is True
    assert row.as_json(flush_us=4000)["comparable"] is False
    assert "4000 µs" in row.as_json(flush_us=4000)["reason"]
    assert "not comparable" in table([row], 4000)


def test_the_interval_holds_the_median_and_narrows_with_more_values() -> None:
    chance = random.Random(3)
    few = [chance.gauss(1, 0.1) for _ in range(15)]
    many = [chance.gauss(1, 0.1) for _ in range(300)]
    for values in (few, many):
        low, high = interval(values)
        assert low <= amount("a", values).value <= high
    assert interval(many)[1] - interval(many)[0] < interval(few)[1] - interval(few)[0]
    assert ratio("a", [(2.0, 1.0)] * 15).interval == (2.0, 2.0)
    assert percentile(range(1, 101), 0.99) == 99


def test_the_disk_is_asked_what_a_flush_costs(tmp_path: Path) -> None:
    half, most = flush_us(tmp_path, times=5)
    assert 0 < half <= most
    assert not list(tmp_path.iterdir())


def test_a_server_that_is_not_there_is_an_error_and_no_result() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    spec = Spec(port=port, method="GET", path="/", status=200, expects="", seconds=0.1, connections=1)
    with pytest.raises(OSError, match="onnect"):
        run(spec)
