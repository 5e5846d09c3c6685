"""A new version reaches each it concerns, once, by the way there is; until then their old data waits (P2, N2)."""

import asyncio

from omonat.base.instants import DAY, HOUR, SECOND
from omonat.flows.choose import Choosing
from omonat.flows.erase import ErasureRequest
from tests.flows.conftest import document
from tests.notice.conftest import LONGEST, Town, second_version

MAIL = "dilnoza@mail.example"


async def test_P2_exactly_the_people_concerned_are_told_each_by_the_way_there_is(town: Town) -> None:
    by_mail = (await town.ordered(email=MAIL, language="ru")).person
    by_sms = (await town.ordered(mobile="+998901234568")).person
    in_center = (await town.asked()).person
    other = (await town.subscribed("sardor@mail.example")).person

    await town.publish()
    assert await town.rounds() == 3
    found = {row["person"]: row["channel"] for row in await town.rows("select person, channel from notices")}
    assert found == {by_mail: "email", by_sms: "sms", in_center: "center"}
    assert other not in found

    assert (await town.posted())["sent"] == 2
    (letter,) = town.catcher.newest(MAIL)
    assert "новое в использовании ваших данных" in letter.subject
    assert "Используется больше данных: Улучшение услуг. Данные: ориентир" in letter.text
    assert "http://localhost:8600/page/privacy-policy/compare/1..2?lang=ru" in letter.text
    assert "List-Unsubscribe" not in letter.headers
    assert b"compare/1..2" in town.gateway.requests[-1][1]


async def test_P2_the_new_use_waits_for_delivery_and_for_agreement(town: Town) -> None:
    person = (await town.ordered(email=MAIL)).person
    await town.publish()
    assert await town.improving(person) == "not-told-yet"
    assert await town.improving(person, "transaction.amount") == "given", "what was known before goes on"
    await town.rounds()
    assert await town.improving(person) == "not-told-yet", "queued is not told"
    await town.posted()
    await town.rounds()
    assert await town.improving(person) == "not-told-yet", "sent is not told: it may come back"

    town.clock.forward(LONGEST)
    await town.rounds()
    assert await town.one("select told from persons where id = $1", person) == 2
    assert await town.improving(person) == "not-told-yet", "the company's own interest needs their yes"
    await town.house.choose(Choosing(person=person, kind="agreement", purpose="improve-services", state="given"))
    assert await town.improving(person) == "given"
    await town.house.choose(Choosing(person=person, kind="agreement", purpose="improve-services", state="withdrawn"))
    assert await town.improving(person) == "not-told-yet", "taken back as easily as given"


async def test_P2_a_letter_that_comes_back_tells_nobody_and_the_next_way_is_taken(town: Town) -> None:
    person = (await town.ordered(email=MAIL)).person
    await town.publish()
    await town.rounds()
    await town.posted()
    message = await town.one("select message from notices where person = $1", person)

    assert await town.house.tell_people.came_back(message) == "handed-over"
    assert await town.house.tell_people.came_back(message) == "failed", "twice is once"
    assert await town.house.tell_people.came_back("msg_nobody") is None
    town.clock.forward(LONGEST)
    await town.rounds()
    assert await town.one("select told from persons where id = $1", person) == 1
    assert (await town.rows("select channel, state from notices"))[0] == ("sms", "queued")
    assert (await town.posted())["sent"] == 1
    town.clock.forward(LONGEST)
    await town.rounds()
    assert await town.one("select told from persons where id = $1", person) == 2
    assert [row["channel"] for row in await town.rows("select channel from tellings")] == ["sms"]


async def test_P2_where_no_way_is_left_it_lies_in_the_privacy_center_until_it_is_seen(town: Town) -> None:
    person = (await town.ordered()).person
    town.gateway.script = [400]
    await town.publish()
    await town.rounds()
    assert (await town.posted())["failed"] == 1
    await town.rounds()
    assert (await town.rows("select channel, state from notices"))[0] == ("center", "waiting")
    town.clock.forward(300 * DAY)
    await town.rounds()
    assert await town.one("select told from persons where id = $1", person) == 1


