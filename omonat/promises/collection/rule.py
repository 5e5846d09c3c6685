"""What may be collected (L1, L2, L3, D2, T2): pure, decided before anything is sealed.

1. the data comes from a source the service names
2. every item is one the service's purposes need; an item only an offered purpose needs waits for its consent
3. nothing required is withheld
4. consents answer only what the service offers
"""

from collections.abc import Collection, Mapping

from omonat.base.verdict import Allow, Deny, Reason, Verdict, combine
from omonat.policy.compiled import Form


def decide_collection(
    *,
    form: Form,
    service: str,
    source: str,
    items: Collection[str],
    consents: Mapping[str, bool],
    live_consents: Collection[str],
    known: bool = False,
) -> Verdict:
    """Whether these items may be collected for this service. `live_consents` are the purposes consented to before.

    `known`: it adds to somebody who is held already, who may have given before what a consent needs.
    """
    verdicts: list[Verdict] = [Allow()]
    if source not in form.sources:  # 1
        verdicts.append(Deny((Reason("source-not-named", "T2", {"service": service, "source": source}),)))
    for item in items:  # 2
        verdicts.append(_item(form, service, item, consents, live_consents))
    for item in form.required:  # 3
        if item not in items:
            verdicts.append(Deny((Reason("required-withheld", "L2", {"item": item, "service": service}),)))
    offered = {purpose for purposes in form.offered.values() for purpose in purposes} | set(form.offers)
    for purpose in consents:  # 4
        if purpose not in offered:
            verdicts.append(Deny((Reason("consent-not-offered", "C1", {"purpose": purpose, "service": service}),)))
    for purpose, yes in consents.items():  # 5
        missing = [item for item in form.needs_of.get(purpose, ()) if item not in items]
        if yes and missing and not known:
            verdicts.append(Deny((Reason("required-withheld", "L2", {"item": missing[0], "service": service}),)))
    return combine(verdicts)


def _item(form: Form, service: str, item: str, consents: Mapping[str, bool], live_consents: Collection[str]) -> Verdict:
    if item in form.required or item in form.optional:
        return Allow()
    for purpose in form.offered.get(item, ()):
        if consents.get(purpose) or (purpose in live_consents and consents.get(purpose) is not False):
            return Allow()
    if item in form.offered:
        purpose = form.offered[item][0]
        return Deny((Reason("item-waits-for-consent", "C1", {"item": item, "purpose": purpose}),))
    return Deny((Reason("item-not-collected", "L3", {"item": item, "service": service}),))
