"""A log that can be written twice, a witness that watches it, and a way to speak to it by HTTP."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from omonat.base.instants import SECOND, Instant, from_rfc3339
from omonat.evidence.note import Checkpoint, Note, Signer
from omonat.evidence.tree import prove_consistency, root_of
from omonat.witness.door import application
from omonat.witness.memory import Memory
from omonat.witness.rule import Request

ORIGIN = "shop.example/log"
NAME = "witness.example/w1"
_numbers = itertools.count(1)
START = from_rfc3339("2026-12-01T09:00:00+05:00")


@dataclass
class Clock:
    """Time that stands still until somebody turns it."""

    at: Instant = START

    def __call__(self) -> Instant:
        return self.at


def key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


@dataclass
class FakeLog:
    """Leaf hashes and a key: enough to sign anything, also two histories."""

    signer: Signer = field(default_factory=lambda: Signer(ORIGIN, key(1)))
    leaves: list[bytes] = field(default_factory=lambda: [bytes([n % 256, n // 256]) * 16 for n in range(600)])

    def root(self, size: int) -> bytes:
        return root_of(self.leaves[:size])

    def note(self, size: int, *, root: bytes | None = None, signers: Sequence[Signer] | None = None) -> Note:
        text = str(Checkpoint(self.signer.name, size, self.root(size) if root is None else root))
        return Note.sign(text, signers or (self.signer,), now=START)

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        def node(level: int, index: int) -> bytes:
            return root_of(self.leaves[index << level : (index + 1) << level])

        return tuple(prove_consistency(old, new, node))

    def request(self, old: int, new: int, **changed: object) -> Request:
        note = self.note(new)
        parts = {"old": old, "proof": self.proof(old, new) if 0 < old <= new else (), "note": note, **changed}
        return Request(checkpoint=Checkpoint.parse(parts["note"].text), **parts)  # type: ignore[attr-defined,arg-type]

    def forked(self, at: int) -> "FakeLog":
        """The same log with another history from an entry on."""
        return FakeLog(self.signer, [*self.leaves[:at], *(bytes([255 - one[0]]) * 32 for one in self.leaves[at:])])


@asynccontextmanager
async def answering(app: object) -> AsyncIterator[str]:
    """The application on a real socket of this machine; its address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listening.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def memory(short_folder: Path, log: FakeLog) -> Memory:
    """A witness that watches the log and has seen nothing of it. In memory where there is plenty, as databases are."""
    made = Memory.create(short_folder / f"witness-{next(_numbers)}", NAME)
    made.trust(log.signer.verifier.vkey)
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def http(memory: Memory, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        answering(application(memory, clock)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client


__all__ = ["NAME", "ORIGIN", "SECOND", "START", "Clock", "FakeLog", "answering", "key"]
