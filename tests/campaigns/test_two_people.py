"""Two people answer for a campaign: who wrote it agrees to nothing, and nothing starts unread (U5, A1)."""

import pyotp
import pytest

from omonat.base.instants import DAY, Instant
from omonat.flows.campaigns import Marketer
from omonat.flows.publish_policy import Proof
from omonat.flows.staff import Registration
from omonat.promises.campaigns.rule import Texts
from omonat.promises.messages import Channel
from tests.campaigns.conftest import APPROVER, MARKETER, plan, refusal, running
from tests.notice.conftest import Town

OFFICER = Marketer(staff="901")


async def test_U5_nothing_starts_before_somebody_else_has_agreed(town: Town) -> None:
    campaigns = town.house.campaigns
    await campaigns.plan(plan(), MARKETER)
    assert await refusal(campaigns.start("navroz", MARKETER)) == "campaign-not-approved"
    assert await refusal(campaigns.start("navroz", APPROVER)) == "campaign-not-approved"
    assert await refusal(campaigns.approve("navroz", MARKETER)) == "campaign-same-person"
    assert (await campaigns.look("navroz", MARKETER)).mine
    read = await campaigns.look("navroz", APPROVER)
    assert (read.mine, read.state, read.texts) == (False, "planned", plan().texts)
    agreed = await campaigns.approve("navroz", APPROVER)
    assert (agreed.state, await campaigns.approve("navroz", APPROVER)) == ("approved", agreed)
    assert (await campaigns.start("navroz", MARKETER)).state == "running"
    told = [row["act"] for row in await town.rows("select act from entries where act like 'campaign:%'")]
    assert sorted(told) == sorted(
        ["campaign:plan:made", "campaign:plan:approved", "campaign:run:started"]
        + ["campaign:start:refused"] * 2 + ["campaign:approve:refused"]
    )  # fmt: skip


async def test_U5_the_table_itself_holds_no_campaign_its_author_agreed_to(town: Town) -> None:
    await town.house.campaigns.plan(plan(), MARKETER)
    for statement in (
        "update campaigns set state = 'approved', approved_at = planned_at, approved_by = planned_by",
        "update campaigns set state = 'running', started_at = planned_at, started_by = planned_by",
    ):
        with pytest.raises(Exception, match="check constraint"):
            await town.rows(statement)


async def test_U5_who_answers_for_a_promise_of_the_purpose_agrees_and_stops_but_plans_nothing(town: Town) -> None:
    campaigns, sms = town.house.campaigns, {"channel": Channel.SMS, "texts": Texts(text="Salom")}
    await campaigns.plan(plan("sms", purpose="marketing-sms", **sms), MARKETER)
    owner = town.house.grounds.law.history()[-1].policy.promises["C1"].owner
    trained = Instant(town.clock.now + 300 * DAY)
    answering = Registration(ref="902", name="Xodim", role=owner, trained_until=trained)
    await town.house.staff.put(answering, by="test")
    by = Marketer(staff="902")
    assert (await campaigns.approve("sms", by)).state == "approved"
    assert [each.name for each in await campaigns.mine(by)] == ["sms"]
    assert await refusal(campaigns.start("sms", by)) == "role-may-not"
    assert await refusal(campaigns.plan(plan("own", purpose="marketing-sms", **sms), by)) == "role-may-not"
    assert (await campaigns.stop("sms", by)).state == "stopped"
    assert await refusal(campaigns.approve("sms", by)) == "campaign-over"


async def test_S4_others_neither_agree_nor_look_nor_stop(town: Town) -> None:
    await running(town)
    campaigns, courier = town.house.campaigns, Marketer(staff="204")
    for asked in (campaigns.approve, campaigns.look, campaigns.stop, campaigns.start):
        assert await refusal(asked("navroz", courier)) == "role-may-not"
        assert await refusal(asked("nobodys", MARKETER)) == "campaign-unknown"
        assert await refusal(asked("navroz", Marketer(staff="nobody"))) == "staff-unknown"
    assert await campaigns.mine(courier) == []
    assert (await campaigns.show("navroz")).state == "running"


async def test_U5_whose_role_or_training_has_ended_does_nothing_more(town: Town) -> None:
    await town.house.campaigns.plan(plan(), MARKETER)
    town.clock.forward(301 * DAY)
    assert await refusal(town.house.campaigns.approve("navroz", APPROVER)) == "training-lapsed"
    gone = Registration(
        ref="502", name="Xodim", role="marketing", role_until=town.clock.now, trained_until=town.clock.now
    )
    await town.house.staff.put(gone, by="test")
    assert await refusal(town.house.campaigns.approve("navroz", APPROVER)) == "role-ended"


async def test_U5_at_the_command_line_two_numbers_are_not_two_people(town: Town) -> None:
    """Once anybody can prove who they are, each of the two does; a system and the Desk have proved it before."""
    password = "toʻrtta uzun oddiy soʻz"
    secret = await town.house.staff.set_secrets("502", password)
    assert await refusal(town.house.campaigns.plan(plan(), MARKETER)) == "sign-in-failed"
    await town.house.campaigns.plan(plan(), Marketer(staff="501", signed_in=True))
    assert await refusal(town.house.campaigns.approve("navroz", APPROVER)) == "sign-in-failed"
    wrong = Marketer(staff="502", proof=Proof(password="not that one at all", code="000000"))
    assert await refusal(town.house.campaigns.approve("navroz", wrong)) == "sign-in-failed"
    code = pyotp.TOTP(secret).at(town.clock.now // 1_000_000)
    proved = Marketer(staff="502", proof=Proof(password=password, code=code))
    assert (await town.house.campaigns.approve("navroz", proved)).state == "approved"
