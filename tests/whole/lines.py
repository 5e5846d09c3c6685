"""Connections to a chosen web worker: the kernel spreads new ones by chance, so we look where each went."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.whole.serving import Installation, Service

ORDER = {
    "contact.name": "Zilola Rahimova",
    "contact.mobile": "+998901112233",
    "contact.postal-address": "Toshkent, Yunusobod, 4-mavze, 7-uy",
    "transaction.order-lines": [{"item": "Osh", "count": 1, "price": 4_500_000}],
    "transaction.amount": 4_500_000,
}


@dataclass(frozen=True)
class Answer:
    """What one request got."""

    status: int
    body: Mapping[str, Any]

    @property
    def code(self) -> str:
        """The problem's code; empty for an answer."""
        return str(self.body.get("code", ""))


class Line:
    """One kept connection, and the process at its other end."""

    def __init__(self, service: Service) -> None:
        self._host = f"localhost:{service.port}"
        self._http = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
        self.get("/v1/codes")  # so that it is accepted
        self.worker = _other_end(self._http.sock.getsockname()[1], service)

    def get(self, path: str, credential: str = "") -> Answer:
        """Ask for something."""
        return self._send("GET", path, credential)

    def post(self, path: str, body: Mapping[str, Any], credential: str) -> Answer:
        """Say something, under a key of its own."""
        return self._send("POST", path, credential, body)

    def put(self, path: str, body: Mapping[str, Any], credential: str) -> Answer:
        """Set something, under a key of its own."""
        return self._send("PUT", path, credential, body)

    def use(self, credential: str, **about: Any) -> Answer:
        """A use."""
        return self.post("/v1/use", about, credential)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _send(self, method: str, path: str, credential: str, body: Mapping[str, Any] | None = None) -> Answer:
        headers = {"Host": self._host, "Accept-Language": "en"}
        if credential:
            headers["Authorization"] = f"Bearer {credential}"
        if body is not None:
            headers |= {"Content-Type": "application/json"}
        if body is not None and path != "/v1/use":
            headers["Idempotency-Key"] = uuid4().hex
        self._http.request(method, path, None if body is None else json.dumps(body), headers)
        reply = self._http.getresponse()
        return Answer(reply.status, json.loads(reply.read()))


def ordered(line: Line, of: Installation, case: str) -> str:
    """An order; the person who placed it."""
    body = {"service": "order", "items": ORDER, "version": "1", "case": case, "accepted": True}
    done = line.post("/v1/collect", body, of.credentials["site"])
    assert done.status == 201, done.body
    return str(done.body["person"])


def one_to_each(service: Service) -> list[Line]:
    """A connection to each of the web workers."""
    lines: dict[int, Line] = {}
    for _ in range(60):
        line = Line(service)
        if line.worker in lines:
            line.close()
        else:
            lines[line.worker] = line
        if lines.keys() == set(service.children("web")):
            return list(lines.values())
    raise AssertionError("sixty connections all went to one worker")


def _other_end(our_port: int, service: Service) -> int:
    """Which worker holds the socket that talks to our port."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        here, there, inode = words[1], words[2], words[9]
        if int(here.partition(":")[2], 16) == service.port and int(there.partition(":")[2], 16) == our_port:
            return next(pid for pid in service.children("web") if f"socket:[{inode}]" in _descriptors(pid))
    raise AssertionError("the connection is gone")


def _descriptors(pid: int) -> set[str]:
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(descriptor.readlink()))
        except FileNotFoundError:
            continue
    return found
