"""Follow a request: whoever asked sees how far it is, reads the answer, and may say that it didn't settle it (A2).

With number and code, or signed in. The code opens the answer only where the request came without an account: what
belongs to somebody's account is read there.
"""

from dataclasses import dataclass, replace
from typing import Any

from omonat.base.errors import Refused
from omonat.base.failpoints import reach
from omonat.base.instants import HOUR, Instant
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.flows.answer_requests import DESK
from omonat.flows.escalate import escalated
from omonat.flows.grounds import Grounds
from omonat.flows.my_data import ViewMyData
from omonat.flows.reckon import note_moved
from omonat.flows.requesting import (
    count,
    deadline_for,
    entry_about,
    is_code_of,
    locked_request,
    queries,
    require,
    standing_of,
    tidy,
)
from omonat.promises.requests.escalation import Step
from omonat.promises.requests.facts import ANSWER, TEXT, Act, Kind, Outcome, Settled, State
from omonat.promises.requests.rule import decide_act

_cases = load("omonat.promises.cases")
_MOST = 100
_LOOKS_FROM_ONE_ADDRESS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A request as whoever asked sees it. `answers` are opened only where asked for, the newest first; None: not
    opened. `waits_for_proof`: the code sent to `channel` is still to be typed. `found`: nobody asked, staff found
    `item` wrong; `settled` is what came of it; `proving`: the new phone or e-mail waits for its owner's code.
    `escalated`: it waits for its answer, and the role in `escalated_to` was told that the deadline is near or over."""

    number: str
    kind: Kind
    state: State
    received_at: Instant
    due_at: Instant
    channel: str | None
    waits_for_proof: bool
    answered_at: Instant | None
    outcome: Outcome | None
    reason: str | None
    may_reopen: bool
    of_account: bool
    found: bool = False
    item: str = ""
    settled: Settled | None = None
    proving: bool = False
    escalated: Step | None = None
    escalated_at: Instant | None = None
    escalated_to: str | None = None
    answers: tuple[str, ...] | None = None
    asked: str | None = None


class FollowRequest:
    """The flow of following."""

    def __init__(self, grounds: Grounds, my_data: ViewMyData) -> None:
        self._grounds = grounds
        self._my_data = my_data

    async def by_code(self, number: str, code: str, *, caller: str) -> Followed:
        """The request of this number and code, with its answer where there is one and no account it belongs to.

        Raises Refused `request-unknown` for a wrong number and a wrong code alike, `too-many-requests`.
        """
        row = await self._of_code(number, code, caller)
        found = self._followed(row)
        if found.of_account or found.answered_at is None or row["slot"] is None:
            return found
        return await self._opened(row, found)

    async def mine(self, person: str) -> tuple[Followed, ...]:
        """A person's own requests, newest first; nothing of theirs is opened for this."""
        async with self._grounds.database.connection() as connection:
            rows = [row async for row in queries.requests_of(connection, person=person, most=_MOST)]
        return tuple(self._followed({**row, "letter_waits": False, "of_account": True}) for row in rows)

    async def one_of_mine(self, person: str, number: str) -> Followed:
        """One of a person's own requests with what was asked and answered. Raises Refused `request-unknown`."""
        row = await self.row(number, person=person)
        return await self._opened(row, self._followed(row))

    async def row(self, number: str, *, code: str = "", person: str | None = None, caller: str = "") -> Any:
        """A request's row, for whoever has number and code, or for its person. Raises Refused `request-unknown`."""
        if person is None:
            return await self._of_code(number, code, caller)
        row = await self._row(tidy(number))
        if row is None or row["person"] != person:
            raise Refused("request-unknown")
        return row

    async def reopen(self, number: str, code: str, *, caller: str) -> None:
        """It wasn't settled, says whoever has number and code. Raises Refused as `by_code`, and by the rule."""
        row = await self._of_code(number, code, caller)
        await self._reopen(row["number"])

    async def reopen_mine(self, person: str, number: str) -> None:
        """It wasn't settled, says the person. Raises Refused."""
        row = await self.row(number, person=person)
        await self._reopen(row["number"])

    async def _reopen(self, number: str) -> None:
        policy, now = await self._grounds.law.current(), self._grounds.clock()
        async with self._grounds.database.transaction() as connection:
            row = await locked_request(connection, number)
            if row is None or row["slot"] is None:
                raise Refused("request-unknown")
            require(decide_act(standing_of(row), Act.REOPEN, by=None, now=now))
            due = await deadline_for(self._grounds, policy, Kind(row["kind"]), now)
            await queries.reopen(connection, number=number, due_at=due, now=now)
            await queries.open_case_again(connection, id=row["case_id"])
            if row["kind"] == Kind.COMPLAINT.value:
                await _cases.note_anchor(connection, id=row["case_id"], name="last-complaint", at=now)
            await note_moved(connection, "case", [row["case_id"]], now)
            again = entry_about(self._grounds.vault, "reopened", row, now, due=due)
            await self._grounds.journal.append(connection, [again], now=now)
            reach("request.reopened")

    async def _of_code(self, number: str, code: str, caller: str) -> Any:
        now = self._grounds.clock()
        if caller and await count(self._grounds, f"request-looks:{caller}", HOUR, now) > _LOOKS_FROM_ONE_ADDRESS:
            raise Refused("too-many-requests")
        number = tidy(number)
        row = await self._row(number)
        if not is_code_of(self._grounds.vault, number, code) or row is None:
            raise Refused("request-unknown")
        return row

    async def _row(self, number: str) -> Any:
        async with self._grounds.database.connection() as connection:
            return await queries.request_by_number(connection, number=number)

    def _followed(self, row: Any) -> Followed:
        standing = standing_of(row)
        now = self._grounds.clock()
        return Followed(
            number=row["number"],
            kind=standing.kind,
            state=standing.state,
            received_at=row["received_at"],
            due_at=row["due_at"],
            channel=row["channel"],
            waits_for_proof=isinstance(decide_act(standing, Act.CONFIRM, by=None, now=now), Allow),
            answered_at=row["answered_at"],
            outcome=Outcome(row["outcome"]) if row["outcome"] else None,
            reason=row["reason"],
            may_reopen=isinstance(decide_act(standing, Act.REOPEN, by=None, now=now), Allow),
            of_account=row["of_account"],
            found=row["door"] == DESK,
            item=row["item"] or "",
            settled=standing.settled,
            proving=standing.state is State.CLAIMED and row["proof_asked_at"] is not None,
            **escalated(row),
        )

    async def _opened(self, row: Any, found: Followed) -> Followed:
        """With what was asked and answered: opened under the person's own right of access, with its entry."""
        data = await self._my_data(row["person"], frozenset({TEXT.partition(".")[0]}))
        mine = [held for held in data.held if held.case == row["case_id"]]
        asked = [str(held.value) for held in mine if held.item == TEXT]
        answers = [str(held.value) for held in mine if held.item == ANSWER]
        return replace(found, answers=tuple(answers), asked=asked[0] if asked else None)
