"""A house in which people complain and ask, and the staff who answer them; each story an hour after the one before."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from omonat import center, desk, site
from omonat.base.instants import DAY, HOUR, Instant
from omonat.center import CENTER
from omonat.desk import DESK
from omonat.flows.asked import NewRequest, RequestReceipt
from omonat.flows.staff import Registration, StaffMember
from omonat.house import House, open_house
from omonat.pages.assets import static_handler
from omonat.pages.render import KIT_STATIC
from omonat.promises.messages import sealing_context, unpack
from omonat.promises.requests.facts import Kind, Outcome
from omonat.site import SITE
from tests.flows.conftest import Clock, Shop, furnish, settings_for
from tests.site_server import serving

TEXT = "Kuryeringiz raqamimni saqlab qolib, menga ish vaqtidan tashqari qoʻngʻiroq qildi."
ANSWER = "Kuryer bilan gaplashdik. Raqamingiz endi unga koʻrinmaydi."
STAFF = {"701": "privacy-officer", "702": "privacy-officer", "703": "management", "704": "quality", "705": "counter"}


@dataclass
class Complaints:
    """The house, its clock, and whoever answers."""

    shop: Shop
    members: dict[str, StaffMember] = field(default_factory=dict)

    @property
    def house(self) -> House:
        return self.shop.house

    @property
    def clock(self) -> Clock:
        return self.shop.clock

    async def ask(self, kind: Kind = Kind.COMPLAINT, **more: Any) -> RequestReceipt:
        """Somebody without an account asks on the site."""
        credential = await self.house.inner_credential("requests")
        wanted: dict[str, Any] = {"text": TEXT, "door": "site", "caller": "203.0.113.7"} | more
        return await self.house.ask(NewRequest(credential=credential, kind=kind, **wanted))

    async def message(self, template: str) -> dict[str, Any]:
        """The newest message of this template, read as the jobs worker reads it."""
        row = await self.house.grounds.database.pool.fetchrow(
            "select o.*, p.slot from outbox o join persons p on p.id = o.person where o.template = $1 "
            "order by o.created_at desc, o.id desc limit 1",
            template,
        )
        assert row is not None, "no such message"
        vault = self.house.grounds.vault
        sealed = unpack(vault.open_value(sealing_context(row["id"]), row["sealed"], slot=row["slot"]))
        return {**row["facts"], **sealed, "channel": row["channel"], "language": row["language"]}

    async def sent(self) -> None:
        """Every message has left."""
        await self.house.grounds.database.pool.execute("update outbox set state = 'sent', sealed = null")

    async def answer(self, ref: str, number: str, outcome: Outcome = Outcome.UPHELD, reason: str | None = None) -> None:
        credential = await self.house.inner_credential("desk")
        await self.house.answer_requests.answer(
            self.members[ref], number, text=ANSWER, outcome=outcome, reason=reason, credential=credential
        )

    async def acts(self, prefix: str = "request:") -> list[str]:
        rows = await self.house.grounds.database.pool.fetch("select act from entries order by at, txid")
        return [row["act"] for row in rows if row["act"].startswith(prefix)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Complaints]:
    clock = Clock()
    async with open_house(settings_for(module_dsn, tmp_path_factory.mktemp("requests")), clock=clock) as house:
        found = Complaints(await furnish(house, clock))
        trained = Instant(clock.now + 3650 * DAY)
        for ref, role in STAFF.items():
            registration = Registration(
                ref=ref, name=f"Xodim {ref}", role=role, trained_until=trained, login=f"xodim{ref}"
            )
            staff = await house.staff.put(registration, by="test")
            member = await house.staff.member(staff)
            assert member is not None
            found.members[ref] = member
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(office: Complaints) -> AsyncIterator[str]:
    """The doors people and staff come through, with their files."""

    def house() -> House:
        return office.house

    files = static_handler([KIT_STATIC, *(door.static for door in (SITE, CENTER, DESK))])
    routes = [*site.handlers(house), *center.handlers(house), *desk.handlers(house), files]
    async with serving(routes) as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture(name="desk")
def an_hour_later(office: Complaints) -> Complaints:
    """The same house, an hour later: the limits of the story before are over."""
    office.clock.forward(HOUR)
    return office
