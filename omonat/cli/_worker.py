"""What a worker of `omonat serve` does, in a fork of it: `main(["web", house, descriptor])` or `main(["jobs", house])`.

`python -m omonat.cli._worker` takes the same words, for one alone. The house is named by a module (`omonat.app` unless
told otherwise), because it stands above the command line and is never imported from here: it offers `create(root)`, an
ASGI application, and `run_jobs(stop, root)`. The root key comes from the keeper; while there is none, web workers are
made with None and there are no jobs.
"""

import asyncio
import os
import signal
import socket
import sys
import threading
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
from omonat.database.processes import keep_memory_private
from omonat.vault.keeper import TO_BE_OPENED, Keeper

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
            self.failure = _alone(error)
            raise


def _alone(error: Exception) -> Exception:
    """What went wrong, out of the groups that the framework's tasks wrap it in."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def serve_web(application: Any, settings: Settings, descriptor: int, *, until_open: bool = False) -> int:
    """Answer requests on the listening socket inherited from the parent until SIGTERM; the exit status.

    With `until_open`, only until there is a root key: then this process is done, and the next one gets the key.
    """
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
    opened = threading.Event()
    if until_open:
        threading.Thread(target=_leave_when_open, args=(settings, server, opened), daemon=True).start()
    with suppress(SystemExit):  # its own way to say that the start failed; ours follows
        server.run(sockets=[socket.socket(fileno=descriptor)])
    if server.started:
        return TO_BE_OPENED if opened.is_set() else 0
    if isinstance(watched.failure, OmonatError):
        fail(watched.failure)
    if watched.failure is not None:  # its words may be shown: no data of people has been touched yet
        traceback.print_exception(watched.failure)
    return STARTUP_FAILED


def _leave_when_open(settings: Settings, server: uvicorn.Server, opened: threading.Event) -> None:
    Keeper(settings.home).wait_until_open()
    opened.set()
    server.should_exit = True


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
    keep_memory_private()
    kind, house, *rest = arguments
    settings = load(os.environ)
    logs.configure(level=settings.log_level, form=settings.log_format)
    failpoints.arm(settings.failpoints, settings.home)
    keeper = Keeper(settings.home)
    try:
        module = import_module(house)
        root = keeper.root()
        application = module.create(root) if kind == "web" else None
        logs.configure(level=settings.log_level, form=settings.log_format)  # a framework may have set up its own
    except OmonatError as error:
        fail(error)  # anything else may print its traceback: no data of people has been touched yet
    try:
        if kind == "web":
            return serve_web(application, settings, int(rest[0]), until_open=root is None)
        if root is None:
            keeper.wait_until_open()
            return TO_BE_OPENED
        return run_jobs(lambda stop: module.run_jobs(stop, root))
    except OmonatError as error:
        fail(error)
    except Exception:
        logs.log(__name__).exception("worker-failed", worker=kind)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
