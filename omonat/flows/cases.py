"""Cases: opened, bound, assigned and closed by the systems they live in, never by a caller's word (S4)."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.flows.clients import Client, require_client
from omonat.flows.grounds import Also, Grounds
from omonat.flows.handed_in import kind_of_case
from omonat.flows.reckon import note_moved
from omonat.flows.refusals import refusals_noted
from omonat.flows.use import Credential
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.cases.rule import ANCHORS, CaseState, decide_change, sources_of

_queries = load("omonat.promises.cases")


@dataclass(frozen=True, slots=True, kw_only=True)
class PutCase:
    """Open a case or change it. `assigned` None leaves the assignment as it is; staff are named by ref."""

    credential: Credential
    case: str
    person: str | None = None
    assigned: tuple[str, ...] | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """Something that happened in a case and that retention counts from. `name` `case-closed` closes it."""

    credential: Credential
    case: str
    name: str
    at: Instant | None = None


class Cases:
    """The flow of cases."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock

    async def put(self, request: PutCase, also: Also[Receipt] | None = None) -> Receipt:
        """Open the case, or bind and assign it. Raises BadInput, Refused (`no-open-case`, `source-not-named`)."""
        async with self._refusals_noted(request):
            return await self._put(request, also)

    async def event(self, request: CaseEvent, also: Also[Receipt] | None = None) -> Receipt:
        """Note an event of a case, or close it. Raises BadInput for an event nobody counts from, Refused."""
        async with self._refusals_noted(request):
            return await self._event(request, also)

    def _refusals_noted(self, request: PutCase | CaseEvent) -> AbstractAsyncContextManager[None]:
        facts = {"kind": kind_of_case(request.case), "client": request.credential.client}
        return refusals_noted(self._grounds, "case:work:refused", facts)

    async def _put(self, request: PutCase, also: Also[Receipt] | None) -> Receipt:
        policy, now = await self._law.current(), self._clock()
        kind = kind_of_case(request.case)
        service = _service(policy, kind, request.service)
        async with self._database.transaction() as connection:
            client = await require_client(connection, request.credential, now)
            row = await _queries.case_for_update(connection, id=request.case)
            self._permit(policy, client, row, kind, request.person)
            evidence_slot = row["evidence_slot"] if row is not None else None
            if request.person is not None:
                held = await _queries.person_slot(connection, id=request.person)
                if held is None:
                    raise Refused("person-unknown")
                evidence_slot = held["evidence_slot"]
            assigned = request.assigned if request.assigned is not None else tuple(row["assigned"]) if row else ()
            reach("case.written")
            act = "case:work:opened" if row is None else "case:work:changed"
            person = request.person or (row["person"] if row else None)
            facts = {"assigned": [self._vault.pseudonym("staff-ref", ref) for ref in assigned]}
            entry = self._entry(act, request.case, client, whose=(person, evidence_slot), more=facts, now=now)
            if row is None:
                await _queries.open_case(
                    connection, id=request.case, kind=kind, service=service, person=request.person,
                    client=client.id, now=now, assigned=list(assigned), entry=entry.id,
                )  # fmt: skip
            else:
                await _queries.change_case(connection, id=request.case, person=request.person, assigned=list(assigned))
            (receipt,) = await self._journal.append(connection, [entry], now=now)
            if also is not None:
                await also(connection, receipt)
            reach("case.recorded")
        reach("case.committed")
        return receipt

    async def _event(self, request: CaseEvent, also: Also[Receipt] | None) -> Receipt:
        policy, now = await self._law.current(), self._clock()
        closing = request.name == "case-closed"
        if not closing and request.name not in ANCHORS:
            raise BadInput("event-unknown", nearest=", ".join(sorted(ANCHORS | {"case-closed"})))
        async with self._database.transaction() as connection:
            client = await require_client(connection, request.credential, now)
            row = await _queries.case_for_update(connection, id=request.case)
            if row is None:
                raise Refused("no-open-case")
            self._permit(policy, client, row, row["kind"], None, closed_too=not closing)
            at = Instant(max(min(now if request.at is None else request.at, now), row["opened_at"]))
            if closing:
                await _queries.close_case(connection, id=request.case, at=at)
            else:
                await _queries.note_anchor(connection, id=request.case, name=request.name, at=at)
            await note_moved(connection, "case", [request.case], now)
            reach("case.event-written")
            act = "case:work:closed" if closing else "case:work:event"
            facts = {} if closing else {"event": request.name}
            entry = self._entry(
                act, request.case, client, whose=(row["person"], row["evidence_slot"]), more=facts, now=now
            )
            (receipt,) = await self._journal.append(connection, [entry], now=now)
            if also is not None:
                await also(connection, receipt)
            reach("case.event-recorded")
        reach("case.event-committed")
        return receipt

    def _permit(
        self,
        policy: CompiledPolicy,
        client: Client,
        row: Any,
        kind: str,
        person: str | None,
        *,
        closed_too: bool = False,
    ) -> None:
        """Raises Refused. `closed_too`: a complaint or a return may come after the case was closed. The case of a
        request is moved by whoever answers it, by no system (A2)."""
        state = None
        if row is not None and row["ours"]:
            raise Refused("no-open-case")
        if row is not None:
            is_open = closed_too or row["closed_at"] is None
            state = CaseState(kind=row["kind"], person=row["person"], is_open=is_open)
        verdict = decide_change(state, kind=kind, person=person, source=client.source, sources=sources_of(policy, kind))
        if not isinstance(verdict, Allow):
            raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)

    def _entry(
        self, act: str, case: str, client: Client, *, whose: tuple[str | None, int | None], more: Any, now: Instant
    ) -> Entry:
        person, evidence_slot = whose
        entry = new_id("ev")
        facts: dict[str, Any] = {"kind": kind_of_case(case), "client": client.id, **more}
        subjects: tuple[str, ...] = ()
        if person is not None and evidence_slot is not None:
            facts["case"] = self._vault.commitment(evidence_slot=evidence_slot, entry=entry, field="case", value=case)
            subjects = (person,)
        return Entry(entry, now, act, facts, subjects)


def _services(policy: CompiledPolicy, kind: str) -> list[str]:
    return [name for name, service in policy.services.items() if service.case == kind]


def _service(policy: CompiledPolicy, kind: str, named: str | None) -> str:
    services = _services(policy, kind)
    if not services or (named is not None and named not in services):
        raise BadInput("case-malformed")
    return named or services[0]
