"""The rules of requests and complaints (A2, Q2). Pure.

1. A request whose kind shows or changes somebody's data is worked on only after its channel was proved; until then
   nothing follows from it, for nobody.
2. One member of staff has it at a time: nobody claims what somebody else has, and only its holder answers or closes it.
3. It is closed with an outcome after an answer, never without; a rejection names its reason.
4. Whoever asked may say within 30 days of the answer that it did not settle the matter.
5. Never confirmed within three days, it is closed; so is one whose person was erased meanwhile.
6. Who may work on it follows from the policy: a human role with a purpose that keeps this promise in such cases and may
   read what was asked.
7. A correction that was asked for, and what staff find wrong, ends in the correction, in the erasure of that item, or
   in a reason: it is answered as done only after one of the first two. Only whoever has it settles it, and only an item
   that a purpose of theirs has to do with, and that people say of themselves.
8. It is due by the strictest of the law packs, its working days counted by the pack's calendar. In a year that the
   pack doesn't list every day counts, so that it is never later than the law has it.
"""

from collections.abc import Mapping
from datetime import tzinfo

from omonat.base.instants import DAY, Instant
from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.packs import Deadline
from omonat.policy.words import RoleKind
from omonat.promises.requests.facts import GIVEN, NATURES, REASONS, TEXT, Act, Kind, Outcome, Settled, Standing, State

MAY_REOPEN = 30 * DAY
"""After the answer."""
WAITS_FOR_PROOF = 3 * DAY
SETTLES_AFTER = MAY_REOPEN
"""An answered request that nobody took up again is closed."""

_FROM: Mapping[Act, frozenset[State]] = {
    Act.CONFIRM: frozenset({State.RECEIVED}),
    Act.CLAIM: frozenset({State.RECEIVED, State.CONFIRMED, State.REOPENED}),
    Act.RELEASE: frozenset({State.CLAIMED}),
    Act.ANSWER: frozenset({State.CLAIMED}),
    Act.CLOSE: frozenset({State.ANSWERED}),
    Act.REOPEN: frozenset({State.ANSWERED, State.CLOSED}),
    Act.LAPSE: frozenset({State.RECEIVED}),
    Act.SETTLE: frozenset({State.CLAIMED}),
}
_BY_HOLDER = frozenset({Act.RELEASE, Act.ANSWER, Act.CLOSE, Act.SETTLE})
_FAMILIES: Mapping[str, frozenset[str]] = {"complaint": frozenset({"A2"}), "request": frozenset({"A3", "Q2"})}


def decide_act(request: Standing, act: Act, *, by: str | None, now: Instant) -> Verdict:
    """Whether this may be done to the request now. `by` is the staff id, None for whoever asked and for the clock."""
    if act in _BY_HOLDER and request.claimed_by != by:  # 2
        return _no("request-taken" if request.claimed_by else "request-not-claimed")
    if request.state not in _FROM[act]:
        return _no("request-taken" if act is Act.CLAIM and request.state is State.CLAIMED else "request-not-now")
    waits = request.needs_proof and not request.proved
    match act:
        case Act.CONFIRM:
            return Allow() if waits and now - request.received_at < WAITS_FOR_PROOF else _no("request-not-now")
        case Act.SETTLE if request.kind is not Kind.CORRECTION or request.settled is not None:  # 7
            return _no("request-not-now")
        case Act.CLAIM | Act.SETTLE if waits:  # 1
            return _no("request-not-confirmed")
        case Act.CLOSE if request.letter_waits:
            return _no("request-letter-waits")
        case Act.REOPEN if request.answered_at is None or now - request.answered_at >= MAY_REOPEN:  # 4
            return _no("request-settled")
        case Act.LAPSE if not waits or now - request.received_at < WAITS_FOR_PROOF:  # 5
            return _no("request-not-now")
    return Allow()


def decide_outcome(request: Standing, outcome: Outcome, reason: str | None) -> Verdict:
    """Whether an answer may have this outcome: a rejection, and nothing else, names one of the reasons (3); a
    correction is done once it was made or the item erased (7), and partly where some of it had to stay."""
    rejected = outcome is Outcome.REJECTED
    fits = (reason in REASONS) if rejected else reason is None
    if not fits or outcome not in GIVEN:
        return _no("request-outcome-unclear")
    if request.kind is Kind.CORRECTION and rejected is (request.settled is not None):
        return Deny((Reason("request-already-settled" if rejected else "request-not-settled", "Q2"),))
    if request.settled is Settled.ERASED_PARTLY and outcome is not Outcome.PARTLY:
        return Deny((Reason("request-settled-partly", "Q2"),))
    return Allow()


def correctable(policy: CompiledPolicy, role: str) -> tuple[str, ...]:
    """The items that somebody in this role may put right or erase for whoever asked, in the policy's order (7):
    those of the purposes under which they work on it. Whether people say it of themselves, the accuracy room knows."""
    kind = policy.service(NATURES[Kind.CORRECTION].service).case or ""
    named = {item for each in answering_purposes(policy, kind, role) for item in policy.purposes[each].items}
    return tuple(item for item in policy.items if item in named)


def answering_purposes(policy: CompiledPolicy, case_kind: str, role: str) -> tuple[str, ...]:
    """The purposes under which a role works on such requests, in the policy's order; none: it may not (6)."""
    declared = policy.roles.get(role)
    if declared is None or declared.kind is not RoleKind.HUMAN:
        return ()
    kept = _FAMILIES.get(case_kind, frozenset())
    return tuple(
        purpose.id
        for purpose in policy.purposes.values()
        if role in purpose.roles
        and case_kind in purpose.cases
        and kept & set(purpose.promises)
        and TEXT in policy.grant(purpose.id, role).allowed
    )


def decide_role(policy: CompiledPolicy, kind: Kind, role: str) -> Verdict:
    """Whether somebody in this role may work on a request of this kind."""
    case_kind = policy.service(NATURES[kind].service).case or ""
    return Allow() if answering_purposes(policy, case_kind, role) else _no("request-not-yours")


def due_at(deadline: Deadline | CannotTell, start: Instant, zone: tzinfo) -> Instant | CannotTell:
    """When a request received at `start` must be answered; CannotTell where the packs don't say (8)."""
    if isinstance(deadline, CannotTell):
        return deadline
    end = deadline.end(start, zone)
    return end if isinstance(end, CannotTell) else end.at


def _no(code: str) -> Deny:
    return Deny((Reason(code, "A2"),))
