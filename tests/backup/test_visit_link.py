"""A link on a bill after a restore: it leads where it led, and to nobody who was erased since the copy (A3, R3)."""

from collections.abc import Awaitable, Callable

from omonat.base.instants import SECOND
from tests.backup.conftest import Ruin, Town, erase

MakeRuin = Callable[[], Awaitable[Ruin]]


async def test_R3_a_link_from_before_opens_again_and_shows_nobody_who_was_erased_since(
    town: Town, ruin: MakeRuin
) -> None:
    gone, stays = await town.order(), await town.order(mobile="+998901112299")
    tokens = {}
    for person in (gone, stays):
        case = await town.house.grounds.database.pool.fetchval("select id from cases where person = $1", person)
        made = await town.house.visit_links.make(town.shop.credentials["site"], case)
        tokens[person] = made.address.rpartition("/")[2]
        assert await town.house.visit_links.look(tokens[person]) is not None
    backup = await town.backup()
    town.clock.forward(SECOND)
    await erase(town, gone)
    await town.settle()
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))
    assert report.proved
    async with new.opened() as house:
        assert await house.visit_links.look(tokens[gone]) is None
        found = await house.visit_links.look(tokens[stays])
        assert found is not None
        assert found.kept
