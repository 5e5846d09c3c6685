"""A real `omonat demo` on a folder of its own: the same processes, the same ports, and ways to treat it badly."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.ports import free_port

ROOT = Path(__file__).parents[2]


def until(reached: Callable[[], Any], seconds: float = 30) -> Any:
    """What `reached` says once it says something."""
    end = time.monotonic() + seconds
    while not (found := reached()):
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.05)
    return found


class Demo:
    """One running demo; what it printed stands in `said`."""

    def __init__(self, home: Path, people: int) -> None:
        self.home = home
        self.output = home.parent / f"{home.name}.out"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OMONAT_")}
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "omonat", "demo", "--home", str(home)],
                env={**clean, "OMONAT_DEMO_PEOPLE": str(people), "OMONAT_PORT": str(free_port())},
                cwd=ROOT,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def over(self) -> bool:
        return self.process.poll() is not None

    @property
    def said(self) -> str:
        return self.output.read_text("utf-8")

    def wait_until_ready(self) -> "Demo":
        starts = self.said.count("demo is ready")
        until(lambda: self.said.count("demo is ready") > starts or self.over, 90)
        assert not self.over, self.said
        assert "failed" not in self.said, self.said
        return self

    def wait_until_filled(self) -> "Demo":
        until((self.home / "demo" / "filled").exists, 90)
        return self

    @property
    def details(self) -> dict[str, Any]:
        """What it says for scripts."""
        found: dict[str, Any] = json.loads((self.home / "demo.json").read_bytes())
        return found

    @property
    def base(self) -> str:
        return str(self.details["base"])

    def caught(self, to: str) -> list[dict[str, Any]]:
        """The messages to one address or number, as the catcher shows them."""
        answer = httpx.post(f"{self.base}/catcher/search", json={"to": to}, trust_env=False)
        found: list[dict[str, Any]] = answer.json()
        return found

    def children(self) -> list[int]:
        """The processes it started and theirs."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            own: list[int] = []
            with suppress(FileNotFoundError, ProcessLookupError):  # it ended while we looked
                own = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
            found += own
            waiting += own
        return found

    def dsn(self) -> str:
        """The database's address, as the workers are told it."""
        for pid in self.children():
            environment = b""
            with suppress(FileNotFoundError, ProcessLookupError):
                environment = Path(f"/proc/{pid}/environ").read_bytes()
            for pair in environment.split(b"\0"):
                if pair.startswith(b"OMONAT_DATABASE="):
                    return pair.partition(b"=")[2].decode()
        raise AssertionError("no worker runs")

    def kill_everything(self) -> None:
        for pid in [self.process.pid, *self.children()]:
            with suppress(ProcessLookupError):  # it died of its parent's death
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)
