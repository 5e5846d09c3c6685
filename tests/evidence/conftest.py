"""Keys, a clock that only tests turn, and entries made in a row."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from omonat.base.ids import new_id
from omonat.base.instants import SECOND, Instant, from_rfc3339
from omonat.database.pool import Database
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Journal
from omonat.evidence.keys import LogKeys

ORIGIN = "log.example/evidence"
START = from_rfc3339("2026-12-01T09:00:00+05:00")


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    at: Instant = START

    def __call__(self) -> Instant:
        return self.at

    def pass_(self, microseconds: int) -> Instant:
        self.at = Instant(self.at + microseconds)
        return self.at


def fixed_key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys() -> LogKeys:
    return LogKeys.of(ORIGIN, log=fixed_key(1), clock=fixed_key(2), receipts=fixed_key(3))


@pytest.fixture
def make_entry(clock: Clock) -> Callable[..., Entry]:
    def make(purpose: str = "deliver-order", subjects: tuple[str, ...] = ()) -> Entry:
        return Entry(new_id("ev"), clock(), "use:person:authorised", {"purpose": purpose}, subjects)

    return make


@pytest_asyncio.fixture(loop_scope="session")
async def journal(database: Database, keys: LogKeys, clock: Clock) -> AsyncIterator[Journal]:
    journal = Journal(database, origin=ORIGIN, receipts=keys.receipts, clock=clock)
    await journal.start()
    yield journal
    await journal.stop()


__all__ = ["ORIGIN", "SECOND", "START", "Clock", "fixed_key"]
