"""What Linux tells about processes: who is alive, who works in a folder, and children that die with their parent."""

import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NAME: Final = 15
_ZOMBIE: Final = ("Z", "X")

# Runs in the child before the program. What a shell lets its background jobs ignore is not the child's to ignore: it
# must stop when told to, also while it starts. Then become the user, and only then ask to be signalled when the parent
# dies (changing the user would clear the request), then make sure the parent did not die in between.
_LAUNCHER: Final = """
import ctypes, os, signal, sys
parent, dies_by, uid, gid, umask = map(int, sys.argv[1:6])
os.umask(umask)
signal.pthread_sigmask(signal.SIG_SETMASK, ())
signal.signal(signal.SIGINT, signal.SIG_DFL)
if uid >= 0:
    os.setgroups([gid]); os.setresgid(gid, gid, gid); os.setresuid(uid, uid, uid)
if ctypes.CDLL(None, use_errno=True).prctl(1, dies_by, 0, 0, 0):
    sys.exit("prctl refused")
if os.getppid() != parent:
    sys.exit("the parent is gone")
os.execv(sys.argv[6], sys.argv[6:])
"""


@dataclass(frozen=True, slots=True)
class Account:
    """A system account processes may run as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One living process: a number alone names nothing, numbers are reused; with its start it does."""

    pid: int
    started: int  # clock ticks since boot
    state: str

    def still_runs(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        now = look(self.pid)
        return now is not None and now.started == self.started


def look(pid: int) -> Seen | None:
    """The process with this number, or None when there is none or it is a zombie waiting to be reaped."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = line.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    state, started = fields[0], int(fields[19])
    return None if state in _ZOMBIE else Seen(pid, started, state)


def working_in(folder: Path, program: str) -> tuple[Seen, ...]:
    """Processes of `program` whose working directory is `folder`; others' processes may be invisible.

    One that is ending counts until it has let go of everything: Linux takes its memory first, and with it the link to
    its program, while what it shares of that memory is still attached; its name and its folder stay until after that.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            here = (entry / "cwd").readlink() == folder and (entry / "comm").read_text().startswith(program)
        except OSError:
            continue
        seen = look(int(entry.name)) if here else None
        if seen is not None:
            found.append(seen)
    return tuple(found)


def start_child(
    command: Sequence[str],
    *,
    dies_by: int,
    account: Account | None = None,
    umask: int = 0o077,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    output: int | IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    own_group: bool = True,
) -> "subprocess.Popen[bytes]":
    """Start a direct child that gets signal `dies_by` the moment this process dies, however it dies.

    Call it from the main thread: Linux watches the thread that starts the child. With `own_group` a Ctrl-C in the
    terminal reaches only the parent, which stops its children in order.
    """
    who = account or Account(-1, -1)
    numbers = (os.getpid(), dies_by, who.uid, who.gid, umask)
    return subprocess.Popen(  # noqa: S603 — a list, never a shell
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, *map(str, numbers), *command],
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        env=dict(environment) if environment is not None else None,
        pass_fds=pass_fds,
        start_new_session=own_group,
        cwd="/" if account is not None else None,
    )


class Child(Protocol):
    """What can be told of a child, and told to it: `subprocess.Popen`, or `omonat.database.forked.Forked`."""

    def poll(self) -> int | None:
        """The exit status; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, when it has ended. Raises subprocess.TimeoutExpired."""

    def send_signal(self, number: int, /) -> None:
        """Nothing when it has ended."""

    def kill(self) -> None:
        """SIGKILL."""


def stop_child(child: Child, *signals: tuple[int, float]) -> int:
    """Send each signal in turn with the seconds it gets to work, then SIGKILL; the exit status."""
    for signal, seconds in signals:
        if child.poll() is not None:
            break
        child.send_signal(signal)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    if child.poll() is None:
        child.kill()
    return child.wait()


def die_with_parent(parent: int, signal: int) -> None:
    """Get a signal the moment the process that made this one dies; end at once if it did meanwhile."""
    _prctl(_PR_SET_PDEATHSIG, signal)
    if os.getppid() != parent:
        sys.exit("the parent is gone")


def name_this_process(name: str) -> None:
    """What `ps -o comm` and `top` call it; 15 bytes at most."""
    _prctl(_PR_SET_NAME, name.encode())


def keep_memory_private() -> None:
    """Let nothing of this process be read by others: no core file, no look into its memory by its own account.

    For processes that hold keys. `execve` clears the second, so every program asks for itself.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_DUMPABLE, 0)


def _prctl(what: int, to: int | bytes) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(what, to, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl refused")
