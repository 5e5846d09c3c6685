"""Rounds that must end: work that repeats is watched, and a round that hangs is given up by whoever can.

Bounds on statements, locks and requests end what was foreseen. What wasn't (a wait the driver never ends, a thread that
blocks) can't be mended from within; but a worker may be killed at any moment, and what it acknowledged is durable: it
ends, and its parent starts it anew.
"""

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from omonat.base.logs import log

_LOOK_EVERY: Final = 1.0
_DEEPEST: Final = 12
_log = log(__name__)


class Rounds:
    """Watches one thing that is done over and over. `longest`: seconds no round of it takes while it works.

    `give_up` is called once, from another thread, and may end the process.

    The watcher is a thread of its own, so that an event loop that stands still is noticed too.
    """

    def __init__(self, name: str, *, longest: float, give_up: Callable[[], None]) -> None:
        self._name = name
        self._longest = longest
        self._give_up = give_up
        self._began: tuple[float, asyncio.Task[Any] | None, int] | None = None

    @contextmanager
    def one(self) -> Iterator[None]:
        """A round, by the task that runs it."""
        self._began = time.monotonic(), asyncio.current_task(), threading.get_ident()
        try:
            yield
        finally:
            self._began = None

    def goes_on(self) -> None:
        """A part of the round is done: the next one has as long again."""
        if self._began is not None:
            self._began = time.monotonic(), *self._began[1:]

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Give up on a round that takes too long, for as long as this lasts."""
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(done,), name=f"{self._name}-watch", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()

    def _watch(self, done: threading.Event) -> None:
        while not done.wait(min(_LOOK_EVERY, self._longest / 4)):
            began = self._began
            if began is not None and time.monotonic() - began[0] > self._longest:
                try:
                    _log.error("round-stuck", lease=self._name, trail=_where(*began[1:]))
                finally:
                    self._give_up()
                return


def _where(task: "asyncio.Task[Any] | None", thread: int) -> str:
    """Where a task waits, or what its thread does: modules, functions and lines, the innermost few, innermost last."""
    waiting = task.get_coro() if task is not None else None
    if waiting is None or getattr(waiting, "cr_running", False):
        frames: list[Any] = [frame for frame, _ in traceback.walk_stack(sys._current_frames().get(thread))][::-1]
    else:
        frames = []
        while waiting is not None:
            frames.append(getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None))
            waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)
    places = [f"{f.f_globals.get('__name__', '?')}.{f.f_code.co_name}:{f.f_lineno}" for f in frames if f is not None]
    return " ".join(places[-_DEEPEST:])
