"""The checkers of what duties keep find what they are there for, and nothing else (I6)."""

from typing import Any

import asyncpg
import pytest

from omonat.base.instants import DAY
from omonat.flows.erase import ErasureRequest
from omonat.vault.vault import Vault
from tests.erasure.stories import closed, ordered, swept
from tests.erasure.test_holds import officers, placed
from tests.faults.duties import KEPT, TAXED, Duties, Held, opened
from tests.faults.model import Operation
from tests.flows.conftest import Shop, clock, house, settings, shop

__all__ = ["clock", "house", "settings", "shop"]


class Story:
    """Somebody whose order is held and closed, and who is erased, as the clients of the loop remember it."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.owner: asyncpg.Pool = shop.house.grounds.database.pool
        self.vault: Vault = shop.house.grounds.vault
        self.duties = Duties(None)  # type: ignore[arg-type]  # nothing is asked of the town

    async def tell(self) -> None:
        await officers(self.shop)
        order = await ordered(self.shop)
        hold = await placed(self.shop, "person", order.person)
        await self.shop.house.holds.approve(hold.id, by="902")
        await closed(self.shop, order)
        await swept(self.shop)
        sent = dict(await opened(self.owner, self.vault, order.person))
        assert sent.keys() > {*KEPT}
        told = Operation("collect", None, 0.0, sent=sent, answer={"person": order.person}, outcome="ok")
        await self.shop.house.erase(ErasureRequest(person=order.person))
        await swept(self.shop)
        self.held = Held(hold.id, told, erased=True)
        self.duties.held.append(self.held)

    async def end(self) -> None:
        self.held.ending = True
        await self.shop.house.holds.end(self.held.id, by="901")
        await self.shop.house.holds.approve(self.held.id, by="902")
        self.held.over = True

    async def found(self) -> list[str]:
        owner: Any = self.owner
        return await self.duties.lost(owner, self.vault) + await self.duties.outlived(owner, self.vault)


@pytest.fixture
async def story(shop: Shop) -> Story:
    story = Story(shop)
    await story.tell()
    return story


async def test_R2_what_is_held_is_there_and_when_the_hold_is_over_the_rest_goes(story: Story) -> None:
    assert await story.found() == []
    await story.end()
    assert "outlived a hold" in str(await story.found()), "before the sweep"
    await swept(story.shop)
    assert await story.found() == []
    assert (await opened(story.owner, story.vault, story.held.person)).keys() == {*KEPT}  # type: ignore[arg-type]


async def test_R2_an_item_that_a_hold_should_have_kept_is_missed(story: Story) -> None:
    await story.owner.execute("delete from sections where person = $1 and category = 'contact'", story.held.person)
    found = await story.found()
    assert "contact.mobile was held and is lost" in found
    assert TAXED not in str(found)


async def test_R2_what_a_rule_should_have_kept_is_missed(story: Story) -> None:
    await story.end()
    await swept(story.shop)
    story.duties.taxed[story.held.person] = story.held.order
    assert await story.found() == []
    story.shop.clock.forward(40 * DAY)  # the time for disputes is over, which the checker doesn't know
    await swept(story.shop)
    assert await story.found() == [f"{item} was kept by a rule and is lost" for item in KEPT if item != TAXED]
