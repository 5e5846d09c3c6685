"""A child's data that is found: closed at once for everybody, opened by a parent's verified consent, else gone (K2)."""

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from omonat.base.errors import BadInput, Fault, Refused
from omonat.base.instants import DAY, SECOND
from omonat.flows.children import Agreement
from omonat.flows.choose import Choosing
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.erase import ErasureRequest
from omonat.flows.use import UseRequest
from omonat.policy.packs import Pack, read_pack, shared_methods
from omonat.promises.children.consent import SIGNALS, decide_parental_consent
from omonat.promises.choice.standing import Kind, State
from tests.erasure.stories import acts, closed, delivered, hired, one, ordered, swept
from tests.erasure.test_erase import subscribed
from tests.flows.conftest import Shop

BIRTH = "relationship.birth-date"
PACKS = Path(__file__).parents[2] / "policies" / "packs"


def packs_of(name: str) -> list[Pack]:
    return [read_pack((PACKS / f"{name}.yaml").read_bytes())]


async def refused(shop: Shop, order: CollectAnswer) -> str:
    with pytest.raises(Refused) as caught:
        await delivered(shop, order)
    return caught.value.code


def signed(person: str, method: str = "signed-form", reference: str = "2026-114", **more: Any) -> Agreement:
    return Agreement(person=person, method=method, reference=reference, **more)


async def officer(shop: Shop) -> str:
    return await hired(shop, "901", "privacy-officer")


@pytest.mark.parametrize("signal", SIGNALS)
async def test_K2_any_signal_closes_the_data_for_every_purpose_at_once(shop: Shop, signal: str) -> None:
    order = await ordered(shop)
    assert (await delivered(shop, order)).items
    closed = await shop.house.children.signal(order.person, signal, by="test")
    assert closed.closed_at == shop.clock.now
    assert closed.until == shop.clock.now + 3 * DAY
    assert await refused(shop, order) == "person-quarantined"
    for purpose in (await shop.house.grounds.law.current()).purposes:
        with pytest.raises(Refused):
            await shop.house.use(UseRequest(credential=shop.credentials["site"], purpose=purpose, person=order.person))
    shop.clock.forward(SECOND)
    again = await shop.house.children.signal(order.person, signal, by="test")
    assert again.closed_at == closed.closed_at, "said again, the time to agree doesn't begin anew"
    assert await one(shop, "select count(*) from work_items where rule = 'child' and closed_at is null") == 1
    shop.clock.forward(3 * DAY)
    await swept(shop)
    assert await one(shop, "select cause from erasures") == "child"
    assert await acts(shop, "child:") == ["child:person:signalled"] * 2


@pytest.mark.parametrize(
    ("kind", "purpose", "no", "yes"),
    [
        ("consent", "marketing-email", "withdrawn", "given"),
        ("objection", "improve-services", "given", "withdrawn"),
        ("restriction", "", "given", "withdrawn"),
    ],
)
async def test_K2_a_yes_said_while_closed_does_not_wait_for_the_parents_consent(
    shop: Shop, kind: Kind, purpose: str, no: State, yes: State
) -> None:
    order, choose = await ordered(shop), shop.house.choose
    no_said = Choosing(person=order.person, kind=kind, purpose=purpose, state=no, door="me")
    yes_said = replace(no_said, state=yes)
    for said in (yes_said, no_said):
        shop.clock.forward(SECOND)
        await choose(said)
    await shop.house.children.signal(order.person, "parent", by="test")
    shop.clock.forward(SECOND)
    with pytest.raises(Refused) as told:
        await choose(yes_said)
    assert told.value.code == "person-quarantined"
    await choose(no_said)
    (last, *_) = await shop.house.my_data.choices(order.person)
    assert (last.kind, last.state, last.at) == (kind, no, shop.clock.now), "to refuse is always open"


