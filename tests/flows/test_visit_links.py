"""A guest's way in: the link on a bill says what was recorded about the visit, and no value; and it ends (A3, C2)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import msgspec
import pytest

from omonat.base import failpoints
from omonat.base.errors import BadInput, Refused
from omonat.base.ids import new_id
from omonat.base.instants import DAY, HOUR, MINUTE, SECOND, Instant
from omonat.base.settings import Settings
from omonat.evidence.entry import Entry, encode
from omonat.flows.cases import CaseEvent, PutCase
from omonat.flows.choose import Choosing
from omonat.flows.collect import CollectAnswer
from omonat.flows.erase import ErasureRequest
from omonat.flows.letter_links import visit_link
from omonat.flows.visit_kept import kept_of, may_be_named, may_be_told
from omonat.flows.visit_links import LOOKED, MADE, VisitSeen
from omonat.house import open_house
from tests.erasure.stories import closed, delivered, one, ordered
from tests.faults.breaking import Failpoints
from tests.flows.conftest import Clock, Shop, furnish

NAMED = {
    "contact.name",
    "contact.mobile",
    "contact.postal-address",
    "contact.landmark",
    "transaction.order-lines",
    "transaction.amount",
}


async def linked(shop: Shop, order: CollectAnswer, by: str = "site") -> str:
    """What stands at the end of the address on the bill."""
    assert order.case is not None
    made = await shop.house.visit_links.make(shop.credentials[by], order.case)
    return made.address.rpartition("/")[2]


async def seen(shop: Shop, token: str) -> VisitSeen:
    found = await shop.house.visit_links.look(token)
    assert found is not None
    return found


def names(found: VisitSeen) -> set[str]:
    return {item for kept in found.kept for term in kept.terms for item in term.items}


async def entries(shop: Shop, person: str) -> tuple[Entry, ...]:
    return await shop.house.my_data.everybody_who_looked(person)


async def test_A3_the_bill_leads_to_what_was_recorded_why_until_when_and_who_looked(shop: Shop) -> None:
    order = await ordered(shop)
    token = await linked(shop, order)
    shop.clock.forward(MINUTE)
    assert (await delivered(shop, order)).items
    shop.clock.forward(MINUTE)
    found = await seen(shop, token)
    assert found.case == order.case
    assert names(found) == NAMED
    assert {kept.category for kept in found.kept} == {"contact", "transaction"}
    assert all("deliver-order" in kept.purposes for kept in found.kept if kept.category == "contact")
    assert all(term.due > shop.clock.now and term.factor for kept in found.kept for term in kept.terms)
    assert all(kept.came_from == "site" and kept.version == "1" for kept in found.kept)
    (used,) = found.looks
    assert (used.act, used.facts["purpose"], used.facts["role"]) == (
        "use:person:authorised",
        "deliver-order",
        "courier",
    )
    assert found.whole
    assert found.until == found.opened_at + 30 * DAY


async def test_B3_making_the_link_and_each_look_are_entries_of_the_persons_without_the_number(shop: Shop) -> None:
    order = await ordered(shop)
    token = await linked(shop, order)
    for times in (1, 2):
        shop.clock.forward(SECOND)
        assert (await seen(shop, token)).opened_by_link == times
    told = await entries(shop, order.person)
    assert [entry.act for entry in told if entry.act in {MADE, LOOKED}] == [LOOKED, LOOKED, MADE]
    for entry in told[:3]:
        for secret in (order.case or "", token, "Dilnoza", "901234567"):
            assert secret.encode() not in encode(entry)
    assert set(told[0].facts["items"]) == NAMED
    assert await one(shop, "select count(*) from records") == 1, "looking changed something"


async def test_S6_the_link_says_nothing_and_is_never_twice_the_same(shop: Shop) -> None:
    order = await ordered(shop)
    first, second = await linked(shop, order), await linked(shop, order)
    assert first != second
    for token in (first, second):
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        for plain in ((order.case or "").encode(), b"41877", order.person.encode(), order.person[4:].encode()):
            assert plain not in raw
        assert (await seen(shop, token)).case == order.case


async def test_S6_a_forged_altered_or_foreign_link_shows_nothing_and_leaves_nothing(shop: Shop, street: Shop) -> None:
    order = await ordered(shop)
    token = await linked(shop, order)
    before = await entries(shop, order.person)
    raw = bytearray(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    forged = [token[:-1], token + "A", token[:40], "", "A" * 120, "A" * 5000, "../" + token, f"{token}\n", "ʼ" * 80]
    for place in range(0, len(raw), 7):
        changed = bytes(byte ^ (1 if place == at else 0) for at, byte in enumerate(raw))
        forged.append(urlsafe_b64encode(changed).rstrip(b"=").decode())
    foreign = street.house.grounds.vault
    forged.append(visit_link(foreign, order.case or "", order.person, Instant(shop.clock.now + 30 * DAY)))
    for each in forged:
        assert await shop.house.visit_links.look(each) is None, each
        assert await shop.house.visit_links.about(each) is None, each
    assert await entries(shop, order.person) == before
    assert (await seen(shop, token)).case == order.case


async def test_S6_the_link_of_one_bill_shows_no_other_visit_and_nobody_elses(shop: Shop) -> None:
    mine = await ordered(shop)
    again = await ordered(shop, person=mine.person)
    theirs = await ordered(shop, contact_mobile="+998907770011")
    tokens = {order.record: await linked(shop, order) for order in (mine, again, theirs)}
    shop.clock.forward(SECOND)
    await delivered(shop, again)
    await delivered(shop, theirs)
    shop.clock.forward(SECOND)
    found = {record: await seen(shop, token) for record, token in tokens.items()}
    assert [len(found[order.record].looks) for order in (mine, again, theirs)] == [0, 1, 1]
    assert [found[order.record].opened_by_link for order in (mine, again, theirs)] == [1, 1, 1]
    assert [found[order.record].case for order in (mine, again, theirs)] == [mine.case, again.case, theirs.case]


async def test_S6_a_number_that_came_back_as_somebody_elses_shows_the_old_bill_nothing(shop: Shop) -> None:
    mine, theirs = await ordered(shop), await ordered(shop, contact_mobile="+998907770012")
    token = visit_link(shop.house.grounds.vault, theirs.case or "", mine.person, Instant(shop.clock.now + DAY))
    assert await shop.house.visit_links.look(token) is None
    assert await shop.house.visit_links.about(token) is None
    assert LOOKED not in [entry.act for entry in await entries(shop, theirs.person)]


async def test_R3_the_link_ends_by_itself(shop: Shop) -> None:
    order = await ordered(shop)
    token = await linked(shop, order)
    shop.clock.forward(30 * DAY - SECOND)
    assert await shop.house.visit_links.look(token) is not None
    shop.clock.forward(SECOND)
    assert await shop.house.visit_links.look(token) is None
    assert await shop.house.visit_links.about(token) is None


async def test_R3_what_is_due_is_not_named_from_its_second_and_then_nothing_is(shop: Shop) -> None:
    order = await ordered(shop)
    await shop.house.cases.event(
        CaseEvent(credential=shop.credentials["panel"], case=order.case or "", name="case-closed")
    )
    token = await linked(shop, order)
    found = await seen(shop, token)
    first = min((term for kept in found.kept for term in kept.terms), key=lambda term: term.due)
    shop.clock.now = Instant(first.due - SECOND)
    far = visit_link(shop.house.grounds.vault, order.case or "", order.person, Instant(first.due + 3650 * DAY))
    assert names(await seen(shop, far)) == names(found)
    shop.clock.now = first.due
    assert names(await seen(shop, far)) == names(found) - set(first.items)
    shop.clock.now = Instant(max(term.due for kept in found.kept for term in kept.terms))
    assert await shop.house.visit_links.look(far) is None


@pytest.mark.parametrize("ending", ["erased", "restricted", "child"])
async def test_C2_who_was_erased_limited_the_use_or_is_closed_as_a_child_is_shown_to_nobody(
    shop: Shop, ending: str
) -> None:
    order = await ordered(shop)
    token = await linked(shop, order)
    assert await shop.house.visit_links.look(token) is not None
    shop.clock.forward(SECOND)
    if ending == "erased":
        await shop.house.erase(ErasureRequest(person=order.person))
    elif ending == "restricted":
        await shop.house.choose(Choosing(person=order.person, kind="restriction", state="given"))
    else:
        await shop.house.children.signal(order.person, "parent", by="test")
    assert await shop.house.visit_links.look(token) is None
    assert await shop.house.visit_links.about(token) is None
    with pytest.raises(Refused) as refused:
        await linked(shop, order)
    assert refused.value.code == "visit-unknown"


async def test_C2_a_limit_that_is_lifted_opens_the_link_again(shop: Shop) -> None:
    order = await ordered(shop)
    token = await linked(shop, order)
    for state, shown in (("given", False), ("withdrawn", True)):
        shop.clock.forward(SECOND)
        await shop.house.choose(Choosing(person=order.person, kind="restriction", state=state))  # type: ignore[arg-type]
        assert (await shop.house.visit_links.look(token) is not None) is shown


async def test_R3_what_is_named_is_what_the_person_themselves_sees_whatever_was_deleted(shop: Shop) -> None:
    order = await ordered(shop)
    token = await linked(shop, order)
    named = []
    for step in ("open", "item", "closed", "record"):
        shop.clock.forward(SECOND)
        if step == "item":
            await shop.house.erase(ErasureRequest(person=order.person, items=("contact.landmark",)))
        elif step == "closed":
            await closed(shop, order)
        elif step == "record":
            await shop.house.erase(ErasureRequest(person=order.person, record=order.record))
        named.append(names(await seen(shop, token)))
        assert named[-1] == set((await shop.house.my_data(order.person)).newest()), step
    assert named[0] == named[1] == NAMED  # the courier needs the landmark until the order is done
    assert "contact.landmark" not in named[2]


async def test_D2_a_special_category_of_data_is_not_even_named(shop: Shop) -> None:
    policy, now = await shop.house.grounds.law.current(), shop.clock.now
    views, interests = "relationship.political-views", "relationship.interests"
    row = {
        "service": "survey", "category": "relationship", "source": "site", "collected_at": now, "anchors": None,
        "standing": None, "opened_at": now, "closed_at": None, "case_anchors": None,
    }  # fmt: skip
    found = kept_of(policy, row, {views, interests}, version="1", now=now)
    assert found is not None
    assert [item for term in found.terms for item in term.items] == [interests]
    assert kept_of(policy, row, {views}, version="1", now=now) is None
    assert not may_be_named(policy, views)
    assert not may_be_named(policy, "relationship.unheard-of")


async def test_D2_a_look_at_nothing_but_special_items_is_not_told_nor_what_it_was_for(shop: Shop) -> None:
    order = await ordered(shop)
    token = await linked(shop, order)
    shop.clock.forward(MINUTE)
    await looked(shop, order, "survey", "relationship.political-views")
    assert (await seen(shop, token)).looks == ()
    shop.clock.forward(MINUTE)
    await looked(shop, order, "deliver-order", "contact.name")
    assert [entry.facts["purpose"] for entry in (await seen(shop, token)).looks] == ["deliver-order"]
    assert sum(entry.act.startswith("use:") for entry in await entries(shop, order.person)) == 2


async def test_D2_a_refused_use_is_told_by_what_it_was_refused(shop: Shop) -> None:
    policy, views = await shop.house.grounds.law.current(), "relationship.political-views"
    for facts, told in (
        ({"purpose": "survey", "allowed": [], "withheld": {"consent-missing": [views]}}, False),
        ({"purpose": "survey", "allowed": [], "withheld": {"consent-missing": [views, "contact.name"]}}, True),
        ({"purpose": "deliver-order", "allowed": [], "withheld": {}}, True),
        ({"purpose": "unheard-of", "allowed": [], "withheld": {}}, False),
    ):
        assert may_be_told(policy, facts) is told, facts


async def looked(shop: Shop, order: CollectAnswer, purpose: str, *items: str) -> None:
    """An entry of a use of exactly this in the visit: the demo's company uses no special items in a case."""
    grounds, entry = shop.house.grounds, new_id("ev")
    slot = await one(shop, "select evidence_slot from persons where id = $1", order.person)
    whose = grounds.vault.commitment(
        evidence_slot=slot, entry=entry, field="person", value=f"{order.person} {order.case}"
    )
    facts = {"purpose": purpose, "role": "courier", "allowed": list(items), "withheld": {}, "person": whose}
    await grounds.journal.submit(Entry(entry, shop.clock.now, "use:person:authorised", facts, (order.person,)))


