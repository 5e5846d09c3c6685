"""Whom a campaign reaches: weighed person by person as it is planned, and asked again as each letter leaves (U5, C3).

Each story makes one person who is not to be written to, beside one who is.
"""

from collections.abc import Awaitable, Callable

import msgspec
import pytest

from omonat.flows.choose import Telling
from omonat.flows.erase import ErasureRequest
from omonat.promises.campaigns.rule import Texts
from omonat.promises.choice.standing import Choice, applied
from omonat.promises.messages import Channel
from tests.campaigns.conftest import MARKETER, chosen, invited, plan, running, sent, written
from tests.notice.conftest import Town, second_version

Act = Callable[[Town, str], Awaitable[object]]
INVITED = "may-use: [contact.name, contact.mobile]\n    messages: survey\n    channels: [email, sms]"
INVITED_BY_LETTER = "may-use: [contact.name]\n    messages: survey\n    channels: [email]"
SURVEY = {"purpose": "survey-invitation", "channel": Channel.SMS, "texts": Texts(text="Uch savol")}


async def restricted(town: Town, person: str) -> None:
    await chosen(town, person, "restriction", "given")


async def withdrawn(town: Town, person: str) -> None:
    await chosen(town, person, "consent", "withdrawn")


async def a_child(town: Town, person: str) -> None:
    await town.house.children.signal(person, "parent", by="test")


async def erased(town: Town, person: str) -> None:
    await town.house.erase(ErasureRequest(person=person))


async def objected(town: Town, person: str) -> None:
    """As a version left it in which the purpose was an interest of the company's own."""
    standing = await town.one("select standing from persons where id = $1", person)
    no = Choice(kind="objection", purpose="marketing-email", state="given", version=1, at=town.clock.now)
    await town.rows("update persons set standing = $2 where id = $1", person, applied(standing, no))


WEIGHED = {
    "person-restricted": restricted,
    "consent-withdrawn": withdrawn,
    "person-quarantined": a_child,
    "person-erased": erased,
    "objected": objected,
}


@pytest.mark.parametrize(("reason", "act"), WEIGHED.items())
async def test_U5_who_may_not_be_written_to_is_counted_by_the_reason_and_gets_nothing(
    town: Town, reason: str, act: Act
) -> None:
    reader = await town.subscribed("reader@mail.example")
    other = await town.subscribed("other@mail.example")
    await act(town, other.person)
    assert (await running(town)).counted == {reason: 1, "permitted": 1}
    await written(town)
    await sent(town)
    assert [letter.to for letter in town.catcher.newest()] == ["reader@mail.example"]
    assert await town.rows("select person from outbox where once like 'campaign:%'") == [(reader.person,)]


@pytest.mark.parametrize("act", [act for reason, act in WEIGHED.items() if reason != "objected"])
async def test_C3_a_letter_already_written_stays_here_for_who_may_not_be_written_to_any_more(
    town: Town, act: Act
) -> None:
    await town.subscribed("reader@mail.example")
    other = await town.subscribed("other@mail.example")
    await running(town)
    await written(town)
    assert await town.one("select count(*) from outbox where once like 'campaign:%'") == 2
    await act(town, other.person)
    await sent(town)
    assert [letter.to for letter in town.catcher.newest()] == ["reader@mail.example"]


async def test_P2_who_was_not_told_of_what_is_new_is_not_written_to_and_then_is(town: Town) -> None:
    mobile = "+998901112233"
    reader = await invited(town, "reader@mail.example", mobile)
    planned = await town.house.campaigns.plan(plan("one", **SURVEY), MARKETER)
    assert planned.counted == {"permitted": 1}
    await town.publish(second_version("2", **{INVITED: INVITED_BY_LETTER}))
    await town.publish(second_version("3"))
    planned = await town.house.campaigns.plan(plan("two", **SURVEY), MARKETER)
    assert planned.counted == {"not-told-yet": 1}
    for version in ("2", "3"):
        await town.house.choose.tell(Telling(person=reader, version=version, channel="shown", by=reader))
    await chosen(town, reader, "consent", "given", "survey-invitation")
    planned = await town.house.campaigns.plan(plan("three", **SURVEY), MARKETER)
    assert planned.counted == {"permitted": 1}


async def test_U8_who_agreed_to_surveys_is_invited_and_a_reader_of_the_newsletter_is_not(town: Town) -> None:
    await invited(town, "invited@mail.example", "+998901112233")
    await town.subscribed("reader@mail.example")
    words = Texts(subject="Uch savol", text="Xizmatimiz haqida uch savol.", translations={"en": "Three questions."})
    campaign = await running(town, "questions", purpose="survey-invitation", texts=words)
    assert campaign.counted == {"no-consent": 1, "permitted": 1}
    await written(town)
    await sent(town)
    (letter,) = town.catcher.newest()
    assert letter.to == "invited@mail.example"
    assert "Javob berish shart emas" in letter.text


async def test_U8_an_invitation_goes_by_text_message_too_and_says_how_to_leave(town: Town) -> None:
    await invited(town, "invited@mail.example", "+998901112233")
    await running(town, "questions", **SURVEY)
    await written(town)
    await sent(town)
    ((_, body),) = town.gateway.requests
    message = msgspec.json.decode(body)
    assert message["to"] == "+998901112233"
    assert "Uch savol" in message["text"]
    assert "/unsubscribe/" in message["text"]