async def test_K2_a_parents_consent_opens_it_and_taken_back_closes_it_again(shop: Shop) -> None:
    order, children = await ordered(shop), shop.house.children
    by = await officer(shop)
    with pytest.raises(Refused) as early:
        await children.agree(signed(order.person, "signed-form", "2026-114"), by=by)
    assert early.value.code == "not-quarantined"
    await children.signal(order.person, "parent", by="test")
    for method in ("e-mail", "", "payment"):
        with pytest.raises(Refused) as other:
            await children.agree(signed(order.person, method, "2026-114"), by=by)
        assert (other.value.code, other.value.about["methods"]) == ("consent-method-refused", "signed-form")
    with pytest.raises(BadInput):
        await children.agree(signed(order.person, "signed-form", " "), by=by)
    shop.clock.forward(SECOND)
    opened = await children.agree(signed(order.person, "signed-form", "2026-114"), by=by)
    assert (opened.closed_at, opened.until) == (None, None)
    assert (await delivered(shop, order)).items
    shop.clock.forward(SECOND)
    assert (await children.signal(order.person, "staff", by="test")).closed_at is None, "the parent has agreed"
    assert (await delivered(shop, order)).items
    shop.clock.forward(SECOND)
    assert (await children.take_back(order.person, by=by)).closed_at == shop.clock.now
    assert await refused(shop, order) == "person-quarantined"
    with pytest.raises(Refused) as twice:
        await children.take_back(order.person, by=by)
    assert twice.value.code == "no-parental-consent"
    assert b"2026-114" not in bytes(await one(shop, "select reference from guardian_consents"))
    shop.clock.forward(3 * DAY)
    await swept(shop)
    assert await one(shop, "select cause from erasures") == "child"


async def test_K2_a_consent_that_comes_while_the_sweeper_looks_keeps_the_data(shop: Shop) -> None:
    order, children = await ordered(shop), shop.house.children
    by = await officer(shop)
    await children.signal(order.person, "parent", by="test")
    shop.clock.forward(3 * DAY + SECOND)
    rounds: list[asyncio.Task[object]] = []

    async def sweeper_looks(_connection: Any, _opened: Any) -> None:
        rounds.append(asyncio.create_task(swept(shop)))
        await asyncio.sleep(0.5)  # it has read who is closed, and waits for the row

    await children.agree(signed(order.person), by=by, also=sweeper_looks)
    await rounds[0]
    assert await one(shop, "select count(*) from erasures") == 0
    assert (await delivered(shop, order)).items


async def test_K2_only_a_privacy_officer_in_office_opens_it(shop: Shop) -> None:
    order, children = await ordered(shop), shop.house.children
    await children.signal(order.person, "staff", by="test")
    courier = await hired(shop, "204", "courier")
    with pytest.raises(Refused, match="privacy-officer"):
        await children.agree(signed(order.person, "signed-form", "x"), by=courier)
    with pytest.raises(Refused, match="staff"):
        await children.agree(signed(order.person, "signed-form", "x"), by="999")
    assert await refused(shop, order) == "person-quarantined"


async def test_K2_a_childs_birth_date_in_a_form_closes_what_was_held_before(shop: Shop) -> None:
    order = await subscribed(shop)
    form = CollectRequest(
        credential=shop.credentials["site"], service="registration", version="1", person=order.person, consents={},
        items={**shop.order_items(), "relationship.birth-date": "2020-05-01"},
    )  # fmt: skip
    items = {name: value for name, value in form.items.items() if name.startswith(("contact.", "relationship."))}
    with pytest.raises((Refused, BadInput)) as told:
        await shop.house.collect(replace(form, items=items))
    assert told.value.code == "child"
    assert await one(shop, "select quarantined_at from persons where id = $1", order.person) == shop.clock.now
    assert await acts(shop, "child:") == ["child:person:signalled"]


