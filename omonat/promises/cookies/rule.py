"""The register of cookies, one browser's choice, and what of a report may be kept. Pure.

The choice is one cookie: `1.<register>.<seconds>.<purpose>.<purpose>…`. It holds no number of anybody's. It stands for
the register it was made under and no longer than the register says; anything else allows nothing.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from json import dumps
from typing import Final, Literal

from omonat.base.instants import DAY, SECOND, Instant
from omonat.policy.model import Cookie, Policy
from omonat.policy.words import Basis, CookieKind

CHOICE: Final = "__Host-cookie-choice"
"""The name of the cookie that keeps the choice: this host alone, over TLS alone."""
Sight = Literal["cookie", "storage", "request", "tag", "early"]
"""What was seen: one the register doesn't name, a tag of an unknown purpose, or a registered one without a yes."""
How = Literal["all", "none", "some", "signal"]

_FALLBACK: Final = 180 * DAY
_LONGEST: Final = 400 * DAY  # browsers keep no cookie longer
_SKEW: Final = 300 * SECOND
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z:]{1,64}")
_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9*_]([a-z0-9*_-]*[a-z0-9*_])?(\.[a-z0-9*_]([a-z0-9*_-]*[a-z0-9*_])?)*")
_TELLING: Final = re.compile(r"(?=[0-9a-z]*[0-9])[0-9a-f]{6,}|[0-9]{3,}|(?=[a-z]*[0-9])[0-9a-z]{16,}", re.IGNORECASE)
UNREADABLE: Final = "(unreadable)"


@dataclass(frozen=True, slots=True)
class Register:
    """What the policy registers. `optional` are the purposes one chooses about, in the policy's order."""

    digest: str
    cookies: Mapping[str, Cookie]
    optional: tuple[str, ...]
    lasts: int

    def of(self, purpose: str) -> list[Cookie]:
        """What runs under a purpose, only with a yes."""
        return [cookie for cookie in self.cookies.values() if cookie.purpose == purpose and not cookie.necessary]

    def find(self, sight: Sight, name: str) -> Cookie | None:
        """The registered cookie, key or host of this name."""
        for cookie in self.cookies.values():
            if sight == "request":
                named: Collection[str] = cookie.hosts
            elif (cookie.kind is CookieKind.STORAGE) != (sight == "storage"):
                continue
            else:
                named = names_of(cookie)
            if any(matches(one, name) for one in named):
                return cookie
        return None


@dataclass(frozen=True, slots=True)
class Chosen:
    """One browser's choice: the purposes it allows, and when it was made."""

    allowed: frozenset[str]
    at: Instant


def names_of(cookie: Cookie) -> tuple[str, ...]:
    """What the browser calls it."""
    return cookie.names or (cookie.id,)


def matches(pattern: str, name: str) -> bool:
    """Whether a registered name, which may end in `*`, stands for this one."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


@lru_cache(maxsize=16)
def _register(digest: str, held: "_Held") -> Register:  # noqa: ARG001 - the digest is the key
    policy = held.policy
    asked = {c.purpose for c in policy.cookies.values() if not c.necessary}
    optional = tuple(p for p in policy.purposes if p in asked and policy.purposes[p].basis is Basis.CONSENT)
    own = next((c for c in policy.cookies.values() if CHOICE in names_of(c)), None)
    lasts = min(own.lifetime.floor, _LONGEST) if own is not None and own.lifetime is not None else _FALLBACK
    shape = [
        [c.id, c.kind, c.owner, c.party, c.purpose, str(c.lifetime), c.necessary, *names_of(c), "", *c.hosts]
        for c in policy.cookies.values()
    ]
    mark = sha256(dumps(shape, separators=(",", ":")).encode()).hexdigest()[:12]
    return Register(mark, policy.cookies, optional, lasts // DAY * DAY)


class _Held:
    """Carries a policy into the cache without being part of its key."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


def register_of(policy: Policy, digest: str) -> Register:
    """The register of this document. Its own digest moves with what is registered, not with how it is put in words."""
    return _register(digest, _Held(policy))


def read_choice(register: Register, value: str | None, now: Instant) -> Chosen | None:
    """The choice a browser brought; None for none, one that is over, of another register, or not made by us."""
    mark, _, rest = (value or "").partition(".")
    digest, _, rest = rest.partition(".")
    seconds, *purposes = rest.split(".")
    if mark != "1" or digest != register.digest or not (seconds.isascii() and seconds.isdigit() and len(seconds) < 12):
        return None
    at = Instant(int(seconds) * SECOND)
    if at > now + _SKEW or at + register.lasts <= now:
        return None
    return Chosen(frozenset(purposes).intersection(register.optional), at)


def written(register: Register, allowed: Collection[str], now: Instant) -> str:
    """The value of the cookie for this choice."""
    chosen = [purpose for purpose in register.optional if purpose in allowed]
    return ".".join(("1", register.digest, str(now // SECOND), *chosen))


def signalled(headers: Mapping[str, str]) -> bool:
    """Whether the browser asks by Global Privacy Control not to be followed; only an exact `1` says so."""
    return "1" in (each.strip() for each in headers.get("sec-gpc", "").split(","))


def plain(sight: Sight, name: str) -> str:
    """The name as it may be kept: what could number a person becomes `*`, what is no name becomes one word."""
    if sight == "request":
        host = name.lower().rstrip(".")
        return _TELLING.sub("*", host) if _HOST.fullmatch(host) else UNREADABLE
    return _TELLING.sub("*", name) if _NAME.fullmatch(name) else UNREADABLE


def to_be_told(register: Register, sight: Sight, name: str) -> bool:
    """Whether a sight is news: something registered isn't, unless it came before its yes."""
    if sight == "tag":
        return name not in register.optional
    if sight == "early":
        found = register.find("cookie", name) or register.find("storage", name) or register.find("request", name)
        return found is not None and not found.necessary
    return register.find(sight, name) is None


def not_allowed(register: Register, allowed: Collection[str], brought: Collection[str]) -> list[str]:
    """The cookies a browser brought that belong to a purpose it doesn't allow; a script can't reach all of them."""
    over = [n for p in register.optional if p not in allowed for c in register.of(p) for n in names_of(c)]
    return [name for name in brought if any(matches(pattern, name) for pattern in over)]
