"""Use: the one door through which plaintext leaves the vault. Promises U1–U11, C1, C4, L3, P2, R3, S4.

1. parse: the purpose and the items are the policy's own; anything else is answered with the nearest name
2. read facts and sealed sections in one statement (`reading`)
3. the policy that decides is the one that statement saw in force, else once more
4. who acts: the client's credential, and the staff member it acts for
5. decide the standing: actor, case, person, consent
6. count against the caps, before anything is opened
7. decide record by record, open the sections, pick the granted items (`using`)
8. the entry is durable; only then is anything answered (No evidence, no data)
"""

from collections.abc import Mapping
from hmac import compare_digest
from typing import Any

from msgspec import Struct

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.database.codecs import FOREVER
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.flows.caps import Caps
from omonat.flows.grounds import Grounds
from omonat.flows.integrity import note_broken
from omonat.flows.reading import FEW, MANY, Found, Question, Reader
from omonat.flows.using import Opened, Situation, entry, open_sections
from omonat.flows.work import open_work_item
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import RoleKind
from omonat.promises.location.rule import Term, decide_place
from omonat.promises.use.actor import role_of_program, role_of_staff
from omonat.promises.use.facts import ActorFacts, CaseFacts
from omonat.promises.use.rule import ALLOW, NO_CASE, NO_PERSON, decide_standing


class Credential(Struct, frozen=True, kw_only=True, gc=False):
    """A client as the door parsed it: its public id, and the SHA-256 of the secret it showed."""

    client: str
    secret_digest: bytes


class UseRequest(Struct, frozen=True, kw_only=True, gc=False):
    """What is asked. `case` or `person` (or both) name whose data; `items` empty means all the purpose may use.

    `on_behalf_of` is the staff ref the client acts for; a program of its own acts without, and in no human role.
    `recipient` is whom the answer is handed to outside, by the policy's own name for them.
    """

    credential: Credential
    purpose: str
    case: str | None = None
    person: str | None = None
    on_behalf_of: str | None = None
    items: tuple[str, ...] = ()
    recipient: str | None = None


class UseAnswer(Struct, frozen=True, kw_only=True, gc=False):
    """What may be known: values by item, reasons for the rest, the records they came from, the receipt."""

    person: str
    items: Mapping[str, Any]
    withheld: Mapping[str, Reason]
    records: tuple[str, ...]
    receipt: Receipt
    policy: CompiledPolicy


