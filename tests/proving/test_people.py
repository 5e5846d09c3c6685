"""People made for a proving are gone when it ends, whoever sees them off."""

from omonat.proving.people import People
from tests.proving.conftest import Town


class Slow(People):
    """A run so slow that the service's own sweeper comes by after each case it closes."""

    async def close(self, case: str) -> None:
        await super().close(case)
        while (await self.house.sweeper.round()).more:
            pass


async def test_A1_the_sweeper_may_be_first_with_whoever_was_made_for_a_proving(town: Town) -> None:
    """With their case closed all is due that was held of them. The run cleans up all the same, the others too."""
    run = Slow(town.house, await town.house.grounds.law.current())
    await run.begin()
    swept, left = await run.guest(), await run.guest()
    await run.also_gave(left, next(s for s in run.services() if run.policy.services[s].case is None))
    assert await run.clean_up() == 1, "whoever has given more than their case needs is left to be seen off"
    gone = "select erased_at is not null from persons where id = $1"
    assert [await town.value(gone, guest.id) for guest in (swept, left)] == [True, True]
    assert await run.clean_up() == 0
