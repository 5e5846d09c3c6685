"""Failpoints: named moments between two durable steps, where a test may let a process die, fail, wait or run full.

`reach("use.opened")` stands in the flow and does nothing at all, until `arm` was called in this process. A worker
calls it when the setting `failpoints` names a control file, and an installation that is not marked for tests refuses
to start with that setting: so nobody breaks real data by an environment variable left behind.

The control file has one fault a line, `<point> <action> <token>`, and may be replaced at any time:

    point     a name from docs/failpoints.md, or `*` for whatever is reached next
    action    `kill` (SIGKILL), `raise` (an error nobody expects), `full` (ENOSPC), `delay:<seconds>`
    token     each fault happens once, in whichever process is first: a worker that is started again lives

Beside it, `<file>.hit` gathers the names that were reached, `<file>.taken/` the tokens used up.
"""

import errno
import os
import signal
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from omonat.base.errors import BadInput

MARK: Final = "for-tests"
"""The file in the home that says: nothing real is kept here, it may be broken on purpose."""


class Tripped(Exception):
    """What `raise` raises: no kind of error the flows know."""


class Failpoints:
    """What one control file asks for, as one process sees it."""

    def __init__(self, control: Path) -> None:
        self._control = control
        self._hits = control.with_name(f"{control.name}.hit")
        self._taken = control.with_name(f"{control.name}.taken")
        self._taken.mkdir(mode=0o700, exist_ok=True)
        self._seen: set[str] = set()
        self._state: tuple[int, int] | None = None
        self._faults: Sequence[tuple[str, str, str]] = ()

    def reach(self, point: str) -> None:
        """Note that the point was reached, and do what is asked for there, once."""
        if point not in self._seen:
            self._seen.add(point)
            with self._hits.open("a") as hits:
                hits.write(f"{point}\n")
        for wanted, action, token in self._wanted():
            if wanted in (point, "*") and self._take(token):
                _do(action, point)

    def _wanted(self) -> Sequence[tuple[str, str, str]]:
        try:
            found = self._control.stat()
            if (found.st_ino, found.st_mtime_ns) != self._state:
                self._faults = [_fault(line) for line in self._control.read_text().splitlines()]
                self._state = found.st_ino, found.st_mtime_ns
        except FileNotFoundError:
            self._faults, self._state = (), None
        return self._faults

    def _take(self, token: str) -> bool:
        try:
            os.close(os.open(self._taken / token, os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        return True


def _fault(line: str) -> tuple[str, str, str]:
    point, action, token = line.split()
    return point, action, token


def _do(action: str, point: str) -> None:
    match action.partition(":"):
        case "kill", _, _:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)  # the signal comes before anything else is done
        case "full", _, _:
            raise OSError(errno.ENOSPC, "a failpoint says that the disk is full")
        case "delay", _, seconds:
            time.sleep(float(seconds))
        case _:
            raise Tripped(point)


_armed: Failpoints | None = None


def reach(point: str) -> None:
    """A moment in a flow. `point` is a literal, `<flow>.<step just done>`: scripts/failpoints.py lists them."""
    if _armed is not None:
        _armed.reach(point)


def arm(control: Path | None, home: Path) -> None:
    """Let this process obey `control`, or nothing when it is None.

    Raises BadInput `for-tests-only` unless the installation in `home` is marked for tests.
    """
    global _armed  # noqa: PLW0603 — one switch for the process, so that `reach` costs nothing
    if control is not None:
        require_mark(home, "failpoints")
    _armed = None if control is None else Failpoints(control)


def require_mark(home: Path, setting: str) -> None:
    """Raises BadInput `for-tests-only` unless `home` holds the mark: a file of our own."""
    try:
        found = (home / MARK).lstat()
    except OSError:
        found = None
    if found is None or not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise BadInput("for-tests-only", setting=setting.replace("_", "-"), file=str(home / MARK))
