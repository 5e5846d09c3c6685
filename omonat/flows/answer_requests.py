"""Answer requests: who may sees what is open, the earliest deadline first, claims one, answers it, closes it (A2, Q2).

The list holds no value of anybody: text and contact are revealed through `use`, one at a time, under a purpose. The
answer is collected like everything else: sealed, kept and deleted by the policy. The row is locked while it is decided
about, so two can't claim one request.
"""

from dataclasses import dataclass
from typing import Any

from omonat.base.errors import Refused
from omonat.base.failpoints import reach
from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.database.codecs import FOREVER
from omonat.database.statements import load
from omonat.evidence.journal import Receipt
from omonat.flows.admitting import Facts
from omonat.flows.collecting import Writing
from omonat.flows.escalate import escalated
from omonat.flows.escalate import settle as settle_escalation
from omonat.flows.grounds import Grounds
from omonat.flows.handed_in import CollectRequest, parse
from omonat.flows.reckon import note_moved
from omonat.flows.refusals import refusals_noted
from omonat.flows.requesting import code_of, entry_about, locked_request, queries, require, standing_of, tidy, write_to
from omonat.flows.staff import StaffMember
from omonat.flows.use import Credential
from omonat.promises.requests.escalation import Step, goes_to
from omonat.promises.requests.facts import ANSWER, NATURES, Act, Kind, Outcome, State
from omonat.promises.requests.rule import (
    SETTLES_AFTER,
    WAITS_FOR_PROOF,
    answering_purposes,
    decide_act,
    decide_outcome,
    decide_role,
)

