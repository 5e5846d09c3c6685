"""What the company has to tell many people, by its own words: two people, each reader once, never advertising (N2)."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from omonat.base import failpoints
from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, SECOND
from omonat.flows.choose import Choosing
from omonat.flows.erase import ErasureRequest
from omonat.flows.service_notice import ServiceNotice, ServiceRound
from tests.faults.breaking import Failpoints
from tests.notice.conftest import LONGEST, OWNER, SAYS, WRITER, Town, document, speakers

MAIL = "dilnoza@mail.example"


def notice(**changed: object) -> ServiceNotice:
    return ServiceNotice(**{"kind": "system-error", "said": SAYS, "audience": "everybody", **changed})  # type: ignore[arg-type]


async def decided(town: Town, wanted: ServiceNotice | None = None) -> ServiceRound:
    """Written by one, approved by another."""
    await speakers(town.house, town.clock)
    written = await town.house.service_notices.write(wanted or notice(), by=WRITER)
    return await town.house.service_notices.approve(written.id, by=OWNER)


async def going(town: Town) -> int:
    """Every step there is to do now; how many notices were queued, moved or told."""
    done = 0
    while True:
        step = await town.house.tell_many.step()
        done += step.queued + step.moved + step.told
        if not step.more:
            return done


async def test_N2_everybody_is_told_once_in_their_language_by_the_way_there_is(town: Town) -> None:
    by_mail = (await town.ordered(email=MAIL, language="ru")).person
    by_sms = (await town.ordered(mobile="+998901234568")).person
    in_center = (await town.asked()).person
    round_ = await decided(town)
    late = (await late_comer(town)).person

    assert await going(town) == 3
    assert await going(town) == 0
    found = {row["person"]: row["channel"] for row in await town.rows("select person, channel from service_notices")}
    assert found == {by_mail: "email", by_sms: "sms", in_center: "center"}
    assert late not in found, "who came later isn't meant"
    assert (await town.posted())["sent"] == 2
    (letter,) = town.catcher.newest(MAIL)
    assert "Сбой при оплате" in letter.subject
    assert "оплата списывалась дважды" in letter.text
    assert "Это не реклама" in letter.text
    assert "List-Unsubscribe" not in letter.headers
    shown = await town.house.service_notices.show(round_.id)
    assert shown.searched is not None
    assert shown.counts == {("email", "handed-over"): 1, ("sms", "handed-over"): 1, ("center", "waiting"): 1}


async def late_comer(town: Town) -> "object":
    town.clock.forward(SECOND)
    return await town.ordered(mobile="+998901234569")


async def test_N2_nobody_is_told_before_a_second_person_approved_it(town: Town) -> None:
    await town.ordered(email=MAIL)
    await speakers(town.house, town.clock)
    notices = town.house.service_notices
    with pytest.raises(Refused):
        await notices.write(notice(), by="501")  # marketing
    written = await notices.write(notice(), by=OWNER)
    assert await going(town) == 0
    for one, why in ((OWNER, "can’t approve them"), (WRITER, "Only the role"), ("501", "Only the role")):
        with pytest.raises(Refused, match=why):
            await notices.approve(written.id, by=one)
    assert await going(town) == 0
    assert await town.one("select count(*) from outbox where template = 'company-notice'") == 0


async def test_N2_the_audience_is_a_rule_those_with_records_of_a_service_or_people_by_their_ids(town: Town) -> None:
    ordered = (await town.ordered(email=MAIL)).person
    subscribed = (await town.subscribed("sardor@mail.example")).person
    gone = (await town.ordered(mobile="+998901234568")).person
    await speakers(town.house, town.clock)
    for wrong, code in (
        ({"service": "order"}, "audience-unclear"),
        ({"audience": "people"}, "audience-unclear"),
        ({"audience": "service", "service": "banquet"}, "service-unknown"),
        ({"audience": "people", "people": (ordered, "per_nobody")}, "people-unknown"),
        ({"kind": "newsletter"}, "service-kind-unknown"),
    ):
        with pytest.raises(BadInput) as said:
            await town.house.service_notices.write(notice(**wrong), by=WRITER)
        assert said.value.code == code
    assert await town.one("select count(*) from service_rounds") == 0

    await decided(town, notice(audience="service", service="newsletter"))
    assert await going(town) == 1
    assert await town.one("select person from service_notices") == subscribed
    by_name = await decided(town, notice(audience="people", people=(ordered, gone, ordered)))
    await town.house.erase(ErasureRequest(person=gone))
    assert await going(town) == 1
    told = await town.rows("select person from service_notices where round = $1 and state <> 'chosen'", by_name.id)
    assert [row["person"] for row in told] == [ordered]


async def test_N2_it_is_told_and_recorded_for_each_when_it_can_come_back_no_more(town: Town) -> None:
    person = (await town.ordered(email=MAIL)).person
    await decided(town, notice(kind="security-breach"))
    await going(town)
    await town.posted()
    message = await town.one("select message from service_notices where person = $1", person)
    assert await town.house.tell_people.came_back(message) is None
    assert await town.house.tell_many.came_back(message) == "handed-over"
    await going(town)
    assert (await town.posted())["sent"] == 1, "by the phone then"
    assert b"Sboy" in town.gateway.requests[-1][1] or town.gateway.requests[-1][1]
    assert await town.one("select count(*) from entries where act = 'notice:person:informed'") == 0
    town.clock.forward(LONGEST)
    assert await going(town) == 1
    (row,) = await town.rows(
        "select convert_from(e.body, 'utf8')::jsonb -> 'facts' as facts, l.person from entries e "
        "join ledger l on l.entry = e.id where e.act = 'notice:person:informed'"
    )
    assert (row["facts"]["channel"], row["facts"]["kind"], row["person"]) == ("sms", "security-breach", person)
    assert person not in str(row["facts"])


async def test_N2_what_is_shown_in_the_privacy_center_has_told_them(town: Town) -> None:
    person = (await town.asked()).person
    await decided(town)
    await going(town)
    assert await town.house.tell_many.untold(person)
    (heard,) = await town.house.tell_many.shown(person)
    assert heard.said == SAYS
    assert not await town.house.tell_many.untold(person)
    await town.house.tell_many.shown(person)
    assert await town.one("select count(*) from entries where act = 'notice:person:informed'") == 1


async def test_N2_leaving_the_newsletter_silences_nothing_and_a_restriction_leaves_it_to_the_center(town: Town) -> None:
    left = (await town.ordered(email=MAIL, consents={"marketing-email": True})).person
    limited = (await town.ordered(email="other@mail.example", mobile="+998901234568")).person
    await town.house.choose(Choosing(person=left, kind="consent", purpose="marketing-email", state="withdrawn"))
    await town.house.choose(Choosing(person=limited, kind="restriction", state="given"))
    await decided(town)
    for _ in range(3):
        await going(town)
        await town.posted()
    assert town.catcher.newest(MAIL)
    assert await town.one("select channel from service_notices where person = $1", limited) == "center"


async def test_N2_it_goes_under_no_purpose_of_marketing_and_waits_where_the_policy_has_none_for_it(town: Town) -> None:
    person = (await town.ordered(email=MAIL)).person
    await town.publish(
        document(**{'version: "1"': 'version: "2"', "    messages: service\n    channels: [email, sms]\n": ""})
    )
    await decided(town)
    await going(town)
    assert await town.one("select channel from service_notices where person = $1", person) == "center"
    assert await town.one("select count(*) from outbox where template = 'company-notice'") == 0


async def test_N2_a_notice_put_under_a_purpose_of_marketing_never_leaves(town: Town) -> None:
    await town.ordered(email=MAIL, consents={"marketing-email": True})
    await decided(town)
    await going(town)
    async with town.house.grounds.database.connection() as connection:
        await connection.execute("update outbox set purpose = 'marketing-email'")
    assert (await town.posted())["refused"] == 1
    assert await town.one("select code from outbox") == "message-class-mismatch"


async def test_N2_a_person_gets_three_a_day_and_the_fourth_waits_unless_it_is_a_breach(town: Town) -> None:
    person = (await town.ordered(email=MAIL)).person
    for _ in range(4):
        await decided(town)
    await going(town)
    assert (await town.posted())["sent"] == 3
    await decided(town, notice(kind="security-breach"))
    await going(town)
    assert (await town.posted())["sent"] == 1
    town.clock.forward(DAY + SECOND)
    assert (await town.posted())["sent"] == 1
    assert await town.one("select count(*) from outbox where person = $1 and state = 'sent'", person) == 5


async def test_N2_each_gets_it_once_however_many_workers_tell(town: Town) -> None:
    for number in range(7):
        await town.ordered(email=f"p{number}@mail.example", mobile=f"+99890123450{number}")
    await decided(town)
    await asyncio.gather(*(going(town) for _ in range(4)))
    assert await town.one("select count(*) from outbox where template = 'company-notice'") == 7


@pytest.fixture
def armed(tmp_path: Path) -> Iterator[Failpoints]:
    """This very process obeys a control file, until the test ends."""
    marked = tmp_path / "marked"
    marked.mkdir(mode=0o700)
    (marked / failpoints.MARK).touch()
    control = Failpoints(tmp_path / "faults")
    failpoints.arm(control.control, marked)
    yield control
    failpoints.arm(None, marked)


@pytest.mark.parametrize(
    "point",
    ["service-notice.queued", "service-notice.queue-committed", "service-notice.moved", "service-notice.move-committed",
     "service-notice.told", "service-notice.tell-committed", "drain.handed-over"],
)  # fmt: skip
async def test_N2_cut_off_anywhere_each_is_told_and_once(
    town: Town, armed: Failpoints, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omonat.flows.tell_many._PAGE", 2)
    people = 5
    for number in range(people):
        await town.ordered(email=f"p{number}@mail.example", mobile=f"+99890123450{number}")
    await decided(town)
    token = armed.arm(point, "raise")
    await going_on(town)
    message = await town.one("select message from service_notices where state = 'handed-over' limit 1")
    await town.house.tell_many.came_back(message)
    await going_on(town)
    town.clock.forward(LONGEST)
    await going_on(town)

    assert armed.happened(token)
    assert await town.one("select count(*) from service_notices where state = 'told'") == people
    assert await town.one("select count(*) from entries where act = 'notice:person:informed'") == people
    ways = await town.rows("select channel, count(*) as many from outbox where template = 'company-notice' group by 1")
    assert {row["channel"]: row["many"] for row in ways} == {"email": people, "sms": 1}


async def going_on(town: Town) -> None:
    """Step after step, begun again wherever it was cut off, as the jobs do."""
    for _ in range(6):
        try:
            await going(town)
            await town.posted()
        except failpoints.Tripped:
            town.clock.forward(3_600_000_000)


async def comes(town: Town, number: int) -> str:
    return (await town.ordered(email=f"p{number}@mail.example", mobile=f"+99890123450{number}")).person


async def a_page(town: Town) -> int:
    return (await town.house.tell_many.step()).queued


@pytest.mark.parametrize("meant", [notice(), notice(audience="service", service="order")], ids=["all", "service"])
async def test_N2_who_comes_and_goes_between_pages_makes_nobody_be_missed_nor_told_twice(
    town: Town, meant: ServiceNotice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omonat.flows.tell_many._PAGE", 2)
    people = sorted([await comes(town, number) for number in range(6)])
    asked = (await town.asked()).person
    round_ = await decided(town, meant)
    town.clock.forward(SECOND)
    queued = await a_page(town)
    reached = await town.one("select reached from service_rounds where id = $1", round_.id)
    ahead = [person for person in people if person > reached]
    await town.house.erase(ErasureRequest(person=people[0]))  # whom the search has passed
    gone = ahead[-1] if ahead else ""
    if gone:
        await town.house.erase(ErasureRequest(person=gone))  # whom it hasn't come to
    late = [await comes(town, 6 + number) for number in range(3)]
    while (step := await town.house.tell_many.step()).more:
        queued += step.queued

    messages = await town.rows(
        "select person, count(*) as many from outbox where template = 'company-notice' group by 1"
    )
    noticed = await town.rows("select person, count(*) as many from service_notices group by 1")
    told = set(people) - {people[0], gone}
    assert {row["person"]: row["many"] for row in messages} == dict.fromkeys(told, 1)
    everybody = told | ({asked} if meant.audience == "everybody" else set())
    assert {row["person"]: row["many"] for row in noticed if row["person"] != people[0]} == dict.fromkeys(everybody, 1)
    assert not everybody & set(late), "who came later isn't meant"
    assert queued == len(everybody) + (people[0] <= reached)
    assert await town.one("select searched_at from service_rounds where id = $1", round_.id) is not None
