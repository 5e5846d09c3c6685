"""Footage in which nobody is identified is nobody's; from the moment somebody is, their rules hold (K1, K2, K3)."""

import pytest

from omonat.base.errors import Refused
from omonat.base.instants import DAY, SECOND, Instant
from omonat.evidence.entry import decode
from omonat.flows.cases import PutCase
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.images import footage
from omonat.flows.staff import Registration
from omonat.flows.use import UseRequest
from tests.erasure.stories import one, ordered
from tests.flows.conftest import Shop
from tests.flows.test_images import registered

FOOTAGE = "audio-visual.camera-footage"


async def filmed(shop: Shop, person: str | None = None) -> CollectAnswer:
    if "recorder" not in shop.credentials:
        issued = await shop.house.clients.issue(name="recorder", source="camera", roles=["security"])
        shop.credentials["recorder"] = parse_credential(issued)
    return await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["recorder"], service="hall-cameras", version="1", person=person,
            items={FOOTAGE: "hall-2/2026-11-22T09-00.mp4"}, consents={},
        )
    )  # fmt: skip


async def refused(shop: Shop, person: str | None) -> str:
    with pytest.raises(Refused) as found:
        await filmed(shop, person)
    return found.value.code


async def counted(shop: Shop) -> list[int]:
    return [await one(shop, f"select count(*) from {table}") for table in ("persons", "records", "sections")]


async def test_K1_footage_of_nobody_makes_up_nobody_and_its_refusal_is_in_evidence(shop: Shop) -> None:
    someone = await ordered(shop)
    before = await counted(shop)
    for _ in range(2):
        assert await refused(shop, None) == "footage-of-nobody"
    assert await refused(shop, "per_" + "a" * 26) == "person-unknown"
    assert await counted(shop) == before
    bodies = await shop.house.grounds.database.pool.fetch(
        "select body from entries where act = 'collect:record:refused' order by at, txid"
    )
    entries = [decode(row["body"]) for row in bodies]
    assert [entry.facts["code"] for entry in entries].count("footage-of-nobody") == 2
    assert "hall-2" not in str([entry.facts for entry in entries])

    answer = await filmed(shop, someone.person)
    assert answer.person == someone.person
    due = await one(shop, "select due_at from records where id = $1", answer.record)
    assert due == shop.clock.now + 30 * DAY  # hall cameras: thirty days


async def test_K2_once_a_child_is_identified_in_it_it_is_closed_with_everything(shop: Shop) -> None:
    someone = await ordered(shop)
    await filmed(shop, someone.person)
    shop.clock.forward(SECOND)
    await shop.house.children.signal(someone.person, "staff", by="test")
    assert await refused(shop, someone.person) == "person-quarantined"
    assert await watched(shop, someone.person) == {"refused": "person-quarantined"}


async def test_K3_from_the_moment_an_age_under_sixteen_is_told_it_waits_for_a_parent(shop: Shop) -> None:
    someone = await ordered(shop)
    await filmed(shop, someone.person)
    shop.clock.forward(SECOND)
    assert (await watched(shop, someone.person))[FOOTAGE].startswith("hall-2")
    await registered(shop, "14-17", someone.person)
    assert await refused(shop, someone.person) == "images-need-parent"
    assert await watched(shop, someone.person) == {FOOTAGE: "images-need-parent"}


async def watched(shop: Shop, person: str) -> dict[str, str]:
    """What security gets of it in an incident: the values, or why not."""
    case = f"incident:{shop.clock.now}"
    guard = Registration(
        ref="801", name="Xodim 801", role="security", trained_until=Instant(shop.clock.now + 365 * DAY)
    )
    await shop.house.staff.put(guard, by="test")
    await shop.house.cases.put(
        PutCase(credential=shop.credentials["panel"], case=case, person=person, assigned=("801",))
    )
    try:
        answer = await shop.house.use(
            UseRequest(
                credential=shop.credentials["recorder"], purpose="premises-security", case=case, on_behalf_of="801",
                items=(FOOTAGE,),
            )
        )  # fmt: skip
    except Refused as denied:
        return {"refused": denied.code}
    return {**answer.items, **{item: reason.code for item, reason in answer.withheld.items()}}


async def test_K1_only_what_nobody_gives_of_their_own_will_is_footage(shop: Shop) -> None:
    policy = await shop.house.grounds.law.current()
    shown = [item for item in policy.items if item.startswith("audio-visual.")]
    assert footage(policy, shown) == (FOOTAGE,)