async def test_K2_the_consent_goes_with_the_persons_row(shop: Shop) -> None:
    reader, children = await subscribed(shop), shop.house.children
    by = await officer(shop)
    await children.signal(reader.person, "staff", by="test")
    await children.agree(signed(reader.person, "signed-form", "2026-114"), by=by)
    await shop.house.erase(ErasureRequest(person=reader.person))
    await swept(shop)
    assert await one(shop, "select count(*) from guardian_consents") == 1, "part of the proof, as long as there is one"
    shop.clock.forward(4 * 366 * DAY)
    await swept(shop)
    assert await one(shop, "select count(*) from guardian_consents") == 0


def test_K2_a_method_must_be_listed_by_every_law_that_lists_any() -> None:
    uz, coppa, eu = packs_of("uz"), packs_of("us-coppa"), packs_of("eu")
    silent = [replace(eu[0], parental_consent={})]
    assert set(shared_methods(uz)) == {"signed-form"}
    assert set(shared_methods([*uz, *coppa])) == {"signed-form"}
    assert "payment" in shared_methods(coppa)
    assert shared_methods(silent) == {}
    assert type(decide_parental_consent(silent, "signed-form", quarantined=True)).__name__ == "CannotTell"
    assert type(decide_parental_consent([*uz, *silent], "signed-form", quarantined=True)).__name__ == "Allow"
    assert type(decide_parental_consent(coppa, "payment", quarantined=False)).__name__ == "Deny"


async def test_K2_a_birth_date_typed_as_a_correction_closes_the_person_like_any_other_signal(shop: Shop) -> None:
    order = await ordered(shop)
    assert (await delivered(shop, order)).items
    with pytest.raises(Refused) as told:
        await shop.house.correct.begin(order.person, order.record, BIRTH, "2018-03-01", language="en")
    assert told.value.code == "child"
    assert await refused(shop, order) == "person-quarantined"
    assert await acts(shop, "child:") == ["child:person:signalled"]
    assert await one(shop, "select rule from work_items where closed_at is null") == "child"


async def test_K2_a_childs_data_that_cannot_be_erased_keeps_nothing_else_that_is_due(shop: Shop) -> None:
    broken, child, due = await ordered(shop), await ordered(shop), await ordered(shop)
    await closed(shop, due)
    for order in (broken, child):
        await shop.house.children.signal(order.person, "staff", by="test")
        shop.clock.forward(SECOND)
    shop.clock.forward(400 * 10 * DAY)
    await shop.house.grounds.database.pool.execute(
        "update persons set evidence_slot = 999999999 where id = $1", broken.person
    )
    await shop.house.sweeper.confirm_clock(by="test")
    with pytest.raises((Fault, Refused)):
        await shop.house.sweeper.round()
    gone = await shop.house.grounds.database.pool.fetch("select id from persons where erased_at is not null")
    assert {row["id"] for row in gone} == {child.person, due.person}


async def test_K2_closed_though_a_consent_stands_it_opens_by_a_proof_and_the_consent_stays(shop: Shop) -> None:
    """As after a restore that couldn't tell what was lost: an officer looks again, and nothing breaks."""
    order, children, by = await ordered(shop), shop.house.children, await officer(shop)
    await children.signal(order.person, "staff", by="test")
    shop.clock.forward(SECOND)
    await children.agree(signed(order.person), by=by)
    await shop.house.grounds.database.pool.execute("update persons set quarantined_at = $1", shop.clock.now)
    assert await refused(shop, order) == "person-quarantined"
    shop.clock.forward(SECOND)
    await ordered(shop, contact_mobile="+998901112233")
    named = signed(order.person, reference="2026-115", guardian="90 111 22 33", born=date(2016, 3, 1))
    with pytest.raises(Refused) as told:
        await children.agree(named, by=by)
    assert told.value.code == "guardian-already-agreed"
    assert await refused(shop, order) == "person-quarantined"
    opened = await children.agree(signed(order.person, reference="2026-115"), by=by)
    assert opened.closed_at is None
    assert (await delivered(shop, order)).items
    assert await one(shop, "select count(*) from guardian_consents where withdrawn_at is null") == 1
    shop.clock.forward(SECOND)
    assert (await children.take_back(order.person, by=by)).closed_at == shop.clock.now
