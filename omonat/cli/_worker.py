"""What a child process of `omonat serve` runs: `python -m omonat.cli._worker web <descriptor>` or `… jobs`.

The house is named by a module (`omonat.app` unless told otherwise), because it stands above the command line and
is never imported from here: it offers `create()`, an ASGI application, and `run_jobs(stop)`.
"""

import asyncio
import os
import signal
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

import uvicorn
import uvloop

from omonat.base import failpoints, logs
from omonat.base.errors import OmonatError
from omonat.base.settings import Settings, load
from omonat.cli import fail

STARTUP_FAILED = 3


class Watched:
    """An application whose failure to start is kept, so that its reason can be said and its exit code given."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.failure: Exception | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass everything on."""
        if scope["type"] != "lifespan":
            await self._application(scope, receive, send)
            return
        try:
            await self._application(scope, receive, send)
        except Exception as error:
            self.failure = error
            raise


def serve_web(application: Any, settings: Settings, descriptor: int) -> int:
    """Answer requests on the listening socket inherited from the parent until SIGTERM; the exit status."""
    watched = Watched(application)
    config = uvicorn.Config(
        watched,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # addresses and agents of people are no log lines
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        backlog=1024,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    with suppress(SystemExit):  # its own way to say that the start failed; ours follows
        server.run(sockets=[socket.socket(fileno=descriptor)])
    if server.started:
        return 0
    if isinstance(watched.failure, OmonatError):
        fail(watched.failure)
    if watched.failure is not None:  # its words may be shown: no data of people has been touched yet
        traceback.print_exception(watched.failure)
    return STARTUP_FAILED


def run_jobs(work: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    """Do the work nobody waits for until SIGTERM; the exit status."""

    async def until_stopped() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await work(stop)

    uvloop.run(until_stopped())
    return 0


def main(arguments: list[str]) -> int:
    """Set the process up as its parent decided and run one of the two kinds of work."""
    os.umask(0o077)
    kind, house, *rest = arguments
    settings = load(os.environ)
    logs.configure(level=settings.log_level, form=settings.log_format)
    failpoints.arm(settings.failpoints, settings.home)
    try:
        module = import_module(house)
        application = module.create() if kind == "web" else None
        logs.configure(level=settings.log_level, form=settings.log_format)  # a framework may have set up its own
    except OmonatError as error:
        fail(error)  # anything else may print its traceback: no data of people has been touched yet
    try:
        return serve_web(application, settings, int(rest[0])) if kind == "web" else run_jobs(module.run_jobs)
    except OmonatError as error:
        fail(error)
    except Exception:
        logs.log(__name__).exception("worker-failed", worker=kind)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