_collecting = load("omonat.flows", "collect.sql")
_cases = load("omonat.promises.cases")
_steps = load("omonat.promises.requests", "escalations.sql")
_MOST = 200
DESK = "desk"
"""The door of what staff found wrong by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxLine:
    """One request in the list, or the one being worked on. `mine`: the reader has it; `taken`: somebody else has.
    `found`: nobody asked, staff found something wrong. `escalated`: it went up to the role in `escalated_to`, for its
    deadline is near or over."""

    number: str
    case: str
    kind: Kind
    state: State
    received_at: Instant
    due_at: Instant
    mine: bool
    taken: bool
    overdue: bool
    reopened: int
    proved: bool
    found: bool
    outcome: Outcome | None
    escalated: Step | None
    escalated_at: Instant | None
    escalated_to: str | None


class AnswerRequests:
    """The flow of the inbox."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._vault = grounds.vault

    async def kinds(self, member: StaffMember) -> tuple[Kind, ...]:
        """The kinds of request somebody in this role may work on."""
        policy = await self._grounds.law.current()
        return tuple(kind for kind in Kind if isinstance(decide_role(policy, kind, member.role), Allow))

    async def inbox(self, member: StaffMember) -> tuple[InboxLine, ...]:
        """What is open: what went up first, then the earliest deadline; what the reader answered and didn't close yet
        stands last."""
        kinds = [kind.value for kind in await self.kinds(member)]
        async with self._grounds.database.connection() as connection:
            rows = queries.open_requests(connection, kinds=kinds, staff=member.id, most=_MOST)
            return tuple([self._line(row, member) async for row in rows])

    async def gone_up(self, member: StaffMember) -> tuple[InboxLine, ...]:
        """What went up and isn't answered, whoever works on such requests, the overdue first: for the role it goes up
        to now, whichever it was when it did; nothing for others."""
        if member.role != goes_to(await self._grounds.law.current()):
            return ()
        async with self._grounds.database.connection() as connection:
            rows = _steps.gone_up(connection, most=_MOST)
            return tuple([self._line(row, member) async for row in rows])

    async def one(self, member: StaffMember, number: str) -> InboxLine:
        """One request, whatever its state. Raises Refused `request-unknown`, for one of a kind that isn't the role's
        too."""
        async with self._grounds.database.connection() as connection:
            row = await queries.request_by_number(connection, number=tidy(number))
        if row is None or Kind(row["kind"]) not in await self.kinds(member):
            raise Refused("request-unknown")
        return self._line(row, member)

    async def purposes(self, member: StaffMember, line: InboxLine) -> tuple[str, ...]:
        """The purposes under which the reader works on it."""
        policy = await self._grounds.law.current()
        return answering_purposes(policy, policy.service(NATURES[line.kind].service).case or "", member.role)

    async def claim(self, member: StaffMember, number: str) -> Receipt:
        """Take it; nobody else works on it then. Raises Refused `request-taken` and by the rule."""

        async def take(connection: Any, row: Any, now: Instant) -> dict[str, Any]:
            await queries.claim(connection, number=row["number"], staff=member.id, now=now)
            return {}

        return await self._act(member, number, Act.CLAIM, "claimed", take)

    async def release(self, member: StaffMember, number: str) -> Receipt:
        """Give it back."""

        async def give(connection: Any, row: Any, _now: Instant) -> dict[str, Any]:
            await queries.release(connection, number=row["number"])
            return {}

        return await self._act(member, number, Act.RELEASE, "released", give)

    async def answer(
        self,
        member: StaffMember,
        number: str,
        *,
        text: str,
        outcome: Outcome,
        reason: str | None,
        credential: Credential,
    ) -> Receipt:
        """Answer it. The text is sealed in a record of its own; whoever asked is told that it can be read.

        Raises BadInput for a text that can't be taken in, Refused.
        """

        async def write(connection: Any, row: Any, now: Instant) -> dict[str, Any]:
            require(decide_outcome(standing_of(row), outcome, reason))
            record = await self._seal(connection, row, text, credential, now)
            await queries.answer(connection, number=row["number"], now=now, outcome=outcome.value, reason=reason)
            await settle_escalation(connection, row["number"], now)
            params = {"request": row["number"], "code": code_of(self._vault, row["number"])}
            template = "finding-answered" if row["door"] == DESK else "request-answered"
            await write_to(connection, self._vault, row, template, params=params, now=now)
            return {"record": record, "outcome": outcome.value} | ({"reason": reason} if reason else {})

        return await self._act(member, number, Act.ANSWER, "answered", write)

    async def close(self, member: StaffMember, number: str) -> Receipt:
        """Close it: the case ties nobody any more. Raises Refused `request-letter-waits` while the news of the answer
        is on its way."""

        async def shut(connection: Any, row: Any, now: Instant) -> dict[str, Any]:
            await self._close(connection, row, None, now)
            return {"outcome": row["outcome"]}

        return await self._act(member, number, Act.CLOSE, "closed", shut)

    async def lapse(self) -> int:
        """Close what nobody confirmed, and what was answered and not taken up again; forget what has nobody any more.
        Part of tidying; how many were closed."""
        now, closed = self._grounds.clock(), 0
        async with self._grounds.database.transaction() as connection:
            for number in [row["number"] async for row in queries.drop_gone(connection)]:
                await settle_escalation(connection, number, now)
        async with self._grounds.database.connection() as connection:
            rows = queries.lapsed(
                connection, unproved=Instant(now - WAITS_FOR_PROOF), settled=Instant(now - SETTLES_AFTER)
            )
            numbers = [row["number"] async for row in rows]
        for number in numbers:
            async with self._grounds.database.transaction() as connection:
                row = await locked_request(connection, number)
                outcome = self._by_itself(row, now)
                if outcome is None:
                    continue
                await self._close(connection, row, outcome.value, now)
                entry = entry_about(self._vault, "closed", row, now, outcome=outcome.value)
                await self._grounds.journal.append(connection, [entry], now=now)
                closed += 1
        return closed

    def _by_itself(self, row: Any, now: Instant) -> Outcome | None:
        """The outcome with which a request closes without anybody; None while it doesn't."""
        if row is None or row["state"] == State.CLOSED.value:
            return None
        if row["slot"] is None:
            return Outcome.ERASED
        answered = row["state"] == State.ANSWERED.value
        act = Act.CLOSE if answered else Act.LAPSE
        if not isinstance(decide_act(standing_of(row), act, by=row["claimed_by"], now=now), Allow):
            return None
        return Outcome(row["outcome"]) if answered else Outcome.NEVER_CONFIRMED

    async def _act(self, member: StaffMember, number: str, act: Act, said: str, change: Any) -> Receipt:
        """One act of one member of staff on one request: locked, decided, written, in evidence, or refused in it."""
        policy, now = await self._grounds.law.current(), self._grounds.clock()
        who = {"staff": self._vault.pseudonym("staff", member.id), "role": member.role}
        async with refusals_noted(self._grounds, "request:person:refused", {**who, "act": act.value}):
            async with self._grounds.database.transaction() as connection:
                row = await locked_request(connection, tidy(number))
                if row is None:
                    raise Refused("request-unknown")
                require(decide_role(policy, Kind(row["kind"]), member.role))
                if row["slot"] is None:
                    raise Refused("person-unknown")
                require(decide_act(standing_of(row), act, by=member.id, now=now))
                more = await change(connection, row, now)
                reach("request.changed")
                entry = entry_about(self._vault, said, row, now, **who, **more)
                (receipt,) = await self._grounds.journal.append(connection, [entry], now=now)
                reach("request.change-recorded")
            reach("request.change-committed")
        return receipt

    async def _close(self, connection: Any, row: Any, outcome: str | None, now: Instant) -> None:
        await queries.close(connection, number=row["number"], outcome=outcome, now=now)
        await settle_escalation(connection, row["number"], now)
        await _cases.close_case(connection, id=row["case_id"], at=now)
        await note_moved(connection, "case", [row["case_id"]], now)

    async def _seal(self, connection: Any, row: Any, text: str, credential: Credential, now: Instant) -> str:
        """The answer as a record of the case; its id comes back."""
        policy = await self._grounds.law.current()
        service = NATURES[Kind(row["kind"])].service
        wanted = CollectRequest(
            credential=credential, service=service, items={ANSWER: text}, version=policy.version, consents={},
            person=row["person"], case=row["case_id"], language=row["language"],
        )  # fmt: skip
        parsed = parse(policy, wanted, self._vault, policy)
        if ANSWER not in parsed.form.optional:
            raise Refused("item-not-collected", item=ANSWER, service=service)
        writing = Writing(self._vault, now)
        people = [each async for each in _collecting.lock_persons(connection, ids=[row["person"]])]
        if not people or people[0]["closed"]:
            raise Refused("person-unknown")
        writing.meet(people[0])
        facts = Facts(
            ordinal=policy.ordinal, client_secret=None, source="desk", client_roles=(), client_until=FOREVER,
            person=row["person"], blocked="", standing=people[0]["standing"], case=row["case_id"], case_kind=None,
            case_person=row["person"], case_closed=False, case_opened=row["received_at"], answered_request=None,
            answer=None,
        )  # fmt: skip
        writing.add(parsed, facts)
        await writing.write(connection, _collecting)
        await self._grounds.journal.append(connection, writing.entries, now=now)
        return writing.written[0][1]

    def _line(self, row: Any, member: StaffMember) -> InboxLine:
        state = State(row["state"])
        settled = state in (State.ANSWERED, State.CLOSED)
        return InboxLine(
            number=row["number"],
            case=row["case_id"],
            kind=Kind(row["kind"]),
            state=state,
            received_at=row["received_at"],
            due_at=row["due_at"],
            mine=row["claimed_by"] == member.id,
            taken=row["claimed_by"] not in (None, member.id),
            overdue=not settled and row["due_at"] <= self._grounds.clock(),
            reopened=row["reopened"],
            proved=row["proved_at"] is not None,
            found=row["door"] == DESK,
            outcome=Outcome(row["outcome"]) if row["outcome"] else None,
            **escalated(row),
        )
