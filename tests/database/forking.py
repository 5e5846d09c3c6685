"""A process of one thread that forks a child. Run by test_forked.py: which story is told stands in its first word."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from omonat.database.forked import Forked, fork
from omonat.database.processes import start_child


def child(work: Callable[[], int], keeps: Collection[socket.socket] = ()) -> Forked:
    return fork(work, name="a child", environment={"TOLD_TO_THE_CHILD": "yes"}, keeps=keeps)


def says(*lines: object) -> int:
    print(*lines, sep="\n", flush=True)
    return 0


def status() -> None:
    ways: Mapping[str, Callable[[], int]] = {
        "returns": lambda: 7,
        "exits": lambda: sys.exit(5),
        "exits-well": sys.exit,
        "says-why": lambda: sys.exit("why"),
        "fails": lambda: 1 // 0,
        "killed": lambda: signal.raise_signal(signal.SIGKILL) or 0,
    }
    ended = child(ways[sys.argv[2]]).wait()
    print("the parent goes on")
    print(ended)


def environment() -> None:
    child(lambda: says(dict(os.environ))).wait()


def opened() -> None:
    kept, left = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    with tempfile.TemporaryFile() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        numbers = [kept.fileno(), left.fileno(), lock.fileno()]
        child(lambda: says(*map(_seen, numbers), Path("/proc/self/fd/0").readlink()), keeps=[kept]).wait()


def _seen(descriptor: int) -> str:
    return "open" if Path(f"/proc/self/fd/{descriptor}").exists() else "closed"


def signals() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGCHLD))
    child(
        lambda: says(
            signal.pthread_sigmask(signal.SIG_BLOCK, ()),
            signal.getsignal(signal.SIGTERM),
            signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        )
    ).wait()


def background() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell has it for whatever it starts with `&`
    tells = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    start_child([sys.executable, "-c", tells], dies_by=signal.SIGKILL).wait()


def name() -> None:
    child(lambda: says(os.getpgid(0) == os.getpid(), Path("/proc/self/comm").read_text().strip())).wait()


def forever() -> None:
    says(child(lambda: time.sleep(60) or 0).pid)
    time.sleep(60)


def patience() -> None:
    slow = child(lambda: time.sleep(60) or 0)
    try:
        slow.wait(0.2)
    except subprocess.TimeoutExpired:
        print("too long")
    slow.send_signal(signal.SIGTERM)
    print(slow.wait(20))
    slow.kill()  # which is nothing any more


STORIES: Final = {
    "status": status, "environment": environment, "open": opened, "signals": signals, "name": name,
    "background": background, "forever": forever, "patience": patience,
}  # fmt: skip

if __name__ == "__main__":
    STORIES[sys.argv[1]]()
