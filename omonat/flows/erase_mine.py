"""Erase mine: a person deletes what is held about them, all of it or a part, by themselves (R3, Q2).

1. the plan: what goes, what stays, why, until when; a hold they may not be told of is called what it is in law
2. a fresh code to a channel known before (`confirm`): a stolen browser deletes nobody
3. the erasure, and in its transaction the receipt: the session ends with the person, so the receipt stands at an
   address that only they have. It is kept as a digest, tells nobody's name, and ends after some weeks.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from os import urandom
from typing import Any, Final

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.instants import DAY, Instant
from omonat.database.statements import load
from omonat.flows.confirm import Act, Confirm, Deed
from omonat.flows.erase import Erase, Erasure, ErasureRequest, Plan
from omonat.flows.grounds import Grounds
from omonat.promises.retention.rule import as_told

_erasures = load("omonat.promises.retention", "erasures.sql")
TOLD_FOR: Final = 45 * DAY
"""How long a receipt is told: the last stage comes about a month after the erasure."""
_LENGTH: Final = 43


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to go: everything, one record, one item, or one item of one record."""

    record: str | None = None
    item: str | None = None

    @property
    def everything(self) -> bool:
        """Whether the person leaves."""
        return self.record is None and self.item is None

    def of(self, person: str, by: str = "person") -> ErasureRequest:
        """The same as a request."""
        return ErasureRequest(person=person, record=self.record, items=(self.item,) if self.item else (), by=by)

    def act(self, person: str, guardian: str = "") -> Act:
        """The same as what a code confirms: the person's own, or the guardian's over this child."""
        exactly = f"{self.record or ''} {self.item or ''}"
        if guardian:
            return Act(person=guardian, deed="delete-child", exactly=f"{person} {exactly}")
        deed: Deed = "delete-all" if self.everything else "delete-part"
        return Act(person=person, deed=deed, exactly=exactly)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An erasure as its receipt names it."""

    erasure: str
    until: Instant


def new_token() -> str:
    """256 random bits, for the address of a receipt."""
    return urlsafe_b64encode(urandom(32)).rstrip(b"=").decode()


class EraseMine:
    """The person's own erasure."""

    def __init__(self, grounds: Grounds, erase: Erase, confirm: Confirm) -> None:
        self._grounds = grounds
        self._erase = erase
        self._confirm = confirm

    async def plan(self, person: str, wanted: Wanted) -> Plan:
        """What would go and stay, as the person may be told. Raises as `Erase.plan`."""
        found = await self._erase.plan(wanted.of(person))
        return Plan(goes=found.goes, stays=as_told(found.stays))

    async def ask(self, person: str, wanted: Wanted, channel: str, *, language: str, guardian: str = "") -> str:
        """Send the code that confirms exactly this: to the person, or to the guardian who decides for them.

        Raises as `Confirm.ask`, BadInput for an unknown item."""
        policy = await self._grounds.law.current()
        if wanted.item is not None:
            policy.item(wanted.item)
        return await self._confirm.ask(wanted.act(person, guardian), channel, language=language)

    async def __call__(
        self, person: str, wanted: Wanted, *, ticket: str, code: str, token: str, guardian: str = ""
    ) -> Erasure:
        """Erase, once the code is right; `token` is the receipt's address from then on.

        Raises Refused `code-wrong`, and as `Erase`.
        """
        _whole(token)
        await self._confirm.enter(ticket, wanted.act(person, guardian), code)
        reach("erase-mine.confirmed")

        async def receipt(connection: Any, erasure: Erasure) -> None:
            until = Instant(self._grounds.clock() + TOLD_FOR)
            await _erasures.keep_receipt(connection, token=self._digest(token), erasure=erasure.id, until=until)
            reach("erase-mine.receipt-kept")

        return await self._erase(wanted.of(person, "guardian" if guardian else "person"), receipt)

    async def receipt(self, token: str) -> Receipt:
        """Which erasure is told at this address. Raises BadInput `receipt-unknown` for any other, and later."""
        try:
            _whole(token)
        except Refused:
            raise BadInput("receipt-unknown") from None
        async with self._grounds.database.connection() as connection:
            row = await _erasures.erasure_of_receipt(connection, token=self._digest(token), now=self._grounds.clock())
        if row is None:
            raise BadInput("receipt-unknown")
        return Receipt(erasure=row["erasure"], until=row["until"])

    def _digest(self, token: str) -> bytes:
        return self._grounds.vault.keyed_digest("erasure-receipt", token.encode())


def _whole(token: str) -> None:
    if len(token) != _LENGTH or not token.isascii():
        raise Refused("code-wrong")
