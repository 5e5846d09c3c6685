"""Collect: personal data is taken in only as far as the policy allows, and sealed before it is stored.

Promises L1, L2, L3, D2, K1, T2, C4, P4, S2. Many collections share one transaction, each with its own verdict.

1. parse: the service, the items and their values, by the policy in force; nothing is kept of what fails
2. read client, person, case and earlier answers of many collections in one statement
3. decide: source, need, consent, age; a refusal is an entry without values
4. seal: a person secret for new people, a record secret for each record, one sealed section per category
5. write rows, choices and entries in one transaction; answer after its commit
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.database.trouble import converted
from omonat.evidence.entry import Entry
from omonat.flows.admitting import Facts, read_boxes, refuse, refuse_asker
from omonat.flows.children import Children
from omonat.flows.coalesce import Coalescer
from omonat.flows.collecting import OvertakenError, Writing
from omonat.flows.grounds import Grounds
from omonat.flows.handed_in import CollectAnswer, CollectRequest, Parsed, Sealed, hash_secrets, parse
from omonat.flows.once_only import note_forms, remember_keys
from omonat.flows.passing import let_pass

__all__ = ["Collect", "CollectAnswer", "CollectRequest", "Sealed"]

_queries = load("omonat.flows", "collect.sql")
_READ = _queries.read_for_collect.sql
_UNNOTED = frozenset({"credential-refused", "form-taken"})
"""Refusals that fill no log: of a stranger, and of what was taken in already."""


class _PolicyMovedError(Exception):
    """What the request was parsed under or decided on has moved: it is parsed and read once more."""


class Collect:
    """The flow, put together once per process. `dated`: requests may state when their data was taken in (demo only)."""

    def __init__(self, grounds: Grounds, *, dated: bool = False) -> None:
        self._dated = dated
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock
        self._children = Children(grounds)
        self._write: Coalescer[Parsed, CollectAnswer] = Coalescer(self._batch, limit=16, lanes=2)

    async def __call__(self, request: CollectRequest) -> CollectAnswer:
        """Take in one collection.

        Raises BadInput for what can't be read, Refused for what the policy forbids (recorded without values),
        Unavailable when nothing could be stored.
        """
        if request.at is not None and request.sealed is None and not self._dated:
            raise BadInput("time-not-taken")
        policy = await self._law.at_hand()
        while True:
            try:
                parsed = parse(policy, request, self._vault, self._law.version(request.version))
            except BadInput:
                newer = await self._law.newer_than(policy)
                if newer is None:
                    raise
                policy = newer
                continue
            try:
                return await self._write(parsed)
            except _PolicyMovedError:
                await self._law.reload()
                policy = await self._law.current()

    async def _batch(self, batch: Sequence[Parsed]) -> Sequence[CollectAnswer | Exception]:
        now = self._clock()
        facts = await self._read(batch)
        reach("collect.read")
        batch = [read_boxes(parsed, fact) for parsed, fact in zip(batch, facts, strict=True)]
        answers: list[CollectAnswer | Exception | None] = [
            self._settle(parsed, fact, now) for parsed, fact in zip(batch, facts, strict=True)
        ]
        answers = _one_after_another(batch, facts, answers)
        accepted = [n for n, answer in enumerate(answers) if answer is None]
        for n in accepted:
            await hash_secrets(batch[n], self._vault)
        try:
            written = await self._store([batch[n] for n in accepted], [facts[n] for n in accepted], now)
            for n, done in zip(accepted, written, strict=True):
                answers[n] = done
        except OvertakenError:  # by whom isn't said: each is tried alone
            for n in accepted:
                answers[n] = await self._store_alone(batch[n], facts[n], now)
        reach("collect.committed")
        await self._let_pass(batch, facts, answers, now)
        await self._note_refusals(batch, answers, now)
        reach("collect.refusals-recorded")
        await self._close_children(batch, facts, answers)
        return [answer if answer is not None else Refused("no-open-case") for answer in answers]

    async def _let_pass(
        self, batch: Sequence[Parsed], facts: Sequence[Facts], answers: Sequence[Any], now: Instant
    ) -> None:
        """Who was known and said no to something: no letter begins after they are told that it is noted (I2)."""
        for parsed, fact, answer in zip(batch, facts, answers, strict=True):
            person = fact.whose(parsed)
            if person is not None and isinstance(answer, CollectAnswer) and not all(parsed.request.consents.values()):
                await let_pass(self._database, person, now=now)

    async def _read(self, batch: Sequence[Parsed]) -> list[Facts]:
        with converted():
            rows = await self._database.pool.fetch(
                _READ,
                range(len(batch)),
                [p.request.credential.client for p in batch],
                [p.request.person for p in batch],
                [p.request.case for p in batch],
                [p.key for p in batch],
            )
        facts = [Facts(*row[1:]) for row in sorted(rows, key=lambda row: row[0])]
        if len(facts) != len(batch):
            raise RuntimeError("the statement answers each question once")
        return facts

    def _settle(self, parsed: Parsed, facts: Facts, now: Instant) -> CollectAnswer | Exception | None:
        """An answer or an error when this collection is settled; None when it is to be written."""
        if facts.ordinal != parsed.policy.ordinal:
            return _PolicyMovedError()
        if (refusal := refuse_asker(parsed, facts, now)) is not None:
            return refusal
        if facts.answer is None:
            return refuse(self._vault, parsed, facts, now)
        if facts.answered_request != parsed.body_digest:
            return BadInput("key-reused")
        return CollectAnswer(**facts.answer, repeated=True)

    async def _store(
        self, batch: Sequence[Parsed], facts: Sequence[Facts], now: Instant
    ) -> list[CollectAnswer | Exception]:
        if not batch:
            return []
        writing = Writing(self._vault, now)
        async with self._database.transaction() as connection:
            known = sorted({person for p, f in zip(batch, facts, strict=True) if (person := f.whose(p)) is not None})
            if known:
                async for row in _queries.lock_persons(connection, ids=known):
                    writing.meet(row)
                reach("collect.locked")
                if any(p.request.sealed is not None for p in batch):
                    async for row in _queries.newest_choices(connection, ids=known):
                        writing.people[row["person"]].chosen[row["purpose"]] = row["at"]
            for parsed, fact in zip(batch, facts, strict=True):
                writing.add(parsed, fact)
            reach("collect.sealed")
            await writing.write(connection, _queries)
            reach("collect.written")
            receipts = await self._journal.append(connection, writing.entries, now=now)
            reach("collect.recorded")
            answers = [
                CollectAnswer(
                    person=person,
                    record=record,
                    case=parsed.request.case,
                    version=parsed.shown.version,
                    evidence={"id": receipt.id, "leaf": receipt.leaf, "due": receipt.due, "receipt": receipt.token},
                )
                for parsed, (person, record), receipt in zip(batch, writing.written, receipts, strict=True)
            ]
            forms = [(p.request, a) for p, a in zip(batch, answers, strict=True) if p.request.sealed is not None]
            if forms:
                await note_forms(connection, forms, now)
                reach("collect.form-noted")
            keyed = [(p, a) for p, a in zip(batch, answers, strict=True) if p.key is not None]
            if keyed:  # in one order, so that two batches with the same keys don't wait for each other in a circle
                keyed.sort(key=lambda each: each[0].key or b"")
                await remember_keys(connection, keyed, now)
                reach("collect.remembered")
        return list(answers)

    async def _store_alone(self, parsed: Parsed, facts: Facts, now: Instant) -> CollectAnswer | Exception:
        try:
            (answer,) = await self._store([parsed], [facts], now)
        except OvertakenError as overtaken:
            refusal = overtaken.refusal
            if refusal is None or (refusal.code == "no-open-case" and facts.case_person is None):
                return _PolicyMovedError()  # somebody took the key, the case or closed it since: decide on that
            return refusal
        except OmonatError as error:
            return error
        return answer

    async def _close_children(
        self, batch: Sequence[Parsed], facts: Sequence[Facts], answers: list[CollectAnswer | Exception | None]
    ) -> None:
        """What is refused because it tells of a child tells it of somebody who may be known already (K2)."""
        for n, (parsed, fact) in enumerate(zip(batch, facts, strict=True)):
            person, answer = fact.whose(parsed), answers[n]
            if person is None or not isinstance(answer, Refused) or answer.code != "child":
                continue
            signal = "declared" if all(isinstance(age, int) for age in parsed.ages) else "birth-date"
            try:
                await self._children.signal(person, signal, by=parsed.request.credential.client)
            except OmonatError as error:
                answers[n] = error

    async def _note_refusals(
        self, batch: Sequence[Parsed], answers: list[CollectAnswer | Exception | None], now: Instant
    ) -> None:
        """Refusals are in evidence before they are answered, all at once; one without evidence is `Unavailable`, for
        its own asker. A stranger without a credential fills no log."""
        refused = [
            (n, answer)
            for n, answer in enumerate(answers)
            if isinstance(answer, Refused) and answer.code not in _UNNOTED
        ]
        noted = await asyncio.gather(
            *(self._journal.submit(self._refusal(batch[n], answer, now)) for n, answer in refused),
            return_exceptions=True,
        )
        for (n, _), outcome in zip(refused, noted, strict=True):
            if isinstance(outcome, Exception):
                answers[n] = outcome

    def _refusal(self, parsed: Parsed, error: Refused, now: Instant) -> Entry:
        facts: dict[str, Any] = {
            "policy": parsed.policy.digest,
            "service": parsed.request.service,
            "client": parsed.request.credential.client,
            "code": error.code,
        }
        if "item" in error.about:
            facts["item"] = error.about["item"]
        if parsed.request.sealed is not None:
            facts["form"] = parsed.request.sealed.id
        return Entry(id=new_id("ev"), at=now, act="collect:record:refused", facts=facts)


def _one_after_another(
    batch: Sequence[Parsed], facts: Sequence[Facts], answers: list[CollectAnswer | Exception | None]
) -> list[CollectAnswer | Exception | None]:
    """Within one batch a key is written once, and a case that nobody has yet is given to one; its twin is told to try
    again, and then finds the answer or the person."""
    seen: set[tuple[str, Any]] = set()
    for n, parsed in enumerate(batch):
        if answers[n] is not None:
            continue
        names: list[tuple[str, Any]] = []
        if parsed.key is not None:
            names.append(("key", parsed.key))
        if parsed.request.case is not None and facts[n].case_person is None:
            names.append(("case", parsed.request.case))
        if seen.intersection(names):
            answers[n] = _PolicyMovedError()  # asks once more, after this batch
        seen.update(names)
    return answers
