"""Row leases: work that one process at a time may do, with a fence that tells a late writer it has lost.

Rows, not session locks: they survive a pooler, are the same on every engine, and can be looked at. Every function is
one statement. A lease that ran out is only known to be lost when somebody else took it: a writer calls `confirm` in
the transaction that writes, which also keeps a taker waiting until that transaction has ended.
"""

from dataclasses import dataclass

import asyncpg

from omonat.base.errors import Unavailable
from omonat.base.instants import MINUTE, Instant
from omonat.database import statements

CLOCKS_AGREE = MINUTE
"""Clocks of several hosts are taken to be this close. A lease that ends later than anybody's clock could make it end
was taken under a clock that was set back since; waiting for it could take hours, and its fence keeps it harmless."""

_queries = statements.load(__package__, "leases.sql")


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as its holder knows it: `fence` is higher than that of every holder before."""

    name: str
    holder: str
    fence: int
    until: Instant


async def acquire(
    connection: asyncpg.Connection, name: str, *, holder: str, now: Instant, lasting: int
) -> Lease | None:
    """Take the lease for `lasting` microseconds, or None while somebody else holds it.

    `lasting` is that of everybody who takes this lease.
    """
    until = now + lasting
    row = await _queries.acquire(
        connection, name=name, holder=holder, now=now, until=until, absurd=until + CLOCKS_AGREE
    )
    return None if row is None else Lease(name, holder, row["fence"], row["until"])


async def renew(connection: asyncpg.Connection, lease: Lease, *, now: Instant, lasting: int) -> Lease | None:
    """The same lease with a later end, or None when it is lost: then stop, and acquire anew."""
    until = Instant(now + lasting)
    fence = await _queries.renew(
        connection, name=lease.name, holder=lease.holder, fence=lease.fence, now=now, until=until
    )
    return None if fence is None else Lease(lease.name, lease.holder, lease.fence, until)


async def release(connection: asyncpg.Connection, lease: Lease) -> None:
    """Give the lease back, so that the next holder need not wait; does nothing when it is lost already."""
    await _queries.release(connection, name=lease.name, holder=lease.holder, fence=lease.fence)


async def confirm(connection: asyncpg.Connection, lease: Lease) -> None:
    """Inside the writing transaction: nobody has taken the lease, nor will before this transaction ends.

    Raises Unavailable `lease-lost`.
    """
    fence = await _queries.confirm(connection, name=lease.name, holder=lease.holder, fence=lease.fence)
    if fence is None:
        raise Unavailable("lease-lost", lease=lease.name)
