"""A house to prove promises in: whole, then broken on purpose. One for a module; each story mends what it broke."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from litestar import Litestar

from omonat import center, desk, site
from omonat.base.instants import DAY, MINUTE, SECOND, Instant
from omonat.base.settings import Settings
from omonat.evidence.sequencer import Sequencer
from omonat.flows.publish_policy import Publication
from omonat.flows.staff import Registration
from omonat.house import House, open_house, set_up_doors
from omonat.mail import leave
from omonat.pages.assets import static_handler
from omonat.pages.render import KIT_STATIC
from omonat.promises.notice.clients import Step
from omonat.promises.notice.words import Words
from omonat.proving.run import Proof, Proved, prove
from tests.flows.conftest import Clock, Shop, document, packs, settings_for, staffed


class Ticking(Clock):
    """A turned clock that goes on by itself, a microsecond at each look, so that what comes later is later."""

    def __call__(self) -> Instant:
        self.forward(1)
        return self.now


@dataclass
class Town:
    """BESHQOZON with its sequencer turned by hand and its public pages served."""

    shop: Shop
    clock: Clock
    sequencer: Sequencer

    @property
    def house(self) -> House:
        return self.shop.house

    async def settle(self) -> None:
        """What was written has its place in the log, as it has seconds later."""
        self.clock.forward(10 * SECOND)
        assert await self.sequencer.open()
        await self.sequencer.advance()

    async def prove(self, *only: str) -> Proof:
        """A run, a few minutes after whatever came before."""
        self.clock.forward(3 * MINUTE)
        return await prove(self.house, only)

    async def one(self, promise: str) -> Proved:
        """What is said of one promise."""
        (found,) = (await self.prove(promise)).promises
        return found

    async def run(self, statement: str) -> None:
        """Something done to the database behind the house's back."""
        await self.house.grounds.database.pool.execute(statement)

    async def value(self, statement: str, *values: object) -> Any:
        return await self.house.grounds.database.pool.fetchval(statement, *values)


async def procedure_by_two(house: House, clock: Clock) -> None:
    """By which procedure business clients are told: written by one officer, approved by another."""
    trained = Instant(clock.now + 365 * DAY)
    for ref in ("102", "103"):
        officer = Registration(ref=ref, name=f"Xodim {ref}", role="privacy-officer", trained_until=trained)
        await house.staff.put(officer, by="test")
    says = {
        "uz": Words(title="Maʼlumotlaringiz haqida", text="Nima olinishi siyosatda yozilgan."),
        "ru": Words(title="О ваших данных", text="Что собирается, сказано в политике."),
        "en": Words(title="About your data", text="What is taken stands in the policy."),
    }
    steps = [
        Step(id=name, occasion=occasion, part=part, within=3, channels=("letter", "contract"), says=says)
        for name, occasion, part in (
            ("at-contract", "engaged", "contract"),
            ("new-version", "policy-version", "privacy"),
            ("breach", "security-breach", "privacy"),
        )
    ]
    written = await house.client_procedures.write(steps, by="102")
    await house.client_procedures.approve(written.version, by="103")


async def places_in_the_register(house: House, now: Instant) -> None:
    """This machine and its room, by somebody who looks after security."""
    trained = Instant(now + 365 * DAY)
    await house.staff.put(Registration(ref="801", name="Xodim 801", role="security", trained_until=trained), by="test")
    await house.places.add("room", "server-room-1", proof="Dalolatnoma 7/2026", by="801")
    for name in await house.places.unregistered():
        await house.places.add("host", name, room="server-room-1", proof="Inventar 14", by="801")


@asynccontextmanager
async def serving(app: Litestar) -> AsyncIterator[int]:
    """The app on loopback, on this test's own event loop; its port."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, server_header=False, lifespan="off")
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # type: ignore[method-assign]  # the test run keeps its own
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event to wait for
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    held: list[House] = []
    doors = [site.SITE, center.CENTER, desk.DESK]
    app = Litestar(
        [
            static_handler([KIT_STATIC, *(door.static for door in doors)]),
            *site.handlers(lambda: held[0]),
            *site.consent_routes(lambda: held[0]),
            *site.visitor_routes(lambda: held[0]),
            *leave.handlers(lambda: held[0]),
            *center.handlers(lambda: held[0]),
            *desk.handlers(lambda: held[0]),
        ],
        openapi_config=None,
        logging_config=None,
    )
    async with serving(app) as port:
        clock, made = Ticking(), settings_for(module_dsn, tmp_path_factory.mktemp("town"))
        chosen = {name: getattr(made, name) for name in made.__struct_fields__}
        settings = Settings(**{**chosen, "port": port, "origin": f"http://localhost:{port}"})
        async with open_house(settings, clock=clock) as house:
            await house.publish(Publication(document=document(), packs=packs(), author="staff:1", approver="staff:2"))
            await set_up_doors(house)
            held.append(house)
            town = Town(
                await staffed(house, clock),
                clock,
                Sequencer(house.grounds.database, house.log, house.keys, clock=clock),
            )
            await procedure_by_two(house, clock)
            await places_in_the_register(house, clock.now)
            await town.settle()
            yield town
