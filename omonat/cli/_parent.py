"""The parent of a running Omonat: it owns the database server and the workers, and nothing else.

    parent ─┬─ postgres      (embedded; a direct child, stopped cleanly when the parent dies)
            ├─ keeper        (holds the root key and gives it to the two below)
            ├─ web × n       (each with a listening socket the parent keeps open: a restart refuses nobody)
            ├─ jobs
            └─ the demo's seeding, once

It holds no keys, answers no requests, runs one thread and waits for signals; so there is little in it that can fail. It
reads the house once, and its web and jobs workers are forks of it: one that died is there again in no time.
When the keeper ends, whatever the reason, those who have the key from it end with it, and all begin anew: sealed, if
that is what the keeper was told.
"""

import asyncio
import gc
import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Final
from urllib.parse import urlsplit

from omonat.backup import marker as markers
from omonat.base.errors import Unavailable
from omonat.base.listening import port_of, told
from omonat.base.logs import log
from omonat.base.progress import Tell
from omonat.base.settings import Settings
from omonat.cli import _worker
from omonat.cli._ground import listen, make_ready
from omonat.database import embedded
from omonat.database.forked import Forked, fork
from omonat.database.home import claim
from omonat.database.processes import Child, start_child, stop_child
from omonat.database.reserve import Reserve
from omonat.vault.keeper import SEALED_ON_DEMAND, TO_BE_OPENED

_WATCHED: Final = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM)
_AS_ASKED: Final = (SEALED_ON_DEMAND, TO_BE_OPENED)
_HOPELESS: Final = (2, 4, 8)  # exits that trying again cannot mend: wrong use, invalid policy, unsafe
_PATIENCE: Final = 2  # failed starts in a row before the first answer
_STEADY: Final = 30.0  # seconds after which a worker counts as started well
_SOON_STEADY: Final = 2.0  # the same once requests have been answered: what fell over later is back at once
_LONGEST_WAIT: Final = 10.0
_LONGEST_WHILE_ANSWERING: Final = 2.0  # whatever keeps falling over: the next one may live, and people are waiting
_PYTHON: Final = (sys.executable, "-m")


@dataclass(slots=True)
class Worker:
    """One child that is to run always: started again when it ends, later each time it ends early."""

    name: str
    begin: Callable[[], Child]
    child: Child | None = None
    since: float = 0.0
    failures: int = 0
    start_at: float = 0.0

    def start(self, now: float) -> None:
        """Start it; it dies with us, at once, for what is acknowledged is durable."""
        self.child = self.begin()
        self.since = now

    def ended(self, now: float, *, answering: bool) -> int | None:
        """The exit status when it has ended since the last look; then `start_at` says when to try again: later, the
        more often it ended soon after it began, and never much later once requests have been answered."""
        if self.child is None or (status := self.child.poll()) is None:
            return None
        steady, longest = (_SOON_STEADY, _LONGEST_WHILE_ANSWERING) if answering else (_STEADY, _LONGEST_WAIT)
        self.failures = 1 if now - self.since > steady else self.failures + 1
        self.start_at = now + min(0.1 * 2**self.failures, longest)
        self.child = None
        return status


