"""A marketer in a hurry: who is written to said yes, once, and nothing leaves after a no or a stop (U5, U8, C3, N2)."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from omonat.base import failpoints
from omonat.base.errors import BadInput, Refused
from omonat.base.instants import HOUR, MINUTE
from omonat.base.verdict import Deny
from omonat.flows.campaigns import Marketer
from omonat.promises.campaigns.rule import Texts, may_have_campaigns
from omonat.promises.messages import Channel
from tests.campaigns.conftest import APPROVER, MARKETER, chosen, plan, refusal, running, sent, written
from tests.faults.breaking import Failpoints
from tests.notice.conftest import Town

MANY = 200
"""In this process; tests/whole/test_campaign.py sends two thousand, and twenty, by processes of their own."""


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


async def test_U5_who_said_yes_is_written_to_once_and_the_others_are_counted_by_reason(town: Town) -> None:
    people = [(await town.subscribed(f"p{n}@mail.example")).person for n in range(5)]
    await town.ordered()
    await chosen(town, people[0], "consent", "withdrawn")
    await chosen(town, people[1], "restriction", "given")
    planned = await town.house.campaigns.plan(plan(), MARKETER)
    assert planned.counted == {
        "consent-withdrawn": 1, "person-restricted": 1, "no-consent": 1, "permitted": 3,
    }  # fmt: skip
    await written(town)
    assert not await sent(town), "nothing leaves before somebody starts it"
    await town.house.campaigns.approve("navroz", APPROVER)
    await town.house.campaigns.start("navroz", MARKETER)
    await written(town)
    await chosen(town, people[2], "consent", "withdrawn")
    await sent(town)
    await written(town)
    shown = await town.house.campaigns.show("navroz")
    assert shown.state == "done"
    assert shown.letters == {"refused:no-consent": 1, "sent": 2}
    assert {letter.to for letter in town.catcher.newest()} == {"p3@mail.example", "p4@mail.example"}
    (letter, _) = town.catcher.newest()
    assert "sumalak tekin" in letter.text


async def test_C3_a_stop_is_said_once_nothing_can_leave_any_more_and_takes_back_the_rest(town: Town) -> None:
    for n in range(40):
        await town.subscribed(f"p{n}@mail.example")
    await running(town)
    await written(town)
    posting = asyncio.create_task(sent(town))
    while len(town.catcher.newest()) < 3:  # noqa: ASYNC110 - a server beside us counts
        await asyncio.sleep(0.01)
    stopped = await town.house.campaigns.stop("navroz", MARKETER)
    arrived = len(town.catcher.newest())
    assert stopped.state == "stopped"
    await written(town)
    town.clock.forward(10 * MINUTE)
    await posting
    await sent(town)
    assert len(town.catcher.newest()) == arrived
    shown = await town.house.campaigns.show("navroz")
    assert sum(shown.letters.values()) == 40
    assert shown.letters["sent"] == arrived
    assert await refusal(town.house.campaigns.start("navroz", MARKETER)) == "campaign-over"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"purpose": "service-notices"}, "role-may-not"),
        ({"purpose": "order-messages"}, "role-may-not"),
        ({"purpose": "marketing-sms"}, "message-channel-undeclared"),
        ({"channel": Channel.SMS, "texts": Texts(text="Salom")}, "message-channel-undeclared"),
        ({"purpose": "no-such"}, "purpose-unknown"),
        ({"name": "Navroʻz\r\nBcc: x"}, "campaign-name-wrong"),
        ({"texts": Texts(text="Salom", subject="A\r\nBcc: x@y.example")}, "campaign-texts-wrong"),
        ({"texts": Texts(text="Salom\x00", subject="A")}, "campaign-texts-wrong"),
        ({"texts": Texts(text=" ", subject="A")}, "campaign-texts-wrong"),
        ({"texts": Texts(text="Salom", subject="A", translations={"ru": "Слишком долго"})}, "campaign-texts-wrong"),
    ],
)  # fmt: skip
async def test_N2_a_marketer_in_a_hurry_is_refused(town: Town, changed: dict[str, object], code: str) -> None:
    with pytest.raises((BadInput, Refused)) as refused:
        await town.house.campaigns.plan(plan(**changed), MARKETER)  # type: ignore[arg-type]
    assert refused.value.code == code
    assert await town.one("select count(*) from campaigns") == 0


@pytest.mark.parametrize(("sends", "basis"), [("service", "consent"), ("marketing", "contract"), ("none", "consent")])
def test_U5_a_purpose_that_sends_no_marketing_by_consent_has_no_campaign(sends: str, basis: str) -> None:
    verdict = may_have_campaigns("a-purpose", sends, basis, frozenset(), "email")
    assert isinstance(verdict, Deny)
    assert verdict.reasons[0].code == "campaign-purpose-wrong"


async def test_U5_a_second_one_of_a_name_and_another_role_are_refused(town: Town) -> None:
    await town.house.campaigns.plan(plan(), MARKETER)
    assert await refusal(town.house.campaigns.plan(plan(), MARKETER)) == "campaign-exists"
    assert await refusal(town.house.campaigns.plan(plan("other"), Marketer(staff="301"))) == "role-may-not"
    assert (
        await refusal(
            town.house.campaigns.plan(plan("other"), Marketer(staff="501", credential=town.shop.credentials["site"]))
        )
        == "role-unclear"
    )


async def test_T1_markup_in_a_text_stays_text(town: Town) -> None:
    await town.subscribed("p@mail.example")
    loud = Texts(text="<script>alert(1)</script> {{ sender }}", subject="<b>Salom</b>")
    await running(town, texts=loud)
    await written(town)
    await sent(town)
    (letter,) = town.catcher.newest()
    assert "{{ sender }}" in letter.text


async def test_U5_among_two_hundred_nobody_is_lost_written_to_twice_or_after_a_no(
    town: Town, armed: Failpoints
) -> None:
    await among(town, armed, MANY, workers=2)


@pytest.mark.long
async def test_U5_among_two_thousand_with_four_workers(town: Town, armed: Failpoints) -> None:
    await among(town, armed, 10 * MANY, workers=4)


async def among(town: Town, armed: Failpoints, many: int, *, workers: int) -> None:
    """People take their consent back while letters leave; queueing and a worker are cut off; all of it goes on."""
    town.catcher._held = deque()
    people = {f"p{n}@mail.example": (await town.subscribed(f"p{n}@mail.example")).person for n in range(many)}
    await running(town)
    cut = armed.arm("campaigns.queued", "raise")
    with pytest.raises(failpoints.Tripped):
        await written(town)
    assert await town.one("select count(*) from outbox") == 0
    await written(town)
    await written(town)
    assert await town.one("select count(*) from outbox") == many
    leaving = [address for n, address in enumerate(people) if n % 20 == 7]
    had: dict[str, int] = {}

    async def leave() -> None:
        for address in leaving:
            await chosen(town, people[address], "consent", "withdrawn")
            had[address] = len(town.catcher.newest(address))

    killed = armed.arm("drain.handing-over", "raise")
    drains = [replace(town.drain) for _ in range(workers)]
    results = await asyncio.gather(leave(), *(sent(town, drain) for drain in drains), return_exceptions=True)
    assert any(isinstance(result, failpoints.Tripped) for result in results)
    for _ in range(3):
        town.clock.forward(HOUR)
        await sent(town, *drains)
    await written(town)

    assert armed.happened(cut)
    assert armed.happened(killed)
    arrived = Counter(letter.to for letter in town.catcher.newest())
    assert max(arrived.values()) == 1
    assert had == {address: arrived[address] for address in leaving}, "nothing after an acknowledged withdrawal"
    shown = await town.house.campaigns.show("navroz")
    assert shown.state == "done"
    assert sum(shown.letters.values()) == many
    uncertain = shown.letters["uncertain:message-outcome-unknown"]
    refused = shown.letters.get("refused:no-consent", 0)
    assert shown.letters["sent"] + uncertain + refused == many
    assert len(arrived) >= shown.letters["sent"]
