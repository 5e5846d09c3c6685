"""The probes, in the order in which they are run: those that change the log's own state come last."""

from omonat.proving.outcome import Probe
from omonat.proving.probes import (
    access,
    asking,
    children,
    choices,
    clients,
    collection,
    evidence,
    keeping,
    messages,
    offline,
    pages,
    places,
    policy,
    righting,
    uses,
    young,
)

PROBES: tuple[Probe, ...] = tuple(
    each
    for module in (
        *(policy, collection, children, offline, uses, choices, messages, clients),
        *(access, asking, righting, young, keeping, pages, places),
        evidence,
    )
    for each in module.PROBES
)
