"""Many who choose at the same time share a transaction, and each is answered as if alone (C2, C3)."""

import asyncio
from itertools import count

import pytest

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import SECOND
from omonat.flows.choose import Choosing
from tests.adversary.conftest import ordered
from tests.flows.conftest import Shop

PURPOSE = "marketing-email"
_NUMBERS = count()


async def reader(shop: Shop) -> str:
    given = {"contact.email": f"reader-{next(_NUMBERS)}@example.uz", "contact.name": "Dilnoza Karimova"}
    person = (await ordered(shop, service="newsletter", case=None, items=given, consents={PURPOSE: True})).person
    shop.clock.forward(SECOND)
    return person


def leaving(person: str, purpose: str = PURPOSE) -> Choosing:
    return Choosing(person=person, kind="consent", state="withdrawn", purpose=purpose, channel="email", door="mail")


async def consents(shop: Shop, person: str) -> frozenset[str]:
    return (await shop.house.my_data.standing(person)).consents


async def entries(shop: Shop, person: str) -> list[str]:
    rows = await shop.house.grounds.database.pool.fetch(
        "select e.id from ledger l join entries e on e.id = l.entry where l.person = $1 and e.act = $2",
        person, "choice:consent:withdrawn",
    )  # fmt: skip
    return [row["id"] for row in rows]


async def test_C3_who_leaves_together_has_each_an_entry_of_their_own_and_a_refusal_is_its_askers_alone(
    shop: Shop,
) -> None:
    people = [await reader(shop) for _ in range(5)]
    stays = await reader(shop)
    nobody = "per_" + "a" * 26
    answers = await asyncio.gather(
        *(shop.house.choose(leaving(person)) for person in people),
        shop.house.choose(leaving(nobody)),
        shop.house.choose(leaving(people[0], "no-such-purpose")),
        return_exceptions=True,
    )
    assert isinstance(answers[-2], Refused)
    assert answers[-2].code == "person-unknown"
    assert isinstance(answers[-1], BadInput)
    for person, receipt in zip(people, answers, strict=False):
        assert not isinstance(receipt, BaseException)
        assert await entries(shop, person) == [receipt.id]
        assert PURPOSE not in await consents(shop, person)
    assert PURPOSE in await consents(shop, stays)
    assert await entries(shop, stays) == []


async def test_C3_nobody_waits_for_a_person_whom_somebody_else_holds(shop: Shop) -> None:
    held, free = await reader(shop), await reader(shop)
    async with shop.house.grounds.database.transaction() as connection:
        await connection.execute("select from persons where id = $1 for update", held)
        late = asyncio.ensure_future(shop.house.choose(leaving(held)))
        await asyncio.wait_for(shop.house.choose(leaving(free)), 5)
        await asyncio.sleep(0.1)
        assert not late.done()
        assert PURPOSE in await consents(shop, held)
    await late
    assert PURPOSE not in await consents(shop, held)


async def test_C2_who_chooses_twice_at_once_has_both_written_one_after_the_other(shop: Shop) -> None:
    person = await reader(shop)
    restriction = Choosing(person=person, kind="restriction", state="given")
    await asyncio.gather(shop.house.choose(leaving(person)), shop.house.choose(restriction))
    assert {choice.kind for choice in await shop.house.my_data.choices(person) if choice.door != "site"} >= {
        "consent",
        "restriction",
    }
    standing = await shop.house.my_data.standing(person)
    assert standing.restricted_at is not None
    assert PURPOSE not in standing.consents


async def test_C3_a_consent_in_doubt_is_taken_back_and_leaving_twice_writes_once(shop: Shop) -> None:
    person = await reader(shop)
    await shop.house.grounds.database.pool.execute(
        "update persons set standing = standing || $2 where id = $1", person, {"doubt": [PURPOSE]}
    )
    assert PURPOSE not in await consents(shop, person)
    receipt = await shop.house.choose.end(person, PURPOSE, channel="email", door="mail")
    assert receipt is not None
    assert await entries(shop, person) == [receipt.id]
    standing = await shop.house.grounds.database.pool.fetchval("select standing from persons where id = $1", person)
    assert PURPOSE not in standing.get("consents", {})
    assert PURPOSE not in standing.get("doubt", ())
    assert PURPOSE in standing["withdrawn"]
    assert await shop.house.choose.end(person, PURPOSE, channel="email", door="mail") is None
    assert len(await entries(shop, person)) == 1


@pytest.mark.parametrize("letters", ["of-this-purpose", "of-another"])
async def test_C3_leaving_waits_for_a_letter_that_is_being_handed_over_and_for_no_other(
    shop: Shop, letters: str
) -> None:
    person = await reader(shop)
    pool = shop.house.grounds.database.pool
    purpose = PURPOSE if letters == "of-this-purpose" else "deliver-order"
    await pool.execute(
        "insert into outbox (id, person, template, class, channel, purpose, address_item, language, facts, state,"
        " due_at, created_at) values ('msg_under_way', $1, 'newsletter-welcome', 'marketing', 'email', $2,"
        " 'contact.email', 'uz', '{}', 'handing-over', $3, $4)",
        person, purpose, shop.clock() + 60 * SECOND, shop.clock(),
    )  # fmt: skip
    going = asyncio.ensure_future(shop.house.choose(leaving(person)))
    await asyncio.sleep(0.3)
    assert PURPOSE not in await consents(shop, person)
    again = asyncio.ensure_future(shop.house.choose.end(person, PURPOSE, channel="email", door="mail"))
    await asyncio.sleep(0.2)
    assert {going.done(), again.done()} == {letters == "of-another"}
    await pool.execute("update outbox set state = 'sent', settled_at = $1", shop.clock())
    await going
    assert await again is None