class Use:
    """The flow, put together once per process. `clock` is the only place time comes from."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock
        self._reader = Reader(grounds.database)
        self.caps = Caps(grounds.database)

    async def __call__(self, request: UseRequest) -> UseAnswer:
        """Answer one use.

        Raises BadInput for an unknown purpose or item, Refused when the whole use is forbidden (an entry is written
        all the same), Unavailable when the evidence or the data can't be reached: then nothing left the vault.
        """
        policy = await self._law.at_hand()
        while True:
            try:
                question = _question(policy, request)  # 1
            except BadInput:
                newer = await self._law.newer_than(policy)
                if newer is None:
                    raise
                policy = newer
                continue
            found = await self._reader.read(question)  # 2
            if found.ordinal == policy.ordinal:
                break
            policy = await self._law.of(found.ordinal)  # 3
        reach("use.read")
        now = self._clock()
        try:
            actor = _actor(request, found, policy)  # 4
            grant = policy.grant(request.purpose, actor.role, request.items, request.recipient)
        except Refused as refusal:
            await self._turn_away(request, policy, found, refusal.code, now)
            raise
        here = Situation(new_id("ev"), request, policy, found, grant, now)
        verdict = _same_person(request, found) or decide_standing(
            grant, actor, _case(request, found), found.facts, now
        )  # 5
        if found.facts.terms and isinstance(verdict, Allow):
            verdict = _within_its_term(request, found, now)
        if isinstance(verdict, Allow) and grant.allowed and policy.roles[actor.role].kind is RoleKind.HUMAN:  # 6
            verdict = await self.caps.take(actor.id, "use", policy.roles[actor.role].caps, now) or verdict
            reach("use.counted")
        if not isinstance(verdict, Allow):
            await self._refuse(here, verdict)
        opened = Opened()
        try:
            open_sections(self._vault, here, opened, found)  # 7
            if opened.key_gone():
                await self._open_again(here, opened, question)
            if len(opened.values) < len(grant.allowed):
                await self._look_further(here, opened)
            reach("use.opened")
            if opened.broken:
                await note_broken(
                    self._grounds, opened.broken, person=found.person or "", evidence_slot=found.evidence_slot,
                    by=request.credential.client, now=now,
                )  # fmt: skip
            receipt = await self._journal.submit(entry(self._vault, here, opened))  # 8
        except BaseException:
            self._vault.openings.withhold(here.entry)
            raise
        reach("use.recorded")
        return UseAnswer(
            person=found.person or "",
            items=opened.values,
            withheld=opened.withheld(grant),
            records=tuple(opened.records),
            receipt=receipt,
            policy=policy,
        )

    async def _open_again(self, here: Situation, opened: Opened, question: Question) -> None:
        """A key went between the read and the opening. What stays of its record was sealed anew before: read it."""
        again = await self._reader.read(question)
        if again.facts == here.found.facts and again.ordinal == here.policy.ordinal:
            opened.refused.clear()
            open_sections(self._vault, here, opened, again)

    async def _look_further(self, here: Situation, opened: Opened) -> None:
        """Not everything granted is at hand: the person's newest live records may hold it; else say why not."""
        missing, newest = opened.missing(here.grant), here.found
        if missing and here.request.case is not None:
            newest = await self._read_more(here, opened, missing, FEW)
        if deeper := [item for item in here.grant.allowed if item not in opened.values and newest.is_full(item)]:
            await self._read_more(here, opened, deeper, MANY)
        for item in opened.missing(here.grant):
            opened.refused[item] = Reason("not-held", "L1", {"item": item})
        for item, reason in opened.refused.items():
            if reason.code == "due-unknown":
                person = here.found.person
                await open_work_item(self._database, rule="due", person=person, missing=item, now=here.now)

    async def _read_more(self, here: Situation, opened: Opened, items: list[str], most: int) -> Found:
        """Open what the person's `most` newest records hold of these items, unless something changed in between."""
        newest, before = await self._reader.read(here.beyond_the_case(items, most)), dict(opened.refused)
        if newest.facts == here.found.facts and newest.ordinal == here.policy.ordinal:
            open_sections(self._vault, here, opened, newest)
            if here.request.case is not None:
                opened.speak_of_the_case(before)
        return newest

    async def _refuse(self, here: Situation, verdict: Verdict) -> None:
        """Record the refusal, then raise it. An unsure verdict also becomes a work item."""
        reason = verdict.reasons[0]
        if isinstance(verdict, CannotTell):
            for missing in verdict.missing:
                person = here.found.person
                await open_work_item(self._database, rule="use", person=person, missing=missing, now=here.now)
        opened = Opened(refused=dict.fromkeys(here.grant.allowed, reason))
        await self._journal.submit(entry(self._vault, here, opened))
        reach("use.refusal-recorded")
        raise Refused(reason.code, **reason.about)

    async def _turn_away(
        self, request: UseRequest, policy: CompiledPolicy, found: Found, code: str, now: Instant
    ) -> None:
        """Record that one of the company's systems asked in a role that isn't there; a stranger fills no log."""
        if code == "credential-refused":
            return
        entry_id, subjects = new_id("ev"), tuple[str, ...]()
        facts: dict[str, Any] = {
            "policy": policy.digest, "purpose": request.purpose, "client": request.credential.client, "code": code,
        }  # fmt: skip
        if found.staff is not None:
            facts["staff"] = self._vault.pseudonym("staff", found.staff)
        if found.person is not None and found.facts.blocked != "erased":
            facts["person"] = self._vault.commitment(
                evidence_slot=found.evidence_slot, entry=entry_id, field="person", value=found.person
            )
            subjects = (found.person,)
        await self._journal.submit(Entry(entry_id, now, "use:person:refused", facts, subjects))


def _question(policy: CompiledPolicy, request: UseRequest) -> Question:
    if request.case is None and request.person is None:
        raise BadInput("nobody-named")
    categories = policy.sections(request.purpose, request.items)
    most = FEW if request.case is None else MANY  # a case holds few, and none of another case may stand in for them
    return Question(request.credential.client, request.on_behalf_of, request.person, request.case, categories, most)


def _actor(request: UseRequest, found: Found, policy: CompiledPolicy) -> ActorFacts:
    """Who acts, and in which role. Raises Refused: nobody acts in a role the credential doesn't hold."""
    secret = found.client_secret
    if secret is None or not compare_digest(secret, request.credential.secret_digest):
        raise Refused("credential-refused")
    if request.on_behalf_of is None:
        role = allowed_role(role_of_program(policy, request.purpose, found.client_roles))
        return ActorFacts(id=request.credential.client, role=role, until=found.client_until, trained_until=FOREVER)
    return ActorFacts(
        id=request.on_behalf_of,
        role=allowed_role(role_of_staff(found.staff_role or None, found.client_roles)),
        until=min(found.client_until, found.staff_until),
        trained_until=found.trained_until,
    )


def allowed_role(role: str | Deny) -> str:
    """The role, or Refused with the rule's reason."""
    if isinstance(role, Deny):
        raise Refused(role.reasons[0].code, **role.reasons[0].about)
    return role


def _case(request: UseRequest, found: Found) -> CaseFacts | None:
    if request.case is None or found.case_kind is None:
        return None
    return CaseFacts(kind=found.case_kind, is_open=found.case_closed_at is None, assigned=tuple(found.case_assigned))


def _within_its_term(request: UseRequest, found: Found, now: Instant) -> Verdict:
    """A consent that ends by itself covers no use after its end, and none in another case (L5)."""
    term = found.facts.terms.get(request.purpose)
    if term is None:
        return ALLOW
    return decide_place(Term(**term), request.purpose, case=request.case, now=now, taking=False)


def _same_person(request: UseRequest, found: Found) -> Verdict | None:
    """A case answers for its own person alone; somebody unknown answers like somebody erased. None: all is well."""
    if request.case is not None and (found.case_person is None or found.case_person != found.person):
        return NO_CASE
    return NO_PERSON if found.person is None else None
