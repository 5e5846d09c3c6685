"""What may happen to a case (S4). Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from omonat.base.verdict import Allow, Deny, Reason, Verdict
from omonat.policy.compiled import CompiledPolicy

ANCHORS = frozenset({"last-complaint", "dispute-opened", "dispute-closed", "returned"})
"""Events a source system may report about a case; opening and closing have verbs of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseState:
    """A case as it stands; `person` is None while it is bound to nobody."""

    kind: str
    person: str | None
    is_open: bool


def sources_of(policy: CompiledPolicy, kind: str) -> frozenset[str]:
    """The sources that keep cases of a kind: those of every service that has such cases."""
    return frozenset(
        source for service in policy.services.values() if service.case == kind for source in service.sources
    )


def decide_change(
    state: CaseState | None, *, kind: str, person: str | None, source: str, sources: Collection[str]
) -> Verdict:
    """Whether this source may open or change the case so. A closed case and somebody else's answer alike."""
    if source not in sources:
        return Deny((Reason("source-not-named", "T2", {"service": kind, "source": source}),))
    if state is None:
        return Allow()
    if not state.is_open or state.kind != kind:
        return Deny((Reason("no-open-case", "S4"),))
    if person is not None and state.person is not None and state.person != person:
        return Deny((Reason("no-open-case", "S4"),))
    return Allow()
