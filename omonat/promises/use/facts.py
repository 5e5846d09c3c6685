"""The facts a use is decided on, all read in the same statement as the data itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from omonat.base.instants import Instant

_NOTHING: Mapping[str, int] = MappingProxyType({})


def _nothing() -> Mapping[str, int]:
    return _NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorFacts:
    """Who acts. For a system: its credential's end. For a staff member: the end of the role and of the training."""

    id: str
    role: str
    until: Instant
    trained_until: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """The case that ties an actor to a person; `assigned` holds staff refs."""

    kind: str
    is_open: bool
    assigned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """The data subject's live state. `consents` and `agreed` map a purpose to the policy ordinal whose words were
    shown; `blocked` names why nothing may be used: "", "restricted", "quarantined" or "erased".
    """

    told: int
    blocked: str = ""
    consents: Mapping[str, int] = field(default_factory=_nothing)
    objections: tuple[str, ...] = ()
    agreed: Mapping[str, int] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFacts:
    """One record. `version` is the policy ordinal it was collected under. `due` maps its items to the instants they
    must go, and is None when every one of them is surely still kept.
    """

    version: int
    due: Mapping[str, Instant] | None = None
