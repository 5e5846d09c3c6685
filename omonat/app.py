"""Puts the doors on the house: the only file that names concrete parts of both.

`create` is what a web worker serves, `run_jobs` what the jobs worker runs (`omonat.cli._worker`).
"""

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any

from litestar import Litestar
from litestar.types import ControllerRouterHandler

from omonat import api, center, desk, site
from omonat.backup import marker as markers
from omonat.base.settings import Settings, load
from omonat.house import House, clock_of, open_house
from omonat.jobs import run_jobs as work
from omonat.lost import FAVICON, lost
from omonat.mail import leave, links, parent_pages
from omonat.pages.assets import static_handler
from omonat.pages.render import KIT_STATIC
from omonat.sealed import Sealed
from omonat.vault.keeper import Keeper
from omonat.vault.root import RootKey


def create(root: RootKey | None) -> Litestar | Sealed:
    """The web application of this process, by the settings of its environment; without a root key the sealed one."""
    settings = load(os.environ)
    return Sealed(settings) if root is None else build(settings, root)


def build(settings: Settings, root: RootKey) -> Litestar:
    """One application with every door. The house opens with the application and closes with it."""
    held: list[House] = []

    def house() -> House:
        return held[0]

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            markers.refuse(settings.home)
            held.append(await stack.enter_async_context(_opened(settings, root)))
            if settings.demo:
                await stack.enter_async_context(_example("demo_shop").running(settings))
            settle()
            yield

    doors = [site.SITE, center.CENTER, desk.DESK]
    if settings.demo:
        doors.append(_example("site.door").SHOP)
    handlers: list[ControllerRouterHandler] = [
        FAVICON,
        api.route(house),
        api.log_route(house),
        static_handler([KIT_STATIC, *(door.static for door in doors)]),
        *site.handlers(house),
        *site.consent_routes(house),
        *site.sealed_routes(house),
        *site.visitor_routes(house),
        *leave.handlers(house),
        *links.handlers(house),
        *parent_pages.handlers(house),
        *center.handlers(house),
        *desk.handlers(house),
    ]
    if settings.demo:
        handlers += _example("demo_shop").handlers(settings)
    return Litestar(
        route_handlers=handlers,
        lifespan=[lifespan],
        exception_handlers={Exception: lost(house)},
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


def _opened(settings: Settings, root: RootKey) -> AbstractAsyncContextManager[House]:
    return open_house(
        settings, clock=clock_of(settings), root=root, root_of=Keeper(settings.home).root_of, awaits_proofs=True
    )


def settle() -> None:
    """What an open house is made of stays as long as its process: leave it out of the search for cycles, and search
    less often for what comes and goes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)


def _example(name: str) -> Any:
    """A part of the demo; production never imports it."""
    return import_module(f"examples.{name}")


async def run_jobs(stop: asyncio.Event, root: RootKey) -> None:
    """The jobs of this installation until `stop` is set."""
    settings = load(os.environ)
    markers.refuse(settings.home)
    async with _opened(settings, root) as house:
        await work(house, stop)
