"""Somebody new outside gets nothing of old data until each was told of them; the telling doesn't wait (P2, T1)."""

from functools import partial

from omonat.base.instants import SECOND
from omonat.flows.send import TELLING_WAIT
from omonat.flows.use import UseRequest
from omonat.promises.messages import Channel, Message, put
from tests.flows.conftest import document
from tests.notice.conftest import LONGEST, Town
from tests.notice.test_foresee import after

MAIL, LATER_MAIL = "dilnoza@mail.example", "sardor@mail.example"
CARRIER = "en: Mail provider}\n    kind: processor\n    country: "
ABROAD = document(**{'version: "1"': 'version: "2"', f"{CARRIER}uz": f"{CARRIER}de"})

_REST = "      - survey-invitation\n    items: [contact.email, contact.name]"
BY_NOBODY = document(**{'version: "1"': 'version: "2"', f"      - marketing-email\n{_REST}": _REST})


async def written(town: Town, person: str, **changed: object) -> None:
    """A letter of the newsletter they asked for, or another."""
    values: dict[str, object] = {
        "person": person, "template": "newsletter-welcome", "purpose": "marketing-email", "channel": Channel.EMAIL,
        "address_item": "contact.email", "language": "en", "params": {}, **changed,
    }  # fmt: skip
    letter = Message(**values)  # type: ignore[arg-type]
    slot = await town.one("select slot from persons where id = $1", person)
    seal = partial(town.house.grounds.vault.seal_value, slot=slot)
    async with town.house.grounds.database.transaction() as connection:
        await put(connection, letter, now=town.clock.now, seal=seal)


async def became(town: Town, person: str) -> list[str]:
    """What became of their letters of the newsletter, in the order they were written."""
    rows = await town.rows(
        "select state, code from outbox where person = $1 and template = 'newsletter-welcome' order by created_at, id",
        person,
    )
    return [row["code"] or row["state"] for row in rows]


async def test_P2_a_carrier_that_moved_abroad_gets_no_address_until_its_owner_was_told_and_carries_the_notice(
    town: Town,
) -> None:
    before = (await town.subscribed(MAIL)).person
    await written(town, before)
    await town.posted()
    assert await became(town, before) == ["sent"]

    await town.publish(ABROAD)
    since = (await town.subscribed(LATER_MAIL, version="2")).person
    for person in (before, since):
        town.clock.forward(SECOND)
        await written(town, person)
    await town.posted()
    assert await became(town, before) == ["sent", "recipient-not-told-yet"]
    assert await became(town, since) == ["sent"], "who gave it under the new version was told by its form"

    await town.rounds()
    await town.posted()
    assert "compare/1..2" in town.catcher.newest(MAIL)[0].text, "the notice goes by the very carrier it is about"
    town.clock.forward(LONGEST)
    await town.rounds()
    assert await town.one("select told from persons where id = $1", before) == 2
    await written(town, before)
    await town.posted()
    assert await became(town, before) == ["sent", "recipient-not-told-yet", "sent"]


async def test_P2_an_answer_somebody_waits_for_goes_once_they_were_told_who_carries_it(town: Town) -> None:
    asked = (await town.asked(**{"contact.email": MAIL})).person
    case = await town.one("select id from cases where person = $1", asked)
    await town.publish(ABROAD)
    town.clock.forward(SECOND)
    await written(town, asked, template="information-request-answer", purpose="answer-inquiry", case=case,
                  params={"request": "1", "answer": "Qirq kishilik"})  # fmt: skip
    await town.posted()
    assert await town.rows("select state, code from outbox where template = 'information-request-answer'") == [
        ("waiting", "recipient-not-told-yet")
    ]
    await town.rounds()
    await town.posted()
    town.clock.forward(LONGEST)
    await town.rounds()
    town.clock.forward(TELLING_WAIT)
    await town.posted()
    assert await town.one("select state from outbox where template = 'information-request-answer'") == "sent"


async def test_T1_what_goes_outside_says_to_whom_and_goes_to_nobody_the_policy_doesnt_name(town: Town) -> None:
    person = (await town.subscribed(MAIL)).person
    await written(town, person)
    await town.posted()
    page = await town.house.my_data.who_looked(person)
    handed = [entry.facts["recipient"] for entry in page.entries if "recipient" in entry.facts]
    assert handed == ["mail-provider"]

    answer = await town.house.use(
        UseRequest(
            credential=await town.house.inner_credential("outbox"), purpose="marketing-email", person=person,
            items=("contact.email",), recipient="payment-provider",
        )
    )  # fmt: skip
    assert answer.items == {}
    assert answer.withheld["contact.email"].code == "recipient-not-registered"


async def test_P1_a_simulation_says_which_letters_would_wait_for_the_telling(town: Town) -> None:
    await written(town, (await town.subscribed(MAIL)).person)
    await town.posted()
    *_, abroad = await after(town, ABROAD)
    *_, nobody = await after(town, BY_NOBODY)
    found = {(one.purpose, one.role): one for one in await town.house.foresee.simulate(abroad)}
    letters = found["marketing-email", "system"]
    assert (letters.uses, letters.waiting, letters.codes) == (1, 1, (("recipient-not-told-yet", 1),))
    found = {(one.purpose, one.role): one for one in await town.house.foresee.simulate(nobody)}
    letters = found["marketing-email", "system"]
    assert (letters.refused, letters.codes) == (1, (("recipient-not-registered", 1),))


async def test_P2_a_carrier_that_went_abroad_and_came_back_is_told_of_and_cuts_nobody_off(
    town: Town,
) -> None:
    before = (await town.subscribed(MAIL)).person
    await town.publish(ABROAD)
    town.clock.forward(SECOND)
    await town.publish(ABROAD.replace('version: "2"', 'version: "3"').replace(f"{CARRIER}de", f"{CARRIER}uz"))
    for _ in range(3):
        await town.rounds()
        await town.posted()
        town.clock.forward(LONGEST)
    assert await town.one("select told from persons where id = $1", before) == 3
    await written(town, before)
    await town.posted()
    assert await became(town, before) == ["sent"]


async def test_P2_who_moves_a_carrier_cant_buy_its_letters_out_of_the_telling_by_the_same_version(town: Town) -> None:
    order = await town.ordered(email=MAIL)
    waits = "    cases: [order, return]\n    needs: [contact.mobile]\n    may-use: [contact.name, contact.email]"
    await town.publish(
        document(**{'version: "1"': 'version: "2"', f"{CARRIER}uz": f"{CARRIER}de",
                    waits: waits.replace("cases: [order, return]", "cases: []")})
    )  # fmt: skip
    town.clock.forward(SECOND)
    answer = await town.house.use(
        UseRequest(
            credential=await town.house.inner_credential("outbox"), purpose="order-messages", person=order.person,
            items=("contact.email",), recipient="mail-provider",
        )
    )  # fmt: skip
    assert answer.withheld["contact.email"].code == "not-told-yet"
