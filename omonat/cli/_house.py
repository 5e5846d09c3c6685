"""Opens the house for a command: beside a running `omonat serve`, or alone with the database started for the moment."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import typer

from omonat.base.errors import Unavailable
from omonat.base.settings import Settings, load
from omonat.cli._parent import make_ready
from omonat.database.embedded import Server
from omonat.database.home import address
from omonat.database.pool import Database
from omonat.house import House, open_house

Answer = TypeVar("Answer")


def in_house(home: Path | None, work: Callable[[House], Awaitable[Answer]]) -> Answer:
    """Open the house of these settings, do `work` in it, close it. Raises what opening or `work` raises."""
    os.umask(0o077)
    settings = load(os.environ, home=home)
    if settings.database is not None:
        return asyncio.run(_work(settings, settings.database, work))
    running = asyncio.run(_running(settings))
    if running is not None:
        return asyncio.run(_work(settings, running, work))
    server = Server.start(settings.home, programs=settings.postgres, tell=_tell)
    try:
        return asyncio.run(_work(settings, server.dsn, work))
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


async def _work(settings: Settings, dsn: str, work: Callable[[House], Awaitable[Answer]]) -> Answer:
    await make_ready(dsn, settings, _tell)
    chosen = {name: getattr(settings, name) for name in settings.__struct_fields__}
    async with open_house(Settings(**{**chosen, "database": dsn})) as house:
        return await work(house)


def _tell(line: str) -> None:
    typer.echo(f"  … {line}", err=True)
