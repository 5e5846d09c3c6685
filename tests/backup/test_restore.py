"""A restore brings back the living and none of the erased, and undoes nothing that was decided since."""

from collections.abc import Awaitable, Callable

import pytest

from omonat.base.errors import Refused
from omonat.flows.use import UseRequest
from omonat.house import House
from tests.backup.conftest import Ruin, Town

MakeRuin = Callable[[], Awaitable[Ruin]]
EMAIL = {"contact.email": "dilnoza@example.uz"}


async def for_marketing(house: House, town: Town, person: str) -> object:
    request = UseRequest(credential=town.shop.credentials["campaigns"], purpose="marketing-email", person=person)
    return await house.use(request)


async def test_C4_a_withdrawal_made_after_the_backup_stands_after_the_restore(town: Town, ruin: MakeRuin) -> None:
    person = await town.order(items=town.shop.order_items(**EMAIL))
    await town.choose(person, "consent", "given", "marketing-email")
    assert (await for_marketing(town.house, town, person)).items  # type: ignore[attr-defined]
    backup = await town.backup()
    await town.choose(person, "consent", "withdrawn", "marketing-email")
    await town.settle()

    new = await ruin()
    report = (
        await new.restore(backup, keys=town.place / "x", copies=(town.newest_of_home(),))
        if False
        else await new.restore(backup, keys=next(town.place.glob("keys-*/*")), copies=(town.newest_of_home(),))
    )
    print(report)
    assert report.proved
    async with new.opened() as house:
        with pytest.raises(Refused, match="consent"):
            await for_marketing(house, town, person)
