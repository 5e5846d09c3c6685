"""Parents who are written to: first the notice and a question, after the law's delay a second message that says how to
take it back; only what is confirmed there opens a child's data (K2, 16 CFR 312.5(b)(2)).

1. an officer gives the parent's address: never one of the child's own. The rule says whether the way is open here
2. the first message says what is held and asks; looking at the page changes nothing, the button answers
3. the second one goes after the delay. Nothing is open before it is confirmed, and the rule is asked once more then.
   Where the law lists payment, the parent pays instead, and the provider's report opens (`parent_payments`)
4. the same links take the consent back for as long as it stands: closed at once, and deleted by the deadline as before

The links are signed and prove that somebody reads at the address, no more: the page shows kinds of data, never a value.
Nothing waits for an answer: the deadline of the child's data runs on.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, Literal

import asyncpg

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.children import Agreement, Children
from omonat.flows.confirm import CHANNELS
from omonat.flows.grounds import Grounds
from omonat.flows.letter_links import ParentStep, parent_link, read_parent_link
from omonat.flows.parent_question import (
    Asked,
    Question,
    Shown,
    about,
    address_context,
    asked_of,
    born_of,
    digests_of,
    first_message,
    kind_of,
    read_address,
    second_message,
    state_of,
    terms_of,
)
from omonat.flows.passing import let_pass
from omonat.flows.payment_reports import Provider
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.words import Language, VerifiedBy
from omonat.promises.children.asking import confirm_from, decide_ask, goes_to, over_at
from omonat.promises.children.guardian import born_context
from omonat.promises.messages import Message, Value, put

_queries = load("omonat.promises.children", "asks.sql")
_PURPOSE: Final = "account-codes"
_AT_ONCE: Final = 500


class ParentAsks:
    """The flow. A parent is whoever holds the link; an officer is one in office."""

    def __init__(self, grounds: Grounds, children: Children, provider: Provider | None) -> None:
        self._grounds = grounds
        self._database = grounds.database
        self._vault = grounds.vault
        self._law = grounds.law
        self._clock = grounds.clock
        self._children = children
        self._provider = provider

    # The officer ------------------------------------------------------------------------------------------------

    async def ask(self, question: Question, *, by: str) -> Asked:
        """Write to a parent. Raises BadInput for an address that is none, Refused by the rule,
        `guardian-already-agreed` and `parent-address-childs`."""
        policy, now, entry, id = await self._law.current(), self._clock(), new_id("ev"), new_id("pas")
        item, normal = read_address(policy, question.address)
        if question.language not in tuple(Language):
            raise BadInput("form-unclear")
        self._children.age_fits(policy, Agreement(person="", method="", reference="", born=question.born), now)
        async with self._database.transaction() as connection:
            staff = await self._children.officer(connection, by, now)
            row = await self._children.child(connection, question.person)
            if "data" in row["consented"]:
                raise Refused("guardian-already-agreed")
            by_what = kind_of(policy, question.method)
            if by_what is VerifiedBy.PAYMENT and self._provider is None:
                raise Refused("payments-not-set-up")
            held = await self.permit(connection, policy, row, question.method, by_what)
            await self._not_childs(connection, policy, row, item, str(normal.value))
            until = over_at(policy.packs, question.method, now, policy.zone)
            if until is None:
                raise Refused("consent-period-unknown", method=question.method)
            seal = partial(self._vault.seal_value, slot=row["slot"])
            born = None
            if question.born is not None:
                born = seal(born_context(row["id"]), question.born.isoformat().encode())
            await _queries.add_ask(
                connection, id=id, person=row["id"], method=question.method, channel=item,
                address=seal(address_context(id), str(normal.value).encode()), born=born, language=question.language,
                by=staff, now=now, over=until, entries={"written": entry},
            )  # fmt: skip
            kinds, _ = about(policy, held["services"], held["categories"])
            what = ", ".join(policy.policy.categories[each].says[Language(question.language)] for each in kinds)
            params: dict[str, Value] = {
                "address": str(normal.value), "link": parent_link(self._vault, id, "first"), "what": what,
            }  # fmt: skip
            template = "parent-ask"
            if by_what is VerifiedBy.PAYMENT and self._provider is not None:
                template, params["total"] = "parent-pay", self._provider.total
            await self.write(
                connection, row, template, params, item=item, language=question.language, now=now,
                once=first_message(id),
            )  # fmt: skip
            facts = {
                "ask": id, "method": question.method, "channel": item, "staff": staff,
                "to": self._children.commit(row, entry, "to", str(normal.value)),
            }  # fmt: skip
            await self._children.note(connection, row, Entry(entry, now, "guardian:ask:written", facts))
            reach("parent.asked")
        return Asked(
            id=id, person=row["id"], method=question.method, channel=item, state="asked", asked_at=now, over_at=until
        )

    async def of(self, person: str) -> tuple[Asked, ...]:
        """The questions about a child, the newest first."""
        now = self._clock()
        async with self._database.connection() as connection:
            return tuple([asked_of(row, person, now) async for row in _queries.asks_of(connection, person=person)])

    async def stop(self, id: str, *, by: str) -> None:
        """An officer calls a question back: it went to the wrong address, say. Raises Refused."""
        await self._end(id, "stopped", by=by)

    async def forget_addresses(self) -> int:
        """Parents' addresses, and birth dates that came with them, go with questions that are over. Part of tidying;
        how many."""
        now, gone = self._clock(), 0
        while True:
            async with self._database.transaction() as connection:
                found = _queries.forget_addresses(connection, now=now, most=_AT_ONCE)
                some = len([row async for row in found])
            gone += some
            if some < _AT_ONCE:
                return gone

    # The parent -------------------------------------------------------------------------------------------------

    async def show(self, token: str) -> Shown:
        """What the link opens. Raises Refused `parent-link-over`."""
        policy, now = await self._law.current(), self._clock()
        async with self._database.connection() as connection:
            row, step = await self._linked(connection, token)
            held = await _queries.held_of(connection, person=row["person"])
        kinds, purposes = about(policy, held["services"], held["categories"])
        shown = Shown(
            asked=asked_of(row, row["person"], now), step=step, categories=tuple(kinds), purposes=tuple(purposes)
        )
        if self._provider is None or kind_of(policy, row["method"]) is not VerifiedBy.PAYMENT:
            return shown
        terms, pay_at = terms_of(self._vault, policy, row["id"], held, self._provider.total), ""
        if row["notice"] == bytes.fromhex(terms.notice):  # agreed to exactly this; what changed since is agreed to anew
            pay_at = self._provider.address(terms, row["language"])
        return replace(shown, total=terms.total, pay_at=pay_at)

    async def answer(self, token: str) -> None:
        """The first yes: nothing opens by it, the second message is on its way. Said again, nothing changes.

        Raises Refused `parent-link-over`, and by the rule.
        """
        policy, now, entry = await self._law.current(), self._clock(), new_id("ev")
        async with self._database.transaction() as connection:
            ask, row = await self.held(connection, token)
            if ask["confirm_from"] is not None:
                return
            await self.permit(connection, policy, row, ask["method"], VerifiedBy.MESSAGE)
            begins = confirm_from(policy.packs, ask["method"], now, policy.zone)
            until = begins and over_at(policy.packs, ask["method"], begins, policy.zone)
            if begins is None or until is None:
                raise Refused("consent-period-unknown", method=ask["method"])
            answered = await _queries.answer_ask(
                connection, id=ask["id"], now=now, begins=begins, over=until, entries={"answered": entry}
            )
            if answered is None:
                raise Refused("parent-link-over")
            params: dict[str, Value] = {
                "address": self.address(ask, row),
                "link": parent_link(self._vault, ask["id"], "second"),
            }
            await self.write(
                connection, row, "parent-confirm", params, item=ask["channel"], language=ask["language"], now=now,
                due=begins, once=second_message(ask["id"]),
            )  # fmt: skip
            facts = {"ask": ask["id"], "method": ask["method"]}
            await self._children.note(connection, row, Entry(entry, now, "guardian:ask:answered", facts))
            reach("parent.answered")

    async def confirm(self, token: str) -> None:
        """The second yes, by the second message alone: the child's data is open again.

        Raises Refused `parent-link-over`, `parent-link-early`, `child-of-age`, and by the rule.
        """
        policy, now, entry = await self._law.current(), self._clock(), new_id("ev")
        async with self._database.transaction() as connection:
            ask, row = await self.held(connection, token, step="second")
            if ask["stands"]:
                return
            if ask["confirm_from"] is None or now < ask["confirm_from"]:
                raise Refused("parent-link-early")
            await self.permit(connection, policy, row, ask["method"], VerifiedBy.MESSAGE)
            agreement = Agreement(
                person=row["id"], method=ask["method"], reference=ask["id"], born=born_of(self._vault, ask, row)
            )
            self._children.age_fits(policy, agreement, now)
            await self.still_parents(connection, policy, ask, row)
            consent = await self._children.open(
                connection, row, agreement, None, staff=ask["asked_by"], entry=entry, now=now
            )
            if (
                await _queries.consent_ask(connection, id=ask["id"], consent=consent, now=now, entries={"given": entry})
                is None
            ):
                raise Refused("parent-link-over")
            facts = {"method": ask["method"], "scope": "data", "ask": ask["id"], "staff": ask["asked_by"]}
            await self._children.note(connection, row, Entry(entry, now, "guardian:consent:given", facts))
            reach("parent.confirmed")

    async def refuse(self, token: str) -> None:
        """The parent says no, to the first question or the second: no more messages. Raises Refused."""
        async with self._database.connection() as connection:
            row, _ = await self._linked(connection, token)
        await self._end(row["id"], "refused")

    async def take_back(self, token: str) -> None:
        """The parent takes back what they confirmed: closed at once, deleted by the deadline. Raises Refused
        `no-parental-consent`."""
        now = self._clock()
        async with self._database.transaction() as connection:
            ask, row = await self.held(connection, token)
            if not ask["stands"]:
                raise Refused("no-parental-consent")
            facts = {"by": "parent", "ask": ask["id"]}
            await self._children.withdraw_in(connection, row, "data", facts, now=now)
        await let_pass(self._database, row["id"], now=now)

    # What they share --------------------------------------------------------------------------------------------

    async def permit(
        self, connection: asyncpg.Connection, policy: CompiledPolicy, row: Any, method: str, by: VerifiedBy
    ) -> Any:
        """What is held, by its kinds, if a parent may be asked about it in this way. Raises Refused."""
        if "data" in row["consented"]:
            raise Refused("parent-already-agreed")
        held = await _queries.held_of(connection, person=row["id"])
        verdict = decide_ask(
            policy.packs, method, by=by, quarantined=row["quarantined_at"] is not None,
            goes_to=goes_to(policy, held["services"], held["categories"]),
        )  # fmt: skip
        if not isinstance(verdict, Allow):
            raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)
        return held

    async def still_parents(self, connection: asyncpg.Connection, policy: CompiledPolicy, ask: Any, row: Any) -> None:
        """Raises Refused where the child has given the parent's address as its own since."""
        await self._not_childs(connection, policy, row, ask["channel"], self.address(ask, row))

    @property
    def takes_payments(self) -> bool:
        """Whether a provider is set up."""
        return self._provider is not None

    async def _not_childs(
        self, connection: asyncpg.Connection, policy: CompiledPolicy, row: Any, item: str, address: str
    ) -> None:
        digests = digests_of(self._vault, policy, item, address)
        if await _queries.is_childs(connection, person=row["id"], digests=digests):
            raise Refused("parent-address-childs")

    def address(self, ask: Any, row: Any) -> str:
        """Where the parent was written to."""
        return self._vault.open_value(address_context(ask["id"]), bytes(ask["address"]), slot=row["slot"]).decode()

    async def _linked(self, connection: asyncpg.Connection, token: str) -> tuple[Any, ParentStep]:
        """The question a link belongs to. Raises Refused: no link of ours, over, ended, or the child is erased."""
        link = read_parent_link(self._vault, token)
        row = await _queries.ask(connection, id=link[0]) if link is not None else None
        if link is None or row is None or row["erased_at"] is not None:
            raise Refused("parent-link-over")
        if state_of(row, self._clock()) not in ("asked", "answered", "stands"):
            raise Refused("parent-link-over")
        return row, link[1]

    async def held(self, connection: asyncpg.Connection, token: str, *, step: ParentStep = "first") -> tuple[Any, Any]:
        """The question and its child, both held; what the link says is read again under the lock."""
        found, at = await self._linked(connection, token)
        row = await self._children.child(connection, found["person"])
        if step == "second" and at != "second":
            raise Refused("parent-link-early")
        await _queries.hold_ask(connection, id=found["id"])
        again, _ = await self._linked(connection, token)
        return again, row

    async def _end(self, id: str, ended_as: Literal["refused", "stopped"], *, by: str = "") -> None:
        now, entry = self._clock(), new_id("ev")
        async with self._database.transaction() as connection:
            facts: dict[str, Any] = {"ask": id}
            if by:
                facts["staff"] = await self._children.officer(connection, by, now)
            ask = await _queries.ask(connection, id=id)
            if ask is None:
                raise Refused("parent-link-over")
            row = await self._children.child(connection, ask["person"])
            if await _queries.end_ask(connection, id=id, now=now, ended_as=ended_as, entries={ended_as: entry}) is None:
                raise Refused("parent-link-over")
            once = [first_message(id), second_message(id)]
            await _queries.call_back(connection, person=row["id"], once=once, now=now)
            await self._children.note(connection, row, Entry(entry, now, f"guardian:ask:{ended_as}", facts))
            reach("parent.ended")
        await let_pass(self._database, row["id"], purpose=_PURPOSE, now=now)

    async def write(
        self,
        connection: asyncpg.Connection,
        row: Any,
        template: str,
        params: Mapping[str, Value],
        *,
        item: str,
        language: str,
        now: Instant,
        due: Instant | None = None,
        once: str | None = None,
        purpose: str = _PURPOSE,
    ) -> None:
        """A message to a parent, under the child's key; it leaves when the transaction has committed."""
        message = Message(
            person=row["id"], template=template, purpose=purpose, channel=CHANNELS[item], address_item=item,
            language=language, params=params, due=due, once=once,
        )  # fmt: skip
        await put(connection, message, seal=partial(self._vault.seal_value, slot=row["slot"]), now=now)
