"""The house of the flows' tests, with its messages handed to a real SMTP server and a real gateway."""
# ruff: noqa: F811 - a fixture that asks for another one is meant to have its name

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import msgspec
import pytest
import pytest_asyncio

from examples.catcher import Catcher, listen
from omonat.base.settings import Settings
from omonat.jobs import _drain
from omonat.mail.drain import Drain
from tests.flows.conftest import Clock, Shop, clock, house, shop  # noqa: F401 - fixtures
from tests.flows.conftest import settings as plain_settings  # noqa: F401 - a fixture
from tests.mail.conftest import ScriptedGateway


@pytest_asyncio.fixture(loop_scope="session")
async def catching(clock: Clock) -> AsyncIterator[tuple[Catcher, int]]:
    """The letters that arrive, and the port they arrive at."""
    catcher = Catcher(clock)
    server = await listen(catcher, port=0)
    yield catcher, server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
def catcher(catching: tuple[Catcher, int]) -> Catcher:
    return catching[0]


@pytest.fixture
def settings(plain_settings: Settings, catching: tuple[Catcher, int], gateway: ScriptedGateway) -> Settings:
    return msgspec.structs.replace(
        plain_settings, smtp_host="127.0.0.1", smtp_port=catching[1], sms_gateway=gateway.url
    )


@pytest_asyncio.fixture(loop_scope="session")
async def drain(shop: Shop) -> AsyncIterator[Drain]:
    """The worker as the jobs put it together."""
    async with AsyncExitStack() as stack:
        drain = await _drain(shop.house, await shop.house.grounds.law.current(), stack)
        assert drain is not None
        yield drain
