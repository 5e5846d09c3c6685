"""A load generator: keep-alive connections in a closed loop, in a process of its own so that it shares no loop.

It reads just enough HTTP to be sure of an answer: the status, the length, and a piece of the body that must be there.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Final, cast

import msgspec
import uvloop

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What to ask. `{n}` in path, body and `expects` becomes a number: drawn by lot up to `upto`, or counted from
    `first` when `upto` is 0.
    `{c}` becomes the courier that order is assigned to, `{t}` the token of that number: counted, each is used once."""

    port: int
    method: str
    path: str
    status: int
    expects: str
    seconds: float
    connections: int = 32
    headers: str = ""
    body: str = ""
    upto: int = 0
    first: int = 0
    couriers: int = 1
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What came of it: answers a second, each one's seconds, what failed, and the next number when counting."""

    rate: float
    latencies: list[float]
    errors: list[str]
    next: int


def run(spec: Spec) -> Load:
    """Ask for as long as the spec says."""
    return uvloop.run(_Run(spec).load())


class _Run:
    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.next = spec.first
        self.chance = random.Random()
        self.latencies: list[float] = []
        self.errors: list[str] = []

    async def load(self) -> Load:
        loop = asyncio.get_running_loop()
        ways = [
            await loop.create_connection(lambda: _Asker(self), "127.0.0.1", self.spec.port)
            for _ in range(self.spec.connections)
        ]
        start = time.perf_counter()
        self.end = start + self.spec.seconds
        for _, asker in ways:
            asker.ask()
        await asyncio.wait_for(asyncio.gather(*(asker.done for _, asker in ways)), self.spec.seconds + 30)
        took = time.perf_counter() - start
        for way, _ in ways:
            way.close()
        return Load(rate=len(self.latencies) / took, latencies=self.latencies, errors=self.errors[:5], next=self.next)

    def question(self) -> tuple[bytes, bytes]:
        """The bytes of the next request, and what its answer must hold."""
        spec = self.spec
        if spec.upto:
            number = self.chance.randint(1, spec.upto)
        else:
            number, self.next = self.next, self.next + 1
        courier = str(1 + number % spec.couriers)
        token = spec.tokens[number] if spec.tokens else ""  # none left: the bench stops, nobody leaves twice

        def filled(text: str) -> str:
            return text.replace("{n}", str(number)).replace("{c}", courier).replace("{t}", token)

        body = filled(spec.body).encode()
        head = f"{spec.method} {filled(spec.path)} HTTP/1.1\r\nhost: localhost\r\n{spec.headers}"
        if body:
            head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        return f"{head}\r\n".encode() + body, filled(spec.expects).encode()


class _Asker(asyncio.Protocol):
    """One connection: asks, waits for the whole answer, asks again until the time is over."""

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def ask(self) -> None:
        request, self.expects = self.run.question()
        self.received = b""
        self.asked = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, end, body = self.received.partition(_END)
        if not end:
            return
        at = head.lower().find(_LENGTH)
        length = int(head[at + len(_LENGTH) :].partition(b"\r")[0]) if at >= 0 else 0
        if len(body) < length:
            return
        now = time.perf_counter()
        self.run.latencies.append(now - self.asked)
        if int(head[9:12]) != self.run.spec.status or self.expects not in body:
            self.run.errors.append(f"{head[9:12].decode()}: {body[:200].decode(errors='replace')}")
        if now < self.run.end and not self.run.errors:
            self.ask()
        elif not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.run.errors.append("the connection was closed")
            self.done.set_result(None)


def json_text(value: object) -> str:
    """JSON as a template; `{n}` stands where a number belongs."""
    return msgspec.json.encode(value).decode()
