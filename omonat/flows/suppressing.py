"""Suppressing: an address that left, complained or gave a letter back isn't written to (C3, N2).

Never the address is kept: a digest under a key of the vault, so one that nobody here knows is honoured too. Asked at
the moment of sending, about the very address that was opened.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import DAY, Instant
from omonat.base.verdict import Allow, Reason
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.policy.kinds import normalise
from omonat.policy.words import Kind
from omonat.promises.mailbox.suppression import Suppressed, Why, decide_address
from omonat.promises.messages import Channel, Waiting

_queries = load("omonat.promises.mailbox")
EMAIL: Final = "contact.email"
_SAID_AGAIN: Final = DAY


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of an address a message is about to go to: its digest, and why it may not go, if so."""

    digest: bytes | None = field(default=None, repr=False)
    reason: Reason | None = None


class Suppressing:
    """Writes suppressions, and asks for them."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._vault = grounds.vault

    def digest(self, address: str) -> bytes:
        """What is kept of an address. Raises BadInput for what is none."""
        return self._vault.keyed_digest("mail-address", normal_address(address).encode())

    async def suppress(self, digest: bytes, reason: Why, *, anew: bool = False) -> bool:
        """Write to this address no more; durable with its entry once this returns. False where it was said within a
        day, and no yes came between (`anew` says that one did)."""
        now, entry = self._grounds.clock(), new_id("ev")
        before = now + 1 if anew else now - _SAID_AGAIN
        async with self._grounds.database.transaction() as connection:
            written = await _queries.suppress(
                connection, digest=digest, reason=reason, now=now, entry=entry, before=Instant(before)
            )
            reach("suppress.written")
            if written is None:
                return False
            facts = {"channel": "email", "reason": reason}
            await self._grounds.journal.append(
                connection, [Entry(entry, now, "suppression:address:noted", facts)], now=now
            )
            reach("suppress.recorded")
        return True

    async def look_at(self, message: Waiting, address: str) -> Held:
        """Whether a message may go to the address that was opened for it. Raises Unavailable."""
        if message.channel is not Channel.EMAIL:
            return Held()
        digest = self.digest(address)
        async with self._grounds.database.connection() as connection:
            suppressed = [
                Suppressed(reason=row["reason"], at=row["at"])
                async for row in _queries.suppressed(connection, digest=digest)
            ]
            if not suppressed:
                return Held(digest)
            yes, proved = await self._since(connection, message, address)
        verdict = decide_address(message.message_class.value, suppressed, consented=yes, proved=proved)
        return Held(digest, None if isinstance(verdict, Allow) else verdict.reasons[0])

    async def _since(
        self, connection: Any, message: Waiting, address: str
    ) -> tuple[tuple[Instant, str] | None, Instant | None]:
        digests = self._vault.lookup_digests(EMAIL, normal_address(address))
        row = await _queries.consented(connection, person=message.person, purpose=message.purpose)
        proved = await _queries.proved(connection, person=message.person, item=EMAIL, digests=digests)
        return (None if row is None else (row["at"], row["door"])), proved


def normal_address(address: str) -> str:
    """The form in which equal addresses are equal. Raises BadInput for what is no address."""
    return normalise(Kind.EMAIL, address.strip()).lookup or ""
