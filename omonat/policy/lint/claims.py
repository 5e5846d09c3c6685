"""Words against tables: what promises claim, held against what the rest of the document says."""

from collections.abc import Iterator, Sequence

from omonat.policy.lint.registry import Found, at_claim, claiming, rule
from omonat.policy.model import Policy, Purpose
from omonat.policy.packs import Pack
from omonat.policy.words import IDENTIFYING, Basis, ItemClass, Messages, Party, Threshold

_SENSITIVE = frozenset({ItemClass.SPECIAL, ItemClass.BIOMETRIC})
_ADVERTISING = frozenset({Messages.MARKETING, Messages.SURVEY})
Packs = Sequence[Pack]


def _every_recipient_has_a_ground(policy: Policy, _: Packs) -> bool:
    return bool(policy.disclosure) and all(r.ground in policy.disclosure for r in policy.recipients.values())


@rule(
    "no-third-parties-but-disclosures",
    settled=_every_recipient_has_a_ground,
)
def _no_third_parties(policy: Policy, _: Packs) -> Iterator[Found]:
    if not policy.disclosure and not policy.recipients:
        return
    facts = {"grounds": ", ".join(policy.disclosure), "count": str(len(policy.recipients))}
    for promise in claiming(policy, "no_third_parties"):
        promises = (promise, *policy.disclosure)
        yield Found(at_claim(promise, "no_third_parties"), promises, (), {"promise": promise, **facts})


def _no_third_party_cookie_without_consent(policy: Policy, _: Packs) -> bool:
    third = [c for c in policy.cookies.values() if c.party is Party.THIRD]
    return all(policy.purposes[c.purpose].basis is Basis.CONSENT and not c.necessary for c in third)


@rule(
    "no-third-parties-but-third-party-cookies",
    settled=_no_third_party_cookie_without_consent,
)
def _third_party_cookies(policy: Policy, _: Packs) -> Iterator[Found]:
    allowing = claiming(policy, "third_party_cookies")
    cookies = tuple(c.id for c in policy.cookies.values() if c.party is Party.THIRD)
    if not allowing and not cookies:
        return
    for promise in claiming(policy, "no_third_parties"):
        facts = {"promise": promise, "others": ", ".join((*allowing, *cookies))}
        yield Found(at_claim(promise, "no_third_parties"), (promise, *allowing), cookies, facts)


def _special_items_need_consent(policy: Policy, _: Packs) -> bool:
    """Whether special items called anonymous are tied to a person under consent only, or never."""
    called = {item for promise in policy.promises.values() for item in promise.claims.anonymous}
    special = {item for item in called if policy.items[item].class_ in _SENSITIVE}
    return all(p.basis is Basis.CONSENT for p in policy.purposes.values() if special & set(p.items))


@rule(
    "not-anonymous",
    settled=_special_items_need_consent,
)
def _anonymous(policy: Policy, _: Packs) -> Iterator[Found]:
    for promise in claiming(policy, "anonymous"):
        called = [policy.items[item] for item in policy.promises[promise].claims.anonymous]
        singling = [item.id for item in called if item.kind in IDENTIFYING]
        special = [item.id for item in called if item.class_ in _SENSITIVE]
        if singling or special:
            facts = {"promise": promise, "singling": ", ".join(singling) or "–", "special": ", ".join(special) or "–"}
            about = tuple(dict.fromkeys((*singling, *special)))
            yield Found(at_claim(promise, "anonymous"), (promise,), about, facts)


@rule(
    "consent-by-use",
    settled=lambda _, __: True,  # what a consent purpose uses waits for its consent, whichever service names it
)
def _by_use(policy: Policy, _: Packs) -> Iterator[Found]:
    consent = tuple(p.id for p in policy.purposes.values() if p.basis is Basis.CONSENT)
    for promise in claiming(policy, "consent_by_use"):
        if consent:
            facts = {"promise": promise, "purposes": ", ".join(consent)}
            yield Found(at_claim(promise, "consent_by_use"), (promise,), (), facts)


@rule("immediate-deletion-but-kept")
def _immediate(policy: Policy, _: Packs) -> Iterator[Found]:
    factors = sorted({rule.factor for schedule in policy.retention.values() for rule in schedule.rules})
    for promise in claiming(policy, "immediate_deletion"):
        if factors:
            facts = {"promise": promise, "factors": ", ".join(factors)}
            yield Found(at_claim(promise, "immediate_deletion"), (promise,), (), facts)


@rule(
    "open-purpose-list",
    settled=lambda _, __: True,  # the engine runs nothing but the purposes declared
)
def _open_list(policy: Policy, _: Packs) -> Iterator[Found]:
    for promise in claiming(policy, "open_purpose_list"):
        yield Found(at_claim(promise, "open_purpose_list"), (promise,), (), {"promise": promise})


@rule(
    "ages-disagree",
    settled=lambda policy, _: policy.children.threshold is Threshold.HIGHER,
)
def _ages(policy: Policy, packs: Packs) -> Iterator[Found]:
    here = policy.children.under
    claimed = claiming(policy, "child_age")
    others = {f"{p}: {age}" for p in claimed if (age := policy.promises[p].claims.child_age) != here}
    if policy.children.images_under != here:
        others.add(f"images: {policy.children.images_under}")
    for pack in packs:
        minors = (age for name, age in pack.ages.items() if name != "full-capacity")
        others |= {f"{pack.pack}/{age.id}: {age.under}" for age in minors if age.under != here}
    if others:
        promises = tuple(dict.fromkeys((*claimed, *policy.children.promises)))
        yield Found(("children",), promises, (), {"here": str(here), "others": ", ".join(sorted(others))})


