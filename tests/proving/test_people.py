"""People made for a proving are gone with the next run, whatever became of the one that made them."""

from omonat.proving.people import People
from tests.proving.conftest import Town


async def test_A1_the_sweeper_may_be_first_with_people_whom_a_run_that_was_cut_off_left_behind(town: Town) -> None:
    """With their case closed all is due that was held of them. The next run cleans up all the same, the others too."""
    cut_off = People(town.house, await town.house.grounds.law.current())
    await cut_off.begin()
    swept, left = await cut_off.guest(), await cut_off.guest()
    await cut_off.close(swept.case)
    while (await town.house.sweeper.round()).more:
        pass
    gone = "select erased_at is not null from persons where id = $1"
    assert [await town.value(gone, guest.id) for guest in (swept, left)] == [True, False]

    next_one = People(town.house, await town.house.grounds.law.current())
    assert await next_one.clean_up() == 1
    assert await town.value(gone, left.id)
    assert await next_one.clean_up() == 0