async def test_S4_only_a_system_that_keeps_such_cases_gets_a_link_and_a_refusal_is_an_entry(shop: Shop) -> None:
    order = await ordered(shop)
    links = shop.house.visit_links
    for by, case, code in (
        ("site", "order:unknown-1", "visit-unknown"),
        ("site", "call:77", "source-not-named"),
        ("campaigns", "order:unknown-1", "visit-unknown"),
    ):
        with pytest.raises(Refused) as refused:
            await links.make(shop.credentials[by], case)
        assert refused.value.code == code, (by, case)
    with pytest.raises(BadInput):
        await links.make(shop.credentials["site"], "order")
    assert await linked(shop, order, by="panel")
    await shop.house.cases.put(PutCase(credential=shop.credentials["panel"], case="order:empty-1"))
    with pytest.raises(Refused) as nobody:
        await links.make(shop.credentials["panel"], "order:empty-1")
    assert nobody.value.code == "visit-unknown"


async def test_S6_a_paper_that_lies_about_does_not_fill_the_log(shop: Shop) -> None:
    order = await ordered(shop)
    token = await linked(shop, order)
    for _ in range(60):
        assert await shop.house.visit_links.look(token) is not None
    with pytest.raises(Refused) as refused:
        await shop.house.visit_links.look(token)
    assert refused.value.code == "too-many-looks"
    looks = [entry for entry in await entries(shop, order.person) if entry.act == LOOKED]
    assert len(looks) == 60
    shop.clock.forward(HOUR)
    assert (await seen(shop, token)).opened_by_link == 61


