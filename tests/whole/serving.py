"""An installation as an operator has it: a home, a root key, `omonat serve` as a process of its own, and its children.

Everything here looks at the service from outside: what it prints, what it answers, which processes it has.
"""

import asyncio
import http.client
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from omonat.database import processes
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
Kind = Literal["web", "jobs", "postgres", "everything"]
_BUSY_MACHINE = 60.0  # seconds before a start counts as failed; how long it really took is asserted elsewhere


@dataclass(frozen=True)
class Installation:
    """What lies on the disk, and what its operator wrote down when it was made."""

    home: Path
    root_key: Path
    credentials: Mapping[str, str] = field(default_factory=dict)
    keys: Sequence[str] = ()
    """The log's public keys, kept away from the log."""

    def environment(self, port: int, **more: str) -> dict[str, str]:
        """The environment of its service. `more` are further settings, without `OMONAT_`."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OMONAT_")}
        own = {
            "HOME": str(self.home),
            "RESERVE": "2",
            "ROOT_KEY": f"key-file:{self.root_key}",
            "PORT": str(port),
            "LANGUAGE": "en",
        }
        return {**clean, "PYTHONPATH": str(ROOT), **{f"OMONAT_{name}": value for name, value in (own | more).items()}}

    @property
    def output(self) -> Path:
        """All that its processes ever printed, one run after the other."""
        return self.home.with_suffix(".out")

    def copy(self, home: Path) -> "Installation":
        """The same installation elsewhere. Only while it doesn't run."""
        subprocess.run(["cp", "-a", str(self.home), str(home)], check=True)
        return Installation(home, self.root_key, self.credentials, self.keys)


class Service:
    """One run of `omonat serve`, or of a `program` of the tests that is one with a difference."""

    def __init__(self, of: Installation, program: Sequence[str] = ("omonat", "serve"), **settings: str) -> None:
        self.of = of
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.began = time.monotonic()
        self._said_before = of.output.stat().st_size if of.output.exists() else 0
        with of.output.open("ab") as output:
            self.process = processes.start_child(  # it stops when the test run does, however that ends
                [sys.executable, "-m", *program],
                dies_by=signal.SIGINT,
                output=output,
                environment=of.environment(self.port, **settings),
            )

    def said(self) -> str:
        """What this run has printed so far."""
        return self.of.output.read_bytes()[self._said_before :].decode()

    def answers(self) -> bool:
        """Whether every web worker decides a use and says that all is well.

        Each connection goes to one of them by chance; the use is of a case that isn't there, and leaves an entry.
        """
        return all(self._decides() and self.health() == "ok" for _ in range(8))

    def health(self) -> str:
        """What it says of itself; empty when it says nothing."""
        return str(self._ask("GET", "/v1/health").get("status", ""))

    def _decides(self) -> bool:
        use = json.dumps({"purpose": "deliver-order", "case": "order:nobodys"})
        return self._ask("POST", "/v1/use", use).get("code") == "no-open-case"

    def _ask(self, method: str, path: str, body: str | None = None) -> Mapping[str, Any]:
        """A whole connection for one request, as a stranger makes it."""
        headers = {"Host": f"localhost:{self.port}"}
        if credential := self.of.credentials.get("site"):
            headers["Authorization"] = f"Bearer {credential}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path, body, headers | ({"Content-Type": "application/json"} if body else {}))
            answer: Mapping[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            return {}
        finally:
            connection.close()
        return answer

    def wait_until_it_answers(self) -> float:
        """Seconds since the start, or since `restarted_at`."""
        until(lambda: self.process.poll() is not None or self.answers(), _BUSY_MACHINE, self.said)
        assert self.process.poll() is None, self.said()
        return time.monotonic() - self.began

    def children(self, kind: Kind) -> list[int]:
        """The processes of one kind, of this run alone."""
        found = []
        for pid in _children_of(self.process.pid):
            match kind:
                case "web" | "jobs" if _name(pid) == f"omonat {kind}":
                    found.append(pid)
                case "postgres" if _name(pid) == "postgres":
                    found.append(pid)
                case "everything":
                    found.append(pid)
        return found

    def everything(self) -> list[int]:
        """The parent, its children and theirs."""
        found = [self.process.pid]
        for pid in found:
            found += _children_of(pid)
        return found

    def kill(self, kind: Kind) -> list[int]:
        """SIGKILL to the oldest process of a kind, or to the parent and all that is below it. Returns their numbers."""
        victims = self.everything() if kind == "everything" else self.children(kind)[:1]
        for pid in victims:
            with suppress(ProcessLookupError):  # a helper that had just ended
                os.kill(pid, signal.SIGKILL)
        if kind == "everything":
            self.process.wait(10)
        return victims

    def press_ctrl_c(self) -> int:
        """What a terminal does: SIGINT to the parent and to every child that shares its group; the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(20)

    def stop(self, by: signal.Signals = signal.SIGINT) -> int:
        """Ask the parent to stop; its exit status."""
        self.process.send_signal(by)
        return self.process.wait(20)

    def end(self) -> None:
        """Whatever state it is in: afterwards nothing of it runs."""
        if self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill("everything")


@contextmanager
def serving(of: Installation, program: Sequence[str] = ("omonat", "serve"), **settings: str) -> Iterator[Service]:
    """The service, answering; ended with the block."""
    service = Service(of, program, **settings)
    try:
        service.wait_until_it_answers()
        yield service
    finally:
        service.end()


def refused(of: Installation, **settings: str) -> tuple[int, str]:
    """Exit status and words of a service that won't start."""
    service = Service(of, **settings)
    try:
        status = service.process.wait(_BUSY_MACHINE)
    finally:
        service.end()
    return status, service.said()


def contention() -> float:
    """How many times longer than its own computing a start takes just now, as others use the machine: 1 or more."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([sys.executable, "-c", "import omonat.app"], cwd=ROOT, check=True)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - began
    computing = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return max(1.0, wall / computing)


def still_running(pids: Sequence[int]) -> list[int]:
    """Which of these live; a zombie doesn't."""
    return [pid for pid in pids if processes.look(pid) is not None]


def until(reached: Callable[[], bool], seconds: float, said: Callable[[], str] = lambda: "") -> None:
    """Look until it is so; fails after the seconds."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"did not happen within {seconds} s\n{said()[-4000:]}"
        time.sleep(0.05)


async def soon(reached: Callable[[], bool], seconds: float, said: Callable[[], str] = lambda: "") -> None:
    """As `until`, while others go on."""
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(reached):
        assert time.monotonic() < end, f"did not happen within {seconds} s\n{said()[-4000:]}"
        await asyncio.sleep(0.05)


def _children_of(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
