"""A parent's message after the policy changed: it counts only while the child's data goes to nobody (K2; 16 CFR
312.5(b)(2)). So each new version is asked what it does with what is held already.

Where it hands it to somebody outside, or nobody can tell, the consent is over: closed at once, the officers have their
work item, and the deadline of a child's data runs anew until a parent agrees in a way that covers it. The parent is
told, once, where they confirmed: whom the data would go to, and how to agree anew; nothing of the child's (N2).
"""

from collections.abc import Collection
from typing import Any, Final

import asyncpg

from omonat.base.errors import BadInput, Fault, OmonatError, Refused
from omonat.base.failpoints import reach
from omonat.base.instants import MINUTE, SECOND, Instant
from omonat.base.logs import log
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.flows.children import Children, Closed
from omonat.flows.grounds import Grounds
from omonat.flows.parent_asks import ParentAsks
from omonat.flows.parent_question import ways_that_cover
from omonat.flows.passing import let_pass
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.words import Language
from omonat.promises.children.asking import decide_more, goes_to, undisclosed_only
from omonat.promises.messages import Value
from omonat.promises.notice.rule import goes_there, notice_purpose

_queries = load("omonat.promises.children")
_asks = load("omonat.promises.children", "asks.sql")
_AT_ONCE = 500
_SETTLED = MINUTE
"""After this nobody confirms any more under the version before."""
_TEMPLATE: Final = "parent-overtaken"
_log = log(__name__)


class ConsentReach:
    """The flow. One per process: it remembers which version it looked at last."""

    def __init__(self, grounds: Grounds, children: Children, asks: ParentAsks) -> None:
        self._grounds = grounds
        self._children = children
        self._parents = asks
        self._looked = 0
        self._since = (0, Instant(0))

    async def look_after(self) -> int:
        """End the consents a new version has overtaken; how many. Part of tidying.

        Each version is asked until it is a minute old here and nobody's look failed: a consent may be confirmed while
        it comes into force.
        """
        policy, now, after, ended, whole = await self._grounds.law.current(), self._grounds.clock(), "", 0, True
        if self._since[0] != policy.ordinal:
            self._since = policy.ordinal, now
        methods = undisclosed_only(policy.packs)
        while methods and policy.ordinal != self._looked:
            async with self._grounds.database.connection() as connection:
                found = _queries.consents_by(connection, methods=methods, after=after, most=_AT_ONCE)
                rows = [row async for row in found]
            for row in rows:
                try:
                    ended += await self._look(policy, row["person"], self._grounds.clock())
                except OmonatError as error:  # one child's trouble leaves no other child open
                    whole = False
                    _log.error("consent-not-looked-at", code=error.code)
            if len(rows) < _AT_ONCE:
                break
            after = rows[-1]["id"]
        if whole and now - self._since[1] >= _SETTLED:
            self._looked = policy.ordinal
        return ended

    async def _look(self, policy: CompiledPolicy, person: str, now: Instant) -> int:
        async with self._grounds.database.transaction() as connection:
            row = await _queries.child(connection, person=person)
            method = row and await _queries.consent_method(connection, person=person)
            if row is None or method is None:
                return 0
            held = await _asks.held_of(connection, person=person)
            to = goes_to(policy, held["services"], held["categories"])
            verdict = decide_more(policy.packs, method, goes_to=to)
            if isinstance(verdict, Allow):
                return 0
            ask = await _asks.standing_ask(connection, person=person)  # before its address goes with the consent
            facts = {"by": "policy", "policy": policy.digest, "code": verdict.reasons[0].code}
            closed = await self._children.withdraw_in(
                connection, row, "data", facts, now=now, act="guardian:consent:overtaken"
            )
            if ask is not None:
                await self._told(connection, policy, row, ask, closed=closed, to=to or (), now=now)
            reach("child.overtaken")
        await let_pass(self._grounds.database, person, now=now)
        return 1

    async def _told(self, connection: asyncpg.Connection, *about: Any, **more: Any) -> None:
        """Tell the parent, or leave it to the officers, who have their work item: the child is closed all the same."""
        try:
            async with connection.transaction():
                await self._tell(connection, *about, **more)
        except (BadInput, Fault, Refused) as error:
            _log.error("parent-not-told", code=error.code)

    async def _tell(
        self,
        connection: asyncpg.Connection,
        policy: CompiledPolicy,
        row: Any,
        ask: Any,
        *,
        closed: Closed,
        to: Collection[str],
        now: Instant,
    ) -> None:
        """Write to the parent, in the transaction that ended their consent. Nobody is written to where the policy has
        no service messages that go there. Raises Refused where the child has since given the address as its own."""
        purpose, language = notice_purpose(policy), Language(ask["language"])
        if purpose is None or ask["address"] is None or not goes_there(purpose, ask["channel"]):
            return
        await self._parents.still_parents(connection, policy, ask, row)
        covering = ways_that_cover(policy, payments=self._parents.takes_payments)
        params: dict[str, Value] = {
            "kind": "service-change",
            "version": policy.version,
            "due": closed.until // SECOND if closed.until is not None else 0,
            "recipients": ", ".join(policy.policy.recipients[each].says[language] for each in to),
            "ways": ", ".join(each.says[language] for each in covering),
            "address": self._parents.address(ask, row),
        }
        await self._parents.write(
            connection, row, _TEMPLATE, params, item=ask["channel"], language=language, now=now,
            once=f"{_TEMPLATE}:{ask['consent']}", purpose=purpose.id,
        )  # fmt: skip
