"""Puts the doors on the house: the only file that names concrete parts of both.

`create` is what a web worker serves, `run_jobs` what the jobs worker runs (`omonat.cli._worker`).
"""

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any

from litestar import Litestar
from litestar.types import ControllerRouterHandler

from omonat import api, center, desk, site
from omonat.base.settings import Settings, load
from omonat.house import House, clock_of, open_house
from omonat.jobs import run_jobs as work
from omonat.mail import leave
from omonat.pages.assets import static_handler
from omonat.pages.render import KIT_STATIC


def create() -> Litestar:
    """The web application of this process, by the settings of its environment."""
    return build(load(os.environ))


def build(settings: Settings) -> Litestar:
    """One application with every door. The house opens with the application and closes with it."""
    if settings.root_key is None:  # sealed: only health, codes and the description of the API answer
        return Litestar(route_handlers=[api.sealed()], openapi_config=None, logging_config=None, debug=False)
    held: list[House] = []

    def house() -> House:
        return held[0]

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            held.append(await stack.enter_async_context(open_house(settings, clock=clock_of(settings))))
            if settings.demo:
                await stack.enter_async_context(_example("demo_shop").running(settings))
            settle()
            yield

    doors = [site.SITE, center.CENTER, desk.DESK]
    if settings.demo:
        doors.append(_example("site.door").SHOP)
    handlers: list[ControllerRouterHandler] = [
        api.route(house),
        static_handler([KIT_STATIC, *(door.static for door in doors)]),
        *site.handlers(house),
        *leave.handlers(house),
        *center.handlers(house),
        *desk.handlers(house),
    ]
    if settings.demo:
        handlers += _example("demo_shop").handlers(settings)
    return Litestar(route_handlers=handlers, lifespan=[lifespan], openapi_config=None, logging_config=None, debug=False)


def settle() -> None:
    """What an open house is made of stays as long as its process: leave it out of the search for cycles, and search
    less often for what comes and goes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)


def _example(name: str) -> Any:
    """A part of the demo; production never imports it."""
    return import_module(f"examples.{name}")


async def run_jobs(stop: asyncio.Event) -> None:
    """The jobs of this installation until `stop` is set."""
    settings = load(os.environ)
    if settings.root_key is None:
        await stop.wait()
        return
    async with open_house(settings, clock=clock_of(settings)) as house:
        await work(house, stop)
