"""Once: a write under an `Idempotency-Key` is done once; saying it again gets the first answer.

The answer is kept in the transaction of the change, so both stand or fall together: a consent is not given a second
time after it was taken back. `collect` does so by itself; for the other writes a claim comes first, and one left by a
process that died stands for a change that was never made, and may be taken over after a minute. Only keyed digests of
key and request are kept, and the answer is sealed: it may hold words, like those of a hold.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final

import msgspec

from omonat.api.ports import Hiding
from omonat.base.errors import BadInput, OmonatError, Unavailable
from omonat.base.failpoints import reach
from omonat.base.instants import MINUTE, Instant
from omonat.database.pool import Database
from omonat.database.statements import load

_queries = load("omonat.api", "once.sql")
Keep = Callable[[Any, bytes], Awaitable[None]]
"""Keeps an answer, printed, on the connection of the change it answers."""
_STALE: Final = MINUTE


def request_digest(operation: str, path: str, raw: bytes) -> bytes:
    """The same for the same request, different for any other."""
    return sha256(f"{operation}\n{path}\n".encode() + raw).digest()


class Once:
    """Keeps keys and answers for the writes that don't keep them themselves."""

    def __init__(self, database: Database, vault: Hiding, clock: Callable[[], Instant]) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    async def __call__(
        self, *, client: str, key: str, request: bytes, work: Callable[[Keep], Awaitable[bytes]], shape: Any
    ) -> bytes:
        """The answer of `work`, which it keeps in its own transaction, or the one kept, printed in the same `shape`.

        Raises BadInput `key-reused`, Unavailable `key-busy`.
        """
        named = self._vault.keyed_digest("idempotency-key", f"{client}\n{key}".encode())
        digest = self._vault.keyed_digest("idempotency-body", request)
        kept = await self._claim(client, named, digest)
        if kept is not None:
            return msgspec.json.encode(msgspec.convert(kept, shape))  # `collect` keeps jsonb: no order of keys
        reach("once.claimed")

        async def keep(connection: Any, answer: bytes) -> None:
            reach("once.done")
            sealed = self._vault.seal_value(_context(client, named), answer)
            kept = await _queries.keep(connection, client=client, key=named, sealed=sealed)
            if not kept:  # we took so long that the claim was taken over: this change is not made
                raise Unavailable("key-busy")
            reach("once.kept")

        try:
            return await work(keep)
        except BaseException:
            with suppress(OmonatError):  # without a database the claim stays, and may be taken over in a minute
                async with self._database.connection() as connection:
                    await _queries.release(connection, client=client, key=named)
            raise

    async def _claim(self, client: str, key: bytes, digest: bytes) -> Any:
        """The answer that is kept; None when the work is ours to do."""
        now = self._clock()
        async with self._database.connection() as connection:
            row: Any = await _queries.claim(
                connection, client=client, key=key, request=digest, now=now, stale=now - _STALE
            )
            if row is not None:
                return None
            row = await _queries.kept(connection, client=client, key=key)
        if row is None or (row["request"] == digest and "pending" in row["answer"]):
            raise Unavailable("key-busy")
        if row["request"] != digest:
            raise BadInput("key-reused")
        if row["sealed"] is None:
            return row["answer"]
        return msgspec.json.decode(self._vault.open_value(_context(client, key), row["sealed"]))


def _context(client: str, key: bytes) -> str:
    """What a kept answer is bound to: nobody gets another one's by moving it."""
    return f"idempotency-answer:{client}:{key.hex()}"
