"""Broken: each step of each flow fails once, leaves nothing half done, and is done when it is tried again."""
# ruff: noqa: F811 - a fixture that asks for another one is meant to have its name

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, cast

from examples.catcher import Catcher
from omonat.base.instants import HOUR, MINUTE
from omonat.flows.erase import Erasure
from omonat.house import House
from omonat.mail.drain import Drain
from scripts.failpoints import points
from tests.erasure.stories import one, swept
from tests.faults.breaking import Failpoints
from tests.faults.patient import Patient, Trial
from tests.faults.state import index_differences, unfinished
from tests.faults.test_failpoints import Walk, armed, home, plain_settings  # noqa: F401 - fixtures
from tests.flows.conftest import Shop, house, shop  # noqa: F401 - fixtures
from tests.flows.test_reconcile import looked
from tests.mail.conftest import ScriptedGateway, gateway  # noqa: F401 - fixtures
from tests.mail.whole.conftest import catcher, catching, clock, drain, settings  # noqa: F401 - fixtures

POINTS: Final = frozenset(
    name for name, file in points().items() if file.startswith(("omonat/flows/", "omonat/evidence/journal"))
)

LEAVES: Final = frozenset({name for name in POINTS if name.endswith("committed")} | {
    # The evidence of a use is durable before it is answered.
    "use.recorded", "use.refusal-recorded", "lookup.recorded", "visit.recorded", "my-data.recorded",
    # A try counts before the code is looked at, and the code is gone before what it is for is done.
    "sign-in.tried", "sign-in.verified", "sign-in.recorded", "request.tried", "request.confirmed", "confirm.tried",
    "confirm.recorded", "staff.try-taken", "staff.code-taken", "staff.try-recorded", "publish.written",
    "publish.recorded", "publish.in-force", "erase-mine.confirmed", "erase.hidden", "erase-mine.receipt-kept",
    # Behind the commit of the whole.
    "web-session.opened", "web-session.ended", "sealed-form.answered", "mailbox.reported", "mailbox.taken",
    # One step of several, each with a transaction of its own, carried on with by whoever comes next.
    "mailbox.withdrawn", "mailbox.answered", "mailbox.acted", "mailbox.place", "reconcile.believed", "notices.queued",
    "notices.told", "erase.intended", "erase.destroyed", "erase.destruction-noted", "erase.stepped", "erase.sealed",
    "erase.proof-kept", "erase.swept", "sweep.intended", "sweep.removed", "sweep.evidence-intended", "lookup-key.over",
    "packets.destroyed", "reckon.followed",
})  # fmt: skip
"""Behind these something durable may stand when they fail; behind all others, nothing of the act."""

_CORRECTED: Final = ("correction-same",)
REFUSED: Final = {
    "request.change-committed": ("request-taken", "request-not-now"), "erase.destroyed": _CORRECTED,
    "erase.destruction-noted": _CORRECTED, "erase.stepped": _CORRECTED, "erase.intended": ("person-unknown",),
    "publish.committed": ("version-published",), "publish.in-force": ("version-published",),
}  # fmt: skip
"""What somebody is told who asks again for what was done when its answer got lost."""

TWICE: Final = frozenset({
    # Whoever looks twice has looked twice.
    "Use use:person:authorised", "Lookup lookup:person:found", "ViewMyData access:person:viewed",
    "VisitLinks access:case:viewed",
    # Whoever says it twice, without a key that makes it one, has said it twice.
    "Announce announcement:media:recorded", "Announce announcement:words:drafted", "Ask collect:record:accepted",
    "Ask request:person:received", "BusinessClients notice:client:given", "Cases case:work:changed",
    "Cases case:work:event", "Choose choice:consent:withdrawn", "Choose notice:person:told",
    "MyNotices notice:person:accepted", "ServiceNotices notice:service:written", "Staff staff:role:set",
    "VisitLinks case:work:linked",
    # Whoever lost a code that was used up asks for another one.
    "publishes staff:desk:signed-in", "publishes staff:secrets:set", "sign-in access:person:signed-in",
    "sign-in use:person:authorised",
})  # fmt: skip
"""What stands in the evidence again when an act is repeated whose answer got lost. Nothing else does."""


class BrokenWalk(Walk):
    """The same day, in which everything fails once, and everybody tries again."""

    def __init__(self, trial: Trial, shop: Shop, drain: Drain, gateway: ScriptedGateway, armed: Failpoints) -> None:
        super().__init__(shop, drain, gateway, armed)
        self.trial = trial

    @staticmethod
    def heard(said: object) -> None:
        """The answer may have got lost."""

    async def directly(self, work: Callable[[], Awaitable[Any]]) -> Any:
        return await self.trial.act("directly", work)

    async def sign_in(self) -> None:
        await self.trial.whole("sign-in", self._comes_and_goes, apart=HOUR)
        await super().sign_in()

    async def _comes_and_goes(self) -> None:
        """With a code that counts once: it is asked for anew."""
        ticket = await self.house.sign_in.ask("+998901234567", language="uz", caller="127.0.0.1")
        await self._drained()
        entered = await self.house.sign_in.enter(ticket, self._sent())
        await self.house.sessions.end(entered.token)  # type: ignore[union-attr]

    async def _corrects(self, record: str) -> None:
        begin = partial(self.house.correct.begin, self.person, record, language="uz")
        for name in ("Dilnoza Aliyeva", "Dilnoza Alieva", "Dilnoza Aliyevna"):  # each is made before its answer is lost
            await begin("contact.name", name)
        await self.trial.whole("corrects", lambda: begin("contact.mobile", "+998901234568"), apart=HOUR)
        await self._drained()

    async def _leaves(self, person: str) -> Erasure:
        leaves = super()._leaves

        async def asks_anew() -> None:
            await self._drained()
            await leaves(person)

        await self.trial.whole("leaves", asks_anew, apart=HOUR)
        return await self.house.erase.show(await one(self.shop, "select id from erasures where person = $1", person))

    async def publishes(self, number: str = "2", **replaced: str) -> None:
        await self.trial.whole("publishes", partial(super().publishes, number, **replaced), apart=MINUTE)


async def test_S1_every_step_of_every_flow_fails_once_and_is_done_when_it_is_tried_again(
    shop: Shop, drain: Drain, catcher: Catcher, gateway: ScriptedGateway, armed: Failpoints
) -> None:
    trial = Trial(shop.house, shop.clock, armed, POINTS, LEAVES, REFUSED)
    await trial.begin()
    shop.house = cast("House", Patient(shop.house, trial))
    await BrokenWalk(trial, shop, drain, gateway, armed).all_day()
    assert POINTS - trial.fired() == set()
    assert trial.problems == []
    assert trial.twice == TWICE
    await swept(shop)
    async with trial.house.grounds.database.connection() as connection:
        assert await unfinished(connection, []) + await index_differences(connection) + await trial.sound() == []
    assert (await looked(shop)).unexplained == []
