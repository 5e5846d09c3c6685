"""Whether one collection may be taken in: what stands about who asks, the person, the case and what is handed in.

Promises L1, L3, C1, D2, K1, K3, G5. It is decided on facts that one statement brought; nothing is read or written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import Any

from omonat.base.errors import Refused
from omonat.base.instants import Instant
from omonat.base.verdict import Allow, Deny, Reason, Verdict
from omonat.flows.handed_in import Parsed
from omonat.flows.images import decide_taking, footage, read_birth
from omonat.flows.locating import decide_places
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.cases.rule import sources_of
from omonat.promises.children.asking import decide_more, goes_to
from omonat.promises.children.rule import decide_age, decide_footage
from omonat.promises.choice.rule import decide_report
from omonat.promises.choice.standing import live_consents
from omonat.promises.collection.rule import decide_collection
from omonat.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Facts:
    """What the statement brought for one request, in its column order."""

    ordinal: int
    client_secret: bytes | None
    source: str | None
    client_roles: Sequence[str] | None
    client_until: Instant
    person: str | None
    blocked: str
    standing: Mapping[str, Any] | None
    case: str | None
    case_kind: str | None
    case_person: str | None
    case_closed: bool | None
    case_opened: Instant | None
    answered_request: bytes | None
    answer: Mapping[str, Any] | None
    slot: int | None = None
    images_closed: bytes | None = None
    guarded: Mapping[str, str] | None = None
    """What a parent agreed to, and in which way."""

    def whose(self, parsed: Parsed) -> str | None:
        """The person this adds to: the one named, else the case's; None when it makes a new one."""
        return parsed.request.person or self.case_person

    def may_tell(self, policy: CompiledPolicy) -> bool:
        """Whether the client's word that somebody was told of a version counts: the same rule as for a telling."""
        return isinstance(decide_report(policy, roles=self.client_roles or (), widens="P2"), Allow)


def read_boxes(parsed: Parsed, facts: Facts) -> Parsed:
    """What the boxes left empty say: a no from somebody new; of somebody known, by name or by the case, nothing.

    An order is no place to take a consent back by overlooking a box (C1).
    """
    left = parsed.request.left_empty
    if not left or facts.whose(parsed) is not None:
        return parsed
    said = {**dict.fromkeys(left, False), **parsed.request.consents}
    return replace(parsed, request=replace(parsed.request, consents=said))


def refuse_asker(parsed: Parsed, facts: Facts, now: Instant) -> Refused | None:
    """Why whoever asks is not listened to, whatever they hand in; None when they are."""
    secret = facts.client_secret
    if secret is None or not compare_digest(secret, parsed.request.credential.secret_digest):
        return Refused("credential-refused")
    if facts.client_until <= now:
        return Refused("role-ended")
    return None if parsed.outside is None else Refused("card-scope", item=parsed.outside)


def refuse(vault: Vault, parsed: Parsed, facts: Facts, now: Instant) -> Refused | None:
    """Why it may not be taken in; None when it may. What can't be told is refused."""
    request, policy = parsed.request, parsed.policy
    if facts.blocked == "erased" or (request.person is not None and facts.person != request.person):
        return Refused("person-unknown")
    if facts.blocked == "quarantined":
        return Refused("person-quarantined")
    if (refusal := _refuse_case(parsed, facts)) is not None:
        return refusal
    verdict = decide_collection(
        form=parsed.form,
        service=request.service,
        source=facts.source or "",
        items=parsed.values.keys(),
        consents=request.consents,
        live_consents=live_consents(facts.standing, now),
        known=facts.whose(parsed) is not None,
    )
    place = decide_places(parsed, facts.standing, now)
    then = now if request.sealed is None or request.at is None else request.at  # a child then is refused now
    method = (facts.guarded or {}).get("data")
    guarded = method is not None
    age = decide_age(parsed.ages, under=policy.child_under, today=policy.today(then), consented=guarded)
    roles = facts.client_roles or ()
    agreed = [purpose for purpose, yes in request.consents.items() if yes]
    if guarded and agreed:  # a child agrees to nothing: its guardian does (K3)
        return Refused("guardian-decides")
    images = _decide_images(vault, parsed, facts, now)
    reports = [decide_report(policy, roles=roles, widens="C1", purpose=purpose) for purpose in agreed]
    disclosed = _decide_disclosure(parsed, method)
    filmed = decide_footage(footage(policy, parsed.values), identified=facts.whose(parsed) is not None)
    for answer in (age, place, filmed, verdict, images, disclosed, *reports):
        if not isinstance(answer, Allow):
            reason = answer.reasons[0] if isinstance(answer, Deny) else Reason("cannot-tell", "L3")
            return Refused(reason.code, **reason.about)
    return None


def _decide_disclosure(parsed: Parsed, method: str | None) -> Verdict:
    """Some ways to agree count only while a child's data goes to nobody: so for as long as that consent stands (K2)."""
    if method is None:
        return Allow()
    policy, categories = parsed.policy, {item.partition(".")[0] for item in parsed.form.items}
    return decide_more(policy.packs, method, goes_to=goes_to(policy, (parsed.request.service,), categories))


def _decide_images(vault: Vault, parsed: Parsed, facts: Facts, now: Instant) -> Allow | Deny:
    """Photos and recordings of somebody too young wait for a parent (G5)."""
    known = read_birth(vault, facts.person or "", facts.slot or 0, facts.images_closed)
    refusal = decide_taking(
        parsed.policy, parsed.values, parsed.ages, known=known, closed=facts.images_closed is not None,
        agreed="images" in (facts.guarded or {}), now=now,
    )  # fmt: skip
    return refusal or Allow()


def _refuse_case(parsed: Parsed, facts: Facts) -> Refused | None:
    """Why nothing may be added to the case: it is closed or somebody else's, or the source keeps no such cases.

    A service without cases of its own adds to one that is there, and opens none.
    """
    request = parsed.request
    if request.case is None:
        return None
    kind = request.case.partition(":")[0]
    if facts.source not in sources_of(parsed.policy, kind):
        return Refused("source-not-named", service=kind, source=facts.source or "")
    if facts.case is None:
        return Refused("no-open-case") if parsed.form.case is None else None
    theirs = facts.case_person is None or request.person in (None, facts.case_person)
    return Refused("no-open-case") if facts.case_closed or not theirs else None
