"""BESHQOZON with real letters and text messages, and a second version that uses more of what people gave before."""
# ruff: noqa: F401, F811 - fixtures are imported to be found

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio

from examples.catcher import Catcher
from omonat.base.instants import DAY, Instant, to_rfc3339
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.publish_policy import Publication
from omonat.flows.staff import Registration
from omonat.flows.use import UseRequest
from omonat.house import House
from omonat.mail.drain import Drain
from omonat.promises.notice.rule import RETURNS_WITHIN
from omonat.promises.notice.words import Words
from tests.flows.conftest import Clock, Shop, clock, document, house, packs, shop
from tests.mail.conftest import ScriptedGateway, gateway
from tests.mail.whole.conftest import catcher, catching, drain, plain_settings, settings

USES = "may-use: [transaction.amount, transaction.return-reason]"
USES_MORE = "may-use: [transaction.amount, transaction.return-reason, contact.landmark, transaction.inquiry]"
LONGEST = max(RETURNS_WITHIN.values())
FOR_THE_NEW = ("contact.landmark",)


def second_version(number: str = "2", **replaced: str) -> str:
    """Improving the services reaches the landmark and the inquiry too: an interest of the company's own."""
    return document(**{'version: "1"': f'version: "{number}"', USES: USES_MORE, **replaced})


@dataclass
class Town:
    """The shop, its letters, and the people of a story."""

    shop: Shop
    drain: Drain
    catcher: Catcher
    gateway: ScriptedGateway

    @property
    def house(self) -> House:
        return self.shop.house

    @property
    def clock(self) -> Clock:
        return self.shop.clock

    async def ordered(self, *, email: str | None = None, mobile: str = "+998901234567", **more: Any) -> CollectAnswer:
        """Somebody who ordered, with a landmark; by e-mail too where they gave one."""
        self.shop.orders += 1
        return await self.house.collect(
            replace(
                CollectRequest(
                    credential=self.shop.credentials["site"],
                    service="order",
                    items=self.shop.order_items(**{"contact.email": email, "contact.mobile": mobile}),
                    version="1",
                    consents={},
                    case=f"order:{41876 + self.shop.orders}",
                    accepted=True,
                ),
                **more,
            )
        )

    async def asked(self, **items: Any) -> CollectAnswer:
        """Somebody who asked something at the counter and left neither an address nor a number, but for `items`."""
        self.shop.orders += 1
        return await self.house.collect(
            CollectRequest(
                credential=self.shop.credentials["panel"],
                service="information-request",
                items={"contact.name": "Gulnora Yoʻldosheva", "transaction.inquiry": "Osh necha kishilik?", **items},
                version="1",
                consents={},
                case=f"inquiry:{self.shop.orders}",
            )
        )

    async def subscribed(self, email: str, version: str = "1") -> CollectAnswer:
        """Somebody whom the new use doesn't reach; `version` is the one whose form they saw."""
        return await self.house.collect(
            CollectRequest(
                credential=self.shop.credentials["site"],
                service="newsletter",
                items={"contact.email": email, "contact.name": "Sardor Aliyev"},
                version=version,
                consents={"marketing-email": True},
                accepted=True,
            )
        )

    async def publish(self, text: str | None = None) -> None:
        await self.house.publish(
            Publication(document=text or second_version(), packs=packs(), author="staff:1", approver="staff:2")
        )

    async def rounds(self) -> int:
        """Every step there is to do now; how many notices were written, moved or settled."""
        done = 0
        while True:
            progress = await self.house.tell_people.round()
            done += progress.queued + progress.moved + progress.told
            if not progress.more:
                return done

    async def posted(self) -> Mapping[str, int]:
        """What is due leaves; what became of it."""
        return await self.drain.once()

    async def improving(self, person: str, *items: str) -> str:
        """The quality controller uses data for the new use: given, or the code of the refusal."""
        asked = UseRequest(
            credential=self.shop.credentials["quality"],
            purpose="improve-services",
            person=person,
            on_behalf_of="601",
            items=items or FOR_THE_NEW,
        )
        answer = await self.house.use(asked)
        wanted = (items or FOR_THE_NEW)[0]
        return "given" if wanted in answer.items else answer.withheld[wanted].code

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        async with self.house.grounds.database.connection() as connection:
            return await connection.fetch(statement, *values)

    async def one(self, statement: str, *values: Any) -> Any:
        async with self.house.grounds.database.connection() as connection:
            return await connection.fetchval(statement, *values)


@pytest_asyncio.fixture(loop_scope="session")
async def town(shop: Shop, drain: Drain, catcher: Catcher, gateway: ScriptedGateway) -> Town:
    shop.credentials["quality"] = parse_credential(
        await shop.house.clients.issue(name="quality", source="counter", roles=["quality"])
    )
    trained = Instant(shop.clock.now + 300 * DAY)
    await shop.house.staff.put(Registration(ref="601", name="Xodim 601", role="quality", trained_until=trained), by="t")
    return Town(shop, drain, catcher, gateway)


SAYS = {
    "uz": Words(
        title="Toʻlovlarda nosozlik boʻldi", text="1-dekabr kuni toʻlovlar ikki marta yechildi.\n\nQaytarildi."
    ),
    "ru": Words(title="Сбой при оплате", text="1 декабря оплата списывалась дважды.\n\nЛишнее возвращено."),
    "en": Words(title="Payments failed", text="On 1 December payments were taken twice.\n\nThey were returned."),
}
WRITER, OTHER_WRITER, OWNER, OTHER_OWNER = "901", "902", "801", "802"
"""Two privacy officers, who own N1, and two of the role that owns N2 and N3."""


async def speakers(house: House, clock: Clock) -> None:
    """Those who may speak for the company."""
    trained = Instant(clock.now + 300 * DAY)
    for ref, role in (
        (WRITER, "privacy-officer"),
        (OTHER_WRITER, "privacy-officer"),
        (OWNER, "management"),
        (OTHER_OWNER, "management"),
    ):
        await house.staff.put(Registration(ref=ref, name=f"Xodim {ref}", role=role, trained_until=trained), by="t")
