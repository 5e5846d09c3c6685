"""Photos and recordings of somebody under the packs' age are closed until a parent agrees to them (G5, K3)."""

from datetime import date

import pytest

from omonat.base.errors import Refused
from omonat.base.instants import DAY, SECOND
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.use import UseRequest
from omonat.promises.children.rule import decide_images, latest_birth
from tests.erasure.stories import acts, one, ordered
from tests.flows.conftest import Shop
from tests.flows.test_children import officer, signed

PHOTO = "audio-visual.photo"


async def registered(shop: Shop, band: str, person: str | None = None, **more: str) -> CollectAnswer:
    items = {"contact.name": "Dilnoza Karimova", "contact.mobile": "+998907778899", "relationship.age-band": band}
    return await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["site"], service="registration", version="1", person=person,
            items=items | {name.replace("_", "."): value for name, value in more.items()}, consents={},
        )
    )  # fmt: skip


async def photographed(shop: Shop, person: str) -> CollectAnswer:
    return await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["site"], service="photo-release", version="1", person=person,
            items={PHOTO: "photo-0117.jpg", "compliance.consent": "release-7"}, consents={"publish-photo": True},
        )
    )  # fmt: skip


async def published(shop: Shop, person: str) -> dict[str, str]:
    """What marketing gets of a photo: the values, or why not."""
    if "press" not in shop.credentials:
        issued = await shop.house.clients.issue(name="press", source="site", roles=["marketing"])
        shop.credentials["press"] = parse_credential(issued)
    answer = await shop.house.use(
        UseRequest(
            credential=shop.credentials["press"], purpose="publish-photo", person=person, on_behalf_of="501",
            items=(PHOTO,),
        )
    )  # fmt: skip
    return {**answer.items, **{item: reason.code for item, reason in answer.withheld.items()}}


async def test_K3_a_photo_is_closed_once_an_age_under_the_law_is_told_and_a_parent_opens_it(shop: Shop) -> None:
    someone = await ordered(shop)
    await photographed(shop, someone.person)
    assert (await published(shop, someone.person))[PHOTO].endswith("0117.jpg")
    shop.clock.forward(SECOND)
    await registered(shop, "14-17", someone.person)
    assert await published(shop, someone.person) == {PHOTO: "images-need-parent"}
    with pytest.raises(Refused) as another:
        await photographed(shop, someone.person)
    assert another.value.code == "images-need-parent"
    sealed = bytes(await one(shop, "select images_closed from persons where id = $1", someone.person))
    assert b"20" not in sealed[:4] or len(sealed) > 30

    by, children = await officer(shop), shop.house.children
    shop.clock.forward(SECOND)
    await children.agree(signed(someone.person, scope="images"), by=by)
    assert (await published(shop, someone.person))[PHOTO].endswith("0117.jpg")
    await photographed(shop, someone.person)
    await registered(shop, "14-17", someone.person)
    assert (await published(shop, someone.person))[PHOTO].endswith("0117.jpg"), "said again, the parent's word stands"
    shop.clock.forward(SECOND)
    await children.take_back(someone.person, by=by, scope="images")
    assert await published(shop, someone.person) == {PHOTO: "images-need-parent"}
    assert await one(shop, "select quarantined_at from persons where id = $1", someone.person) is None
    assert await acts(shop, "guardian:") == ["guardian:consent:given", "guardian:consent:withdrawn"]


async def test_K3_who_is_old_enough_agrees_alone_and_whoever_grows_up_does_by_themself(shop: Shop) -> None:
    grown = await registered(shop, "18-24")
    await photographed(shop, grown.person)
    assert (await published(shop, grown.person))[PHOTO].endswith("0117.jpg")
    policy = await shop.house.grounds.law.current()
    today = policy.today(shop.clock.now)
    teenager = await registered(
        shop, "14-17", **{"relationship_birth-date": str(date(today.year - policy.images_under, 12, 28))}
    )
    with pytest.raises(Refused) as young:
        await photographed(shop, teenager.person)
    assert young.value.code == "images-need-parent"
    shop.clock.forward(40 * DAY if today.month == 12 else 400 * DAY)
    assert decide_images(date(2010, 12, 28), under=16, today=date(2026, 12, 27)).__class__.__name__ == "Deny"
    assert decide_images(date(2010, 12, 28), under=16, today=date(2026, 12, 28)).__class__.__name__ == "Allow"


async def test_K3_nothing_opens_when_nobody_can_tell_the_age_any_more(shop: Shop) -> None:
    someone = await ordered(shop)
    await photographed(shop, someone.person)
    pool = shop.house.grounds.database.pool
    await pool.execute("update persons set images_closed = 'x' where id = $1", someone.person)
    assert await published(shop, someone.person) == {PHOTO: "images-need-parent"}


async def test_K3_only_images_that_are_closed_are_a_parents_to_open(shop: Shop) -> None:
    someone, by = await ordered(shop), await officer(shop)
    with pytest.raises(Refused) as open_already:
        await shop.house.children.agree(signed(someone.person, scope="images"), by=by)
    assert open_already.value.code == "images-not-closed"
    await registered(shop, "14-17", someone.person)
    with pytest.raises(Refused) as data:
        await shop.house.children.agree(signed(someone.person), by=by)
    assert data.value.code == "not-quarantined", "a young person's data is their own"


def test_K3_of_all_that_a_form_tells_the_youngest_counts() -> None:
    today = date(2028, 2, 29)
    assert latest_birth([], today) is None
    assert latest_birth([14], today) == date(2014, 3, 1)
    assert latest_birth([date(2010, 5, 1), 14], today) == date(2014, 3, 1)
    assert latest_birth([date(2016, 5, 1), 14], today) == date(2016, 5, 1)
