"""The facts a use is decided on, all read in the same statement as the data itself.

They are made anew for every use, so they are structs, which cost a tenth of a frozen dataclass, and are left out of
the search for cycles (`gc=False`), which they can't be part of.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from omonat.base.instants import Instant

_NOTHING: Mapping[str, int] = MappingProxyType({})


class ActorFacts(Struct, frozen=True, kw_only=True, gc=False):
    """Who acts. For a system: its credential's end. For a staff member: the end of the role and of the training."""

    id: str
    role: str
    until: Instant
    trained_until: Instant


class CaseFacts(Struct, frozen=True, kw_only=True, gc=False):
    """The case that ties an actor to a person; `assigned` holds staff refs."""

    kind: str
    is_open: bool
    assigned: tuple[str, ...] = ()


class PersonFacts(Struct, frozen=True, kw_only=True, gc=False):
    """The data subject's live state. `consents` and `agreed` map a purpose to the policy ordinal whose words were
    shown; `blocked` names why nothing may be used: "", "restricted", "quarantined", "erased", or "remains" for somebody
    erased of whom a duty keeps something. `doubts` are purposes whose consent may have been taken back after the copy a
    restore began from. `terms` say of consents that end by themselves how long they last.
    """

    told: int
    blocked: str = ""
    consents: Mapping[str, int] = _NOTHING
    objections: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    agreed: Mapping[str, int] = _NOTHING
    terms: Mapping[str, Any] = _NOTHING


class RecordFacts(Struct, frozen=True, kw_only=True, gc=False):
    """One record. `service` is what its person came for, `version` the policy ordinal it was collected under. `due`
    maps its items to the instants they must go, and is None when every one of them is surely still kept.
    """

    service: str
    version: int
    due: Mapping[str, Instant] | None = None