@rule("withdrawing-harder-than-giving")
def _mail_only(policy: Policy, _: Packs) -> Iterator[Found]:
    for promise in claiming(policy, "mail_only_change"):
        items = policy.promises[promise].claims.mail_only_change
        yield Found(at_claim(promise, "mail_only_change"), (promise,), items, {"promise": promise})


@rule(
    "sensitive-too-narrow",
    settled=lambda _, __: True,  # whatever the words say, the class of the item decides
)
def _narrow(policy: Policy, _: Packs) -> Iterator[Found]:
    for promise in claiming(policy, "sensitive_only"):
        named = policy.promises[promise].claims.sensitive_only
        left_out = tuple(i.id for i in policy.items.values() if i.class_ in _SENSITIVE and i.class_ not in named)
        if left_out:
            facts = {"promise": promise, "named": ", ".join(named)}
            yield Found(at_claim(promise, "sensitive_only"), (promise,), left_out, facts)


def advertises(purpose: Purpose) -> bool:
    """Whether the purpose sends marketing, surveys or offers."""
    return purpose.messages in _ADVERTISING


def _advertising_needs_consent(policy: Policy, _: Packs) -> bool:
    return all(p.basis is Basis.CONSENT for p in policy.purposes.values() if advertises(p))


@rule(
    "marketing-without-consent",
    settled=_advertising_needs_consent,
)
def _marketing(policy: Policy, _: Packs) -> Iterator[Found]:
    for promise in claiming(policy, "without_consent"):
        about = tuple(n for n in policy.promises[promise].claims.without_consent if advertises(policy.purposes[n]))
        others = tuple(dict.fromkeys(p for name in about for p in policy.purposes[name].promises if p != promise))
        if about:
            facts = {"promise": promise, "others": ", ".join(others) or "law"}
            yield Found(at_claim(promise, "without_consent"), (promise, *others), about, facts)
    for purpose in policy.purposes.values():
        if advertises(purpose) and purpose.basis is not Basis.CONSENT:
            facts = {"promise": ", ".join(purpose.promises), "others": f"{purpose.messages}"}
            yield Found(("purposes", purpose.id, "basis"), purpose.promises, (purpose.id,), facts)


@rule(
    "channels-beyond-promise",
    settled=_advertising_needs_consent,
)
def _channels(policy: Policy, _: Packs) -> Iterator[Found]:
    for promise in claiming(policy, "channels_only"):
        named = policy.promises[promise].claims.channels_only
        reaching = [
            p for p in policy.purposes.values() if promise in (p.group, *p.promises) or _kin(policy, p, promise)
        ]
        beyond = {p.id: [c for c in p.channels if c not in named] for p in reaching}
        about = tuple(name for name, channels in beyond.items() if channels)
        if about:
            extra = sorted({channel for channels in beyond.values() for channel in channels})
            facts = {"promise": promise, "named": ", ".join(named), "beyond": ", ".join(extra)}
            yield Found(at_claim(promise, "channels_only"), (promise,), about, facts)


def _kin(policy: Policy, purpose: Purpose, promise: str) -> bool:
    """Whether the purpose sends the same class of messages as one the promise is about."""
    if not advertises(purpose):
        return False
    own = {p.messages for p in policy.purposes.values() if promise in (p.group, *p.promises)}
    return purpose.messages in own


@rule(
    "not-all-voluntary",
    settled=lambda _, __: True,  # the reader insists that each says why
)
def _voluntary(policy: Policy, _: Packs) -> Iterator[Found]:
    taken = tuple(item.id for item in policy.items.values() if not item.voluntary)
    for promise in claiming(policy, "voluntary_only"):
        if taken:
            yield Found(at_claim(promise, "voluntary_only"), (promise,), taken, {"promise": promise})


@rule(
    "collected-but-not-needed",
    settled=lambda _, __: True,  # an item no purpose needs is refused at the door
)
def _not_needed(policy: Policy, _: Packs) -> Iterator[Found]:
    for promise in claiming(policy, "collected_in"):
        claim = policy.promises[promise].claims.collected_in
        assert claim is not None
        for service in claim.services:
            law = policy.services[service]
            needed = {item for name in (*law.for_, *law.offers) for item in policy.purposes[name].items}
            spare = [item for item in claim.items if item not in needed]
            if spare:
                facts = {"promise": promise, "items": ", ".join(spare)}
                yield Found(at_claim(promise, "collected_in"), (promise,), (service,), facts)


def _consent_is_listed(policy: Policy, _: Packs) -> bool:
    return set(policy.consent_needed) == {p.id for p in policy.purposes.values() if p.basis is Basis.CONSENT}


@rule(
    "consent-situations-unlisted",
    settled=_consent_is_listed,
)
def _unlisted(policy: Policy, _: Packs) -> Iterator[Found]:
    if not claiming(policy, "consent_situations_listed"):
        for promise in claiming(policy, "consent_situations_defined"):
            yield Found(at_claim(promise, "consent_situations_defined"), (promise,), (), {"promise": promise})
