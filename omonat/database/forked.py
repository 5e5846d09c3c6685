"""Children that begin with all their parent has read: a start costs only what is different about them.

Reading the modules of a worker takes two seconds of computing; a fork has them, and shares their memory. The parent
must run one thread and hold nothing a child may not have: what was open in it is closed in the child, not unlearnt.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from omonat.database.processes import die_with_parent, name_this_process

_LOOK_EVERY = 0.01


class Forked:
    """A child of this process, seen and ended as `subprocess.Popen` has it."""

    def __init__(self, pid: int, name: str) -> None:
        self.pid, self.name = pid, name
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, when it has ended. Raises subprocess.TimeoutExpired after so many seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(self.name, timeout or 0.0)
            time.sleep(_LOOK_EVERY)
        return status

    def send_signal(self, number: int) -> None:
        """Nothing when it has ended: its number may be somebody else's by now."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def fork(
    work: Callable[[], int], *, name: str, environment: Mapping[str, str], keeps: Collection[socket.socket] = ()
) -> Forked:
    """Run `work` in a child that gets SIGKILL the moment this process dies; what it returns is its exit status.

    The child has this environment, of all that is open here only the sockets it keeps, a group of its own, and the
    signals as a new program has them. Call it from the main thread, the only one there is.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _run(work, parent, name, environment, {one.fileno() for one in keeps})
    return Forked(pid, name)


def _run(work: Callable[[], int], parent: int, name: str, environment: Mapping[str, str], keeps: set[int]) -> NoReturn:
    status = 1
    try:
        _become_a_child(parent, name, keeps)
        os.environ.clear()
        os.environ.update(environment)
        status = work()
    except SystemExit as exit:
        status = exit.code if isinstance(exit.code, int) else int(exit.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:  # never back into what the parent was doing
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _become_a_child(parent: int, name: str, keeps: set[int]) -> None:
    os.setsid()
    die_with_parent(parent, signal.SIGKILL)
    name_this_process(name)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for descriptor in {int(each.name) for each in Path("/proc/self/fd").iterdir()} - {0, 1, 2} - keeps:
        with suppress(OSError):  # the one the list was read with
            os.close(descriptor)
