"""A parent pays a small amount, with a notice of what it stands for: the provider's signed report opens the data (K2).

1. the page shows the notice and the amount. The button keeps that exactly this was agreed to; only then is there a way
   to the provider's own page. No number of a card is ever typed, sent or kept here
2. the provider reports the payment. It counts once, and only with this question, amount and notice; the law is asked
   again, and so is what is held: where the notice would say something else by now, nobody agreed to that
3. the parent gets a statement: how much, for what, and the link that takes it back
4. a payment that goes back is no consent: what it opened is closed again

What isn't accepted changes nothing; the provider hears why and gives the money back.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import asyncpg

from omonat.base.errors import Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.children import Agreement, Children
from omonat.flows.grounds import Grounds
from omonat.flows.letter_links import parent_link
from omonat.flows.parent_asks import ParentAsks
from omonat.flows.parent_question import born_of, state_of, terms_of
from omonat.flows.passing import let_pass
from omonat.flows.payment_reports import CURRENCY, Provider, Signed, require_signed
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.words import VerifiedBy
from omonat.promises.children.paying import Reported, Terms, decide_payment
from omonat.promises.messages import Value

_queries = load("omonat.promises.children", "asks.sql")
_MOST_NOTICES: Final = 20
"""How often one question shows another notice: each is an entry, and who presses is known by a link alone."""
_WAITS: Final = ("asked", "answered")
Event = Literal["payment.paid", "payment.refunded"]


class ParentPayments:
    """The flow. `provider` is None where the setting names none: then nobody is asked to pay, and no report counts."""

    def __init__(self, grounds: Grounds, children: Children, asks: ParentAsks, provider: Provider | None) -> None:
        self._database = grounds.database
        self._vault = grounds.vault
        self._law = grounds.law
        self._clock = grounds.clock
        self._children = children
        self._asks = asks
        self._provider = provider

    @property
    def set_up(self) -> bool:
        """Whether parents can pay here."""
        return self._provider is not None

    async def agree(self, token: str) -> None:
        """The parent agrees to the notice as it is now, and goes to pay. Nothing opens by it; said again, the newest
        notice counts, and the same one changes nothing. Raises Refused `parent-link-over`, `payments-not-set-up`, and
        by the rule."""
        provider, policy, now, entry = self._require(), await self._law.current(), self._clock(), new_id("ev")
        async with self._database.transaction() as connection:
            ask, row = await self._asks.held(connection, token)
            held = await self._asks.permit(connection, policy, row, ask["method"], VerifiedBy.PAYMENT)
            terms = terms_of(self._vault, policy, ask["id"], held, provider.total)
            notice = bytes.fromhex(terms.notice)
            if (ask["notice"], ask["total"]) == (notice, terms.total):
                return
            shown = await _queries.show_notice(
                connection, id=ask["id"], now=now, notice=notice, total=terms.total, entries={"shown": entry},
                most=_MOST_NOTICES,
            )  # fmt: skip
            if shown is None:
                raise Refused("parent-link-over")
            facts = {"ask": ask["id"], "method": ask["method"], **_said(terms)}
            await self._children.note(connection, row, Entry(entry, now, "guardian:ask:shown", facts))
            reach("parent.shown")

    async def report(self, signed: Signed, event: Event, payment: str, terms: Terms) -> bool:
        """What the provider says of a payment, believed for its signature alone; whether a consent stands by it now.

        Raises Refused `payments-not-set-up`, `payment-unsigned`, `payment-unexpected`, `payment-differs`,
        `payment-counted`, `payment-refunded`, and by the rule.
        """
        signed.require_whole()
        require_signed(self._require(), signed, self._clock())
        policy, now = await self._law.current(), self._clock()
        async with self._database.transaction() as connection:
            found = await _queries.ask(connection, id=terms.ask)
            if found is None or found["erased_at"] is not None:
                raise Refused("payment-unexpected")
            row = await self._children.child(connection, found["person"])
            await _queries.hold_ask(connection, id=terms.ask)
            ask = await _queries.ask(connection, id=terms.ask)
            known = await _queries.payment(connection, id=payment)
            before = None if known is None else Reported(ask=known["ask"], refunded=known["refunded_at"] is not None)
            if event == "payment.paid":
                if before == Reported(ask=ask["id"], refunded=False) and ask["stands"]:
                    return True  # the same report once more: a provider that got no answer asks again
                await self._paid(connection, policy, (ask, row), payment=payment, paid=terms, before=before, now=now)
                return True
            closed = await self._refunded(connection, ask, row, payment, before, now=now)
        if closed:
            await let_pass(self._database, row["id"], now=now)
        return False

    async def _paid(
        self,
        connection: asyncpg.Connection,
        policy: CompiledPolicy,
        held: tuple[Any, Any],
        *,
        payment: str,
        paid: Terms,
        before: Reported | None,
        now: Instant,
    ) -> None:
        """Open the data if this is the payment that was asked for. `held`: the question and its child, both locked.
        Raises Refused."""
        (ask, row), shown = held, None
        if ask["notice"] is not None and state_of(ask, now) in _WAITS:
            shown = Terms(ask=ask["id"], total=ask["total"], currency=CURRENCY, notice=bytes(ask["notice"]).hex())
        verdict = decide_payment(paid, shown, before)
        if not isinstance(verdict, Allow):
            raise Refused(verdict.reasons[0].code)
        now_held = await self._asks.permit(connection, policy, row, ask["method"], VerifiedBy.PAYMENT)
        if terms_of(self._vault, policy, ask["id"], now_held, ask["total"]) != shown:
            raise Refused("payment-differs")
        entry, born = new_id("ev"), born_of(self._vault, ask, row)
        agreement = Agreement(person=row["id"], method=ask["method"], reference=payment, born=born)
        self._children.age_fits(policy, agreement, now)
        await self._asks.still_parents(connection, policy, ask, row)
        await self._keep(connection, ask, payment, {"given": entry}, now=now)
        consent = await self._children.open(
            connection, row, agreement, None, staff=ask["asked_by"], entry=entry, now=now
        )
        if await _queries.pay_ask(connection, id=ask["id"], consent=consent, now=now, entries={"given": entry}) is None:
            raise Refused("payment-unexpected")
        facts = {
            "method": ask["method"], "scope": "data", "ask": ask["id"], "staff": ask["asked_by"], **_said(paid),
            "payment": self._children.commit(row, entry, "payment", payment),
        }  # fmt: skip
        await self._children.note(connection, row, Entry(entry, now, "guardian:consent:given", facts))
        await self._state(connection, ask, row, payment, paid, now=now)
        reach("parent.paid")

    async def _state(
        self, connection: asyncpg.Connection, ask: Any, row: Any, payment: str, paid: Terms, *, now: Instant
    ) -> None:
        """The statement of the transaction, to the parent who paid."""
        params: dict[str, Value] = {
            "address": self._asks.address(ask, row), "link": parent_link(self._vault, ask["id"], "first"),
            "payment": payment, "total": paid.total,
        }  # fmt: skip
        await self._asks.write(
            connection, row, "parent-paid", params, item=ask["channel"], language=ask["language"], now=now
        )

    async def _refunded(
        self, connection: asyncpg.Connection, ask: Any, row: Any, payment: str, before: Reported | None, *, now: Instant
    ) -> bool:
        """The money went back: this payment counts no more, now or later. Whether it closed the data."""
        if before is not None and before.ask != ask["id"]:
            raise Refused("payment-unexpected")
        if before is not None and before.refunded:
            return False
        entry, stood = new_id("ev"), before is not None and ask["stands"]
        if before is None:
            await self._keep(connection, ask, payment, {"refunded": entry}, refunded=now, now=now)
        else:
            await _queries.refund(connection, id=payment, now=now, entries={"refunded": entry})
        facts = {"ask": ask["id"], "payment": self._children.commit(row, entry, "payment", payment)}
        await self._children.note(connection, row, Entry(entry, now, "guardian:payment:refunded", facts))
        if stood:
            ended = {"by": "refund", "ask": ask["id"]}
            await self._children.withdraw_in(connection, row, "data", ended, now=now)
        reach("parent.refunded")
        return stood

    async def _keep(
        self,
        connection: asyncpg.Connection,
        ask: Any,
        payment: str,
        entries: Mapping[str, str],
        *,
        now: Instant,
        refunded: Instant | None = None,
    ) -> None:
        """Remember the payment, so that it counts once. Raises Refused where another report was faster."""
        kept = await _queries.add_payment(
            connection, id=payment, ask=ask["id"], person=ask["person"], now=now, refunded=refunded, entries=entries
        )
        if kept is None:
            raise Refused("payment-counted")

    def _require(self) -> Provider:
        if self._provider is None:
            raise Refused("payments-not-set-up")
        return self._provider


def _said(terms: Terms) -> Mapping[str, Any]:
    return {"total": terms.total, "currency": terms.currency, "notice": terms.notice}