@dataclass(slots=True)
class Parent:
    """Everything one `omonat serve` owns. `run` returns the exit status."""

    settings: Settings
    tell: Tell
    on_ready: Callable[[], None]
    house: str = "omonat.app"
    after_start: Sequence[Sequence[str]] = ()  # the demo's seeding: in turn, once; ready after the first
    held: Sequence[socket.socket] = ()
    """Sockets that listen already: one on the settings' port for each web worker, and others for whoever asks."""
    _server: embedded.Server | None = None
    _server_failures: int = 0
    _server_at: float = 0.0
    _claim: int | None = None
    _keeper: Worker = field(init=False)
    _keeper_begins: str = "configured"
    _sockets: list[socket.socket] = field(default_factory=list)
    _workers: list[Worker] = field(default_factory=list)
    _once: Child | None = None
    _environment: dict[str, str] = field(default_factory=dict)
    _begun: int = 0
    _answering: bool = False
    _reserve: Reserve = field(init=False)

    def __post_init__(self) -> None:
        self._reserve = Reserve(self.settings.home, self.settings.reserve * 2**20)
        self._keeper = Worker("keeper", self._begin_keeper)

    def run(self) -> int:
        """Start everything, keep it running until SIGINT or SIGTERM, stop it in order. Raises OmonatError."""
        os.umask(0o077)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            self._start_ground()
            signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)  # an interrupt may get lost in a module that is read
            self._keeper.start(time.monotonic())
            self._read_the_house()
            self._start_workers()
            return self._watch()
        except KeyboardInterrupt:
            return 0
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
            self._stop()

    def _start_ground(self) -> None:
        settings = self.settings
        markers.refuse(settings.home)
        if settings.home.exists():  # a database that died of a full disk needs room to come back
            self._reserve.look()
        if settings.database is None:
            self._server = embedded.Server.start(settings.home, programs=settings.postgres, tell=self.tell)
            dsn = self._server.dsn
        else:
            settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._claim = claim(settings.home)
            dsn = settings.database
        self._reserve.look()
        asyncio.run(make_ready(dsn, settings, self.tell))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OMONAT_")}
        self._environment = {**inherited, **settings.environment(), "OMONAT_DATABASE": dsn}

    def _read_the_house(self) -> None:
        """Once for all workers. What they share stays as it is: nothing of it is looked at for what could go."""
        import_module(self.house)
        gc.collect()
        gc.freeze()

    def _start_workers(self) -> None:
        own = [one for one in self.held if port_of(one) == self.settings.port]
        others = [one for one in self.held if one not in own]
        self._sockets = own or listen(self.settings.host, self.settings.port, self.settings.workers)
        for one in self._sockets:
            self._workers.append(Worker("web", partial(self._fork, "web", [one, *others], str(one.fileno()))))
        self._workers.append(Worker("jobs", partial(self._fork, "jobs", others)))
        for worker in self._workers:
            worker.start(time.monotonic())

    def _begin_keeper(self) -> Child:
        """A program of its own: nobody else's memory is like that of the one who holds the root."""
        return self._program([*_PYTHON, "omonat.cli._keeper", self._keeper_begins])

    def _program(self, command: Sequence[str]) -> Child:
        return start_child(command, dies_by=signal.SIGKILL, environment=self._environment)

    def _fork(self, kind: str, sockets: Sequence[socket.socket], *about: str) -> Forked:
        work = partial(_worker.main, [kind, self.house, *about])
        return fork(work, name=f"omonat {kind}", environment=self._environment | told(sockets), keeps=sockets)

    def _watch(self) -> int:
        began = time.monotonic()
        said_slow = False
        while True:
            told = signal.sigtimedwait(_WATCHED, 0.5 if self._answering else 0.05)
            if told is not None and told.si_signo in (signal.SIGINT, signal.SIGTERM):
                self.tell("stopping")
                return 0
            now = time.monotonic()
            self._reserve.look()
            self._look_after_server(now)
            for worker in (self._keeper, *self._workers):
                if (status := self._look_after(worker, now)) is not None:
                    return status
            if not self._answering and self._answers():
                self._answering = True
                self._begin_once()
            elif not self._answering and not said_slow and now - began > 1.5:
                said_slow = True
                self.tell("starting the workers")
            self._look_after_once()

    def _look_after_server(self, now: float) -> None:
        """Start the database again when it ended. Once requests have been answered a start that fails ends nothing: its
        disk may get room again, and the workers refuse meanwhile."""
        if self._server is None or self._server.alive() or now < self._server_at:
            return
        log(__name__).error("database-ended", times=self._server_failures)
        try:
            self._server.restart()
        except Unavailable as trouble:
            if not self._answering:
                raise
            log(__name__).error("database-not-started", code=trouble.code)
            self._server_failures += 1
            self._server_at = time.monotonic() + min(0.1 * 2**self._server_failures, _LONGEST_WAIT)
        else:
            self._server_failures = 0

    def _look_after(self, worker: Worker, now: float) -> int | None:
        """Start a worker that ended again, or say with which status everything ends."""
        status = worker.ended(now, answering=self._answering)
        if status is not None and worker is self._keeper:
            self._end_all_who_hold_the_key(sealed=status == SEALED_ON_DEMAND)
        if status in _AS_ASKED:
            worker.failures, worker.start_at = 0, now
        elif status is not None:
            log(__name__).error("worker-ended", worker=worker.name, exit=status, times=worker.failures)
            if status in _HOPELESS:
                return status
            if not self._answering and worker.failures >= _PATIENCE:
                raise Unavailable("start-failed", worker=worker.name, times=str(worker.failures))
        if worker.child is None and now >= worker.start_at:
            worker.start(now)
        return None

    def _end_all_who_hold_the_key(self, *, sealed: bool) -> None:
        """At once and for certain; what they acknowledged is durable. `_look_after` starts them again, without a key.

        Requests that wait meanwhile stay in the sockets, which are ours.
        """
        living = [worker for worker in self._workers if worker.child is not None]
        for worker in living:
            if worker.child is not None:
                worker.child.kill()
        for worker in living:
            if worker.child is not None:
                worker.child.wait()
            worker.child, worker.start_at = None, 0.0
        if sealed:
            self._keeper_begins = "sealed"
            log(__name__).warning("sealed-on-demand")

    def _answers(self) -> bool:
        host = "127.0.0.1" if self.settings.host in ("0.0.0.0", "") else self.settings.host  # noqa: S104 — compared
        connection = http.client.HTTPConnection(host, self.settings.port, timeout=1)
        try:
            connection.request("GET", "/v1/health", headers={"Host": urlsplit(self.settings.address).netloc})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _begin_once(self) -> None:
        if self._begun < len(self.after_start):
            self._once = self._program(self.after_start[self._begun])
            self._begun += 1
        elif not self.after_start:
            self.on_ready()

    def _look_after_once(self) -> None:
        if self._once is None or (status := self._once.poll()) is None:
            return
        self._once = None
        first = self._begun == 1
        if status == 0:
            self._begin_once()
        else:
            self.tell("filling the demo failed (exit %(exit)s, the reason stands above); it runs without", exit=status)
        if first:
            self.on_ready()

    def _stop(self) -> None:
        """Those who use the database first, the database last; bounded, whatever hangs."""
        children = [worker.child for worker in (self._keeper, *self._workers) if worker.child is not None]
        children += [self._once] if self._once is not None else []
        for child in children:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        end = time.monotonic() + 5
        for child in children:
            stop_child(child, (signal.SIGTERM, max(end - time.monotonic(), 0.01)))
        for listening in (*self._sockets, *self.held):
            listening.close()
        if self._server is not None:
            self._server.stop()
        if self._claim is not None:
            os.close(self._claim)