async def test_N2_leaving_the_newsletter_silences_no_notice_and_a_restriction_leaves_it_to_the_center(
    town: Town,
) -> None:
    left = (await town.ordered(email=MAIL, consents={"marketing-email": True})).person
    limited = (await town.ordered(email="other@mail.example", mobile="+998901234568")).person
    await town.house.choose(Choosing(person=left, kind="consent", purpose="marketing-email", state="withdrawn"))
    await town.house.choose(Choosing(person=limited, kind="restriction", state="given"))
    await town.publish()
    await town.rounds()
    posted = await town.posted()
    assert (posted["sent"], posted["refused"]) == (1, 1)
    assert town.catcher.newest(MAIL)
    await town.rounds()
    assert (await town.posted())["refused"] == 1, "nor by the phone"
    await town.rounds()
    assert await town.one("select channel from notices where person = $1", limited) == "center"


async def test_P2_each_is_told_once_however_often_and_by_however_many_workers_it_is_done(town: Town) -> None:
    for number in range(7):
        await town.ordered(email=f"p{number}@mail.example", mobile=f"+99890123450{number}")
    await town.publish()
    await asyncio.gather(*(town.rounds() for _ in range(4)))
    town.clock.forward(2 * HOUR)
    await asyncio.gather(*(town.rounds() for _ in range(4)))
    assert await town.one("select count(*) from outbox where template = 'policy-changed'") == 7
    assert (await town.posted())["sent"] == 7
    town.clock.forward(LONGEST)
    await asyncio.gather(*(town.rounds() for _ in range(4)))
    assert await town.one("select count(*) from tellings") == 7
    assert await town.one("select count(*) from entries where act = 'notice:person:told'") == 7
    assert await town.one("select min(told) from persons where id in (select person from notices)") == 2


async def test_P2_a_version_that_does_the_same_tells_nobody(town: Town) -> None:
    await town.ordered(email=MAIL)
    await town.publish(document(**{'version: "1"': 'version: "2"'}))
    await town.asked()
    assert await town.rounds() == 0
    assert await town.house.tell_people.status() == []


async def test_P2_one_notice_tells_of_all_since_the_version_a_person_knew(town: Town) -> None:
    person = (await town.ordered(email=MAIL)).person
    await town.publish()
    tax = "basis: legal-obligation\n    source: uz/tax\n    roles: "
    third = second_version("3", **{f"{tax}[finance]": f"{tax}[finance, management]"})
    await town.publish(third)
    await town.rounds()
    assert [tuple(row) for row in await town.rows("select version, since, state from notices")] == [(3, 1, "queued")]
    await town.posted()
    (letter,) = town.catcher.newest(MAIL)
    assert "moʻljal" in letter.text
    town.clock.forward(LONGEST)
    await town.rounds()
    assert await town.one("select told from persons where id = $1", person) == 3
    assert [row["version"] for row in await town.rows("select version from tellings order by version")] == [2, 3]


async def test_P2_somebody_who_came_in_late_under_the_old_version_is_told_too(town: Town) -> None:
    await town.publish()
    await town.rounds()
    late = (await town.ordered(email=MAIL)).person
    assert await town.rounds() == 0
    town.clock.forward(HOUR)
    assert await town.rounds() == 1
    assert await town.one("select person from notices") == late


async def test_R3_who_is_erased_is_not_told_and_leaves_no_notice(town: Town) -> None:
    person = (await town.ordered(email=MAIL)).person
    await town.publish()
    await town.rounds()
    town.clock.forward(SECOND)
    await town.house.erase(ErasureRequest(person=person))
    for _ in range(3):
        await town.house.sweeper.round()
    assert await town.one("select count(*) from notices") == 0
    town.clock.forward(2 * HOUR)
    assert await town.rounds() == 0
    assert not (await town.posted())["sent"]


async def test_A1_the_progress_is_shown_as_numbers(town: Town) -> None:
    await town.ordered(email=MAIL)
    await town.ordered(mobile="+998901234568")
    await town.publish()
    await town.rounds()
    (round_,) = await town.house.tell_people.status()
    assert (round_.version, round_.searching) == ("2", False)
    assert round_.counts == {("email", "queued"): 1, ("sms", "queued"): 1}
    acts = [row["act"] for row in await town.rows("select act from entries where act like 'notice:%' order by at, act")]
    assert acts == ["notice:people:queued", "notice:round:begun"]