async def test_S6_one_address_that_tries_many_bills_is_slowed(shop: Shop) -> None:
    order = await ordered(shop)
    tokens = [await linked(shop, each) for each in (order, *[await ordered(shop, person=order.person) for _ in "ab"])]
    for turn in range(120):
        assert await shop.house.visit_links.look(tokens[turn % 3], caller="203.0.113.9") is not None
    with pytest.raises(Refused) as refused:
        await shop.house.visit_links.look(tokens[0], caller="203.0.113.9")
    assert refused.value.code == "too-many-looks"
    assert await shop.house.visit_links.look(tokens[0], caller="203.0.113.10") is not None


@pytest.mark.parametrize("where", ["visit.read", "visit-link.recorded"])
async def test_S1_without_evidence_there_is_no_page_and_no_link(shop: Shop, tmp_path: Path, where: str) -> None:
    order = await ordered(shop)
    token = await linked(shop, order)
    before = [entry.id for entry in await entries(shop, order.person)]
    marked = tmp_path / "marked"
    marked.mkdir(mode=0o700)
    (marked / failpoints.MARK).touch()
    faults = Failpoints(tmp_path / "faults")
    failpoints.arm(faults.control, marked)
    try:
        faults.arm(where, "raise")
        with pytest.raises(failpoints.Tripped):
            await (seen(shop, token) if where == "visit.read" else linked(shop, order))
    finally:
        failpoints.arm(None, marked)
    assert [entry.id for entry in await entries(shop, order.person)] == before


async def test_R3_the_term_of_the_link_is_a_setting(settings: Settings, clock: Clock) -> None:
    async with open_house(msgspec.structs.replace(settings, visit_link_days=2), clock=clock) as house:
        other = await furnish(house, clock)
        made = await house.visit_links.make(other.credentials["site"], (await ordered(other)).case or "")
        assert made.until == clock.now + 2 * DAY
        assert made.address.startswith("http://localhost:8600/me/visit/")
