"""What people write without us: a Litestar application that reads a row by key, inserts one, updates one.

    python -m bench.plain <descriptor>        with BENCH_DATABASE in the environment

Same server, event loop, parser and pool as the house's own worker; no checks, no evidence, nothing sealed.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, get, post
from litestar.datastructures import State
from litestar.params import FromPath

from omonat.app import settle
from omonat.base.settings import load
from omonat.cli._worker import serve_web
from omonat.database.pool import Database


@get("/orders/{number:int}")
async def read(number: FromPath[int], state: State) -> dict[str, Any]:
    """One row by its key, as JSON."""
    statement = "select name, mobile, address, landmark from plain_orders where id = $1"
    return dict(await state.database.pool.fetchrow(statement, number))


@post("/orders")
async def insert(data: dict[str, Any], state: State) -> dict[str, str]:
    """One row with the document as it came, committed."""
    case = data["case"]
    await state.database.pool.execute("insert into plain_taken (id, document) values ($1, $2)", case, data)
    return {"case": case}


@post("/readers/{number:int}/leave")
async def leave(number: FromPath[int], state: State) -> dict[str, bool]:
    """One row updated by its key, committed."""
    await state.database.pool.execute("update plain_readers set reads = false where id = $1", number)
    return {"left": True}


@asynccontextmanager
async def _database(app: Litestar) -> AsyncIterator[None]:
    settings = load(os.environ)
    app.state.database = await Database.connect(settings.database or "", size=settings.pool)
    settle()
    yield
    await app.state.database.close()


def create() -> Litestar:
    """The application."""
    return Litestar([read, insert, leave], lifespan=[_database], openapi_config=None, logging_config=None)


if __name__ == "__main__":
    sys.exit(serve_web(create(), load(os.environ), int(sys.argv[1])))
