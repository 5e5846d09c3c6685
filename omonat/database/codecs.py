"""How PostgreSQL's values become ours: `timestamptz` is an `Instant`, `jsonb` is plain Python data."""

from typing import Any, Final

import asyncpg
import msgspec

from omonat.base.instants import SECOND, Instant

FOREVER: Final = Instant(2**63 - 1)
"""PostgreSQL's `infinity`: later than every instant."""
NEVER: Final = Instant(-(2**63))
"""PostgreSQL's `-infinity`: earlier than every instant."""

_EPOCH_2000 = 946_684_800 * SECOND  # PostgreSQL counts microseconds from 2000-01-01T00:00:00Z
_JSONB_VERSION = b"\x01"

_encode_json = msgspec.json.Encoder().encode
_decode_json = msgspec.json.Decoder().decode


def _to_wire(instant: int) -> tuple[int]:
    if instant in (FOREVER, NEVER):
        return (instant,)
    return (instant - _EPOCH_2000,)


def _from_wire(wire: tuple[int]) -> Instant:
    (since_2000,) = wire
    if since_2000 in (FOREVER, NEVER):
        return Instant(since_2000)
    return Instant(since_2000 + _EPOCH_2000)


def _to_jsonb(value: Any) -> bytes:
    return _JSONB_VERSION + _encode_json(value)


def _from_jsonb(wire: bytes) -> Any:
    return _decode_json(memoryview(wire)[1:])


async def install(connection: asyncpg.Connection) -> None:
    """Teach one connection our types; costs no round trip, both are built into the server."""
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", encoder=_to_wire, decoder=_from_wire, format="tuple"
    )
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
    )
