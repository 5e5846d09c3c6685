"""BESHQOZON with a marketer, readers of its newsletter, and real letters."""
# ruff: noqa: F401, F811 - fixtures are imported to be found

import asyncio
from collections import Counter
from collections.abc import Awaitable

import pytest
import pytest_asyncio

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, SECOND, Instant
from omonat.flows.campaigns import Campaign, Marketer, Plan
from omonat.flows.choose import Choosing
from omonat.flows.collect import CollectRequest
from omonat.flows.staff import Registration
from omonat.mail.drain import Drain
from omonat.promises.campaigns.rule import Texts
from omonat.promises.messages import Channel
from tests.notice.conftest import (
    Shop,
    Town,
    catcher,
    catching,
    clock,
    drain,
    gateway,
    house,
    plain_settings,
    settings,
    town,
)
from tests.notice.conftest import shop as staffed

MARKETER = Marketer(staff="501")
APPROVER = Marketer(staff="502")
TEXTS = Texts(
    subject="Navroʻz sumalagi",
    text="Navroʻz kuni sumalak tekin.\n\nKeling, dasturxon yozamiz.",
    translations={"ru": "Сумаляк на Навруз бесплатно."},
)


def plan(name: str = "navroz", **changed: object) -> Plan:
    wanted = {"name": name, "purpose": "marketing-email", "channel": Channel.EMAIL, "texts": TEXTS, **changed}
    return Plan(**wanted)  # type: ignore[arg-type]


@pytest_asyncio.fixture(loop_scope="session")
async def shop(staffed: Shop) -> Shop:
    """The shop with a second marketer, and somebody who answers for privacy."""
    trained = Instant(staffed.clock.now + 300 * DAY)
    for ref, role in (("502", "marketing"), ("901", "privacy-officer")):
        await staffed.house.staff.put(Registration(ref=ref, name="Xodim", role=role, trained_until=trained), by="test")
    return staffed


async def running(town: Town, name: str = "navroz", **changed: object) -> Campaign:
    """A campaign that two people answer for, and that runs."""
    await town.house.campaigns.plan(plan(name, **changed), MARKETER)
    await town.house.campaigns.approve(name, APPROVER)
    return await town.house.campaigns.start(name, MARKETER)


async def written(town: Town) -> None:
    """Every letter there is to write now."""
    while await town.house.campaign_letters.round():
        pass


async def sent(town: Town, *drains: Drain) -> Counter[str]:
    """Everything that is due leaves, by these workers side by side."""
    total: Counter[str] = Counter()

    async def work(drain: Drain) -> None:
        while done := await drain.once():
            total.update(done)

    await asyncio.gather(*(work(drain) for drain in drains or (town.drain,)))
    return total


async def chosen(town: Town, person: str, kind: str, state: str, purpose: str = "marketing-email") -> None:
    """A choice of a person's own."""
    about = "" if kind == "restriction" else purpose
    town.clock.forward(SECOND)
    await town.house.choose(Choosing(person=person, kind=kind, state=state, purpose=about, door="center", by=person))  # type: ignore[arg-type]


async def refusal(asked: Awaitable[object]) -> str:
    """The code of what is refused."""
    with pytest.raises((BadInput, Refused)) as refused:
        await asked
    return str(refused.value.code)


async def invited(town: Town, email: str, mobile: str) -> str:
    """Somebody who reads the newsletter and agreed to be asked by e-mail or text message."""
    answer = await town.house.collect(
        CollectRequest(
            credential=town.shop.credentials["site"],
            service="newsletter",
            items={"contact.email": email, "contact.mobile": mobile, "contact.name": "Sardor Aliyev"},
            version="1",
            consents={"marketing-email": True, "survey-invitation": True},
            accepted=True,
        )
    )
    return answer.person
