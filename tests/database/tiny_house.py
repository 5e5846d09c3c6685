"""The smallest house a parent can run: counts durably over HTTP, crashes when asked to. Run by test_serve.py."""

import asyncio
import logging
import os
import sys
import time
from typing import Any

from omonat.base.errors import BadInput
from omonat.base.settings import load
from omonat.cli._parent import Parent
from omonat.database.pool import Database

if __name__ == "tiny_house" and "TINY_IS_READ_SLOWLY" in os.environ:
    print("reading", flush=True)
    try:
        time.sleep(2)
    except BaseException as lost:  # as in some library, somewhere below
        print(type(lost).__name__, "is lost", flush=True)


def create(_root: object) -> Any:
    """An ASGI application: POST /add stores a row and answers once it is durable, GET /count counts, /die dies,
    /log says too much."""
    state: dict[str, Database] = {}
    logging.basicConfig(force=True, level="DEBUG", format="%(message)s")  # as frameworks do; must not last

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            if "TINY_IS_UNSAFE" in os.environ:
                raise BadInput("unsafe-umask", found="022")
            state["database"] = await Database.connect(load(os.environ).database or "", size=2)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await state["database"].close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = b"ok"
        match scope["path"]:
            case "/add":
                async with state["database"].transaction() as connection:
                    await connection.execute("create table if not exists rows (id bigserial)")
                    body = b"%d" % await connection.fetchval("insert into rows default values returning id")
            case "/count":
                async with state["database"].connection() as connection:
                    body = b"%d" % await connection.fetchval("select count(*) from rows")
            case "/log":
                logging.getLogger("framework").error("about %s", "Nilufar +998901234567")
            case "/die":
                os._exit(1)
            case "/pid":
                body = b"%d" % os.getpid()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app


async def run_jobs(stop: asyncio.Event, _root: object) -> None:
    """Wait to be stopped."""
    await stop.wait()


if __name__ == "__main__":
    settings = load(os.environ)
    parent = Parent(
        settings,
        tell=lambda line, **about: print(line % about),
        on_ready=lambda: print("ready", flush=True),
        house="tiny_house",
    )
    sys.exit(parent.run())
