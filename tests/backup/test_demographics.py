"""Anonymous counters and a restore: what the copy knows comes back, and what it lost is said and not shown (L4, X3)."""

from collections.abc import Awaitable, Callable, Mapping

from omonat.base.instants import DAY, MINUTE
from omonat.flows.demographics import A_MINUTE
from omonat.house import House
from omonat.promises.demographics.rule import Report
from tests.backup.conftest import Ruin, Town

MakeRuin = Callable[[], Awaitable[Ruin]]
GENDER = "relationship.gender"


async def answered(town: Town, **times: int) -> None:
    """So many people say so, and all of it is counted."""
    given = [answer for answer, many in times.items() for _ in range(many)]
    for number, answer in enumerate(given, 1):
        if number % A_MINUTE == 0:
            town.clock.forward(MINUTE)
        await town.house.demographics.count({GENDER: answer})
    await town.house.demographics.write()
    town.clock.forward(MINUTE)


async def seen(house: House, ago: int = 1) -> Report:
    return next(one for one in await house.demographics.report(periods_ago=ago) if one.question == GENDER)


def cells(report: Report) -> Mapping[str, int | None]:
    return {cell.answer: cell.times for cell in report.cells}


async def test_L4_counters_of_the_copy_come_back_as_they_were(town: Town, ruin: MakeRuin) -> None:
    await answered(town, female=14, male=12)
    backup = await town.backup()
    await town.settle()
    new = await ruin()
    assert (await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))).proved
    town.clock.forward(35 * DAY)
    async with new.opened() as house:
        report = await seen(house)
    assert (cells(report), report.total, report.incomplete) == ({"female": 14, "male": 12}, 26, False)
    assert report == await seen(town.house), "as if nothing had happened"


async def test_L4_what_came_after_the_copy_is_told_and_no_difference_between_two_reports_is(
    town: Town, ruin: MakeRuin
) -> None:
    """One woman more than the copy knows: both numbers are above the threshold, and their difference is one person."""
    await answered(town, female=14, male=12)
    backup = await town.backup()
    await answered(town, female=1)
    await town.settle()
    town.clock.forward(35 * DAY)
    before = await seen(town.house)
    assert cells(before) == {"female": 15, "male": 12}
    await answered(town, female=11, male=13)
    await town.settle()
    new = await ruin()
    restored = await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))
    assert restored.proved
    assert restored.lost["demographics:batch:counted"] == 3, "the restore itself says so"
    async with new.opened() as house:
        after = await seen(house)
        assert (cells(after), after.total, after.incomplete) == ({"female": None, "male": None}, None, True)
        town.clock.forward(35 * DAY)
        running = await seen(house)
        assert running.incomplete, "the weeks of the restore lost some as well"
        found = await house.grounds.database.pool.fetch("select week, times from demographics where answer = 'lost'")
        assert all(row["week"].weekday() == 0 for row in found)
        told = await house.grounds.database.pool.fetchval(
            "select count(*) from entries where act = 'demographics:report:released'"
            " and convert_from(body, 'UTF8')::jsonb #>> '{facts,incomplete}' = '1'"
        )
        assert told == 2


async def test_L4_the_weeks_after_a_restore_are_counted_and_shown_again(town: Town, ruin: MakeRuin) -> None:
    backup = await town.backup()
    await answered(town, female=5)
    await town.settle()
    new = await ruin()
    assert (await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))).proved
    town.clock.forward(63 * DAY)
    async with new.opened() as house:
        for answer in ["female", "male"] * 12:
            await house.demographics.count({GENDER: answer})
        await house.demographics.write()
        town.clock.forward(35 * DAY)
        report = await seen(house)
        assert (cells(report), report.incomplete) == ({"female": 12, "male": 12}, False)


async def test_L4_without_the_newer_log_every_week_since_the_copy_is_in_doubt(town: Town, ruin: MakeRuin) -> None:
    await answered(town, female=14, male=12)
    backup = await town.backup()
    await answered(town, female=20)
    new = await ruin()  # neither log nor journal of later
    assert (await new.restore(backup, keys=town.keys_of(backup), log_lost=True)).proved
    town.clock.forward(35 * DAY)
    async with new.opened() as house:
        report = await seen(house)
    assert (report.total, report.incomplete) == (None, True)
