"""Opens the house for a command: beside a running `omonat serve`, or alone with the database started for the moment."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from omonat.base.errors import Unavailable
from omonat.base.settings import Settings, load
from omonat.cli._ground import make_ready
from omonat.cli._holders import current_root, exists
from omonat.cli._speech import tell
from omonat.database.embedded import Server
from omonat.database.home import address
from omonat.database.pool import Database
from omonat.house import House, clock_of, open_house

Answer = TypeVar("Answer")


def in_house(home: Path | None, work: Callable[[House], Awaitable[Answer]]) -> Answer:
    """Open the house of these settings, do `work` in it, close it. Raises what opening or `work` raises.

    Where the settings name no root key, the holders of its shares are asked.
    """
    os.umask(0o077)
    settings = load(os.environ, home=home)
    if settings.root_key is None and not exists(settings):
        raise Unavailable("sealed")
    root = current_root(settings)

    async def opened(dsn: str) -> Answer:
        chosen = {name: getattr(settings, name) for name in settings.__struct_fields__}
        beside = Settings(**{**chosen, "database": dsn})
        async with open_house(beside, clock=clock_of(settings), root=root) as house:
            return await work(house)

    return in_database(settings, opened)


def beside_the_keys(settings: Settings, work: Callable[[Database], Awaitable[Answer]]) -> Answer:
    """Do `work` with the database alone; no key is needed for it."""

    async def connected(dsn: str) -> Answer:
        database = await Database.connect(dsn, size=1, name="omonat command")
        try:
            return await work(database)
        finally:
            await database.close()

    return in_database(settings, connected)


def in_database(settings: Settings, work: Callable[[str], Awaitable[Answer]]) -> Answer:
    """Do `work` with the address of this installation's database, ready and up to date."""

    async def ready(dsn: str) -> Answer:
        await make_ready(dsn, settings, tell)
        return await work(dsn)

    os.umask(0o077)
    found = settings.database or asyncio.run(_running(settings))
    if found is not None:
        return asyncio.run(ready(found))
    server = Server.start(settings.home, programs=settings.postgres, tell=tell)
    try:
        return asyncio.run(ready(server.dsn))
    finally:
        server.stop()


async def _running(settings: Settings) -> str | None:
    """The address of the embedded server, if a running installation owns one now."""
    try:
        dsn = address(settings.home).dsn()
        database = await Database.connect(dsn, size=1, name="omonat command")
    except (Unavailable, OSError):
        return None
    await database.close()
    return dsn
