"""Signed links, in letters and on bills: what they allow is in them, under a key of the vault. Nothing is stored.

confirm       one request; good for as long as it may be confirmed, once (the request says so)
preferences   one person; until an instant; `change`, or only to take back
parent        one question to a parent, at its first or its second step; good for as long as the question says
visit         one case; until an instant; sealed as well as signed, because paper goes from hand to hand
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final, Literal

from omonat.base.errors import OmonatError
from omonat.base.ids import is_id
from omonat.base.instants import DAY, SECOND, Instant
from omonat.vault.vault import Vault

PREFERENCES_LAST = 3 * DAY
_VISIT: Final = "visit-link"
_VISIT_FORM: Final = re.compile(r"[A-Za-z0-9_-]{64,320}")
_UNTIL: Final = 5
_WHOSE: Final = 8
Scope = Literal["change", "less"]
ParentStep = Literal["first", "second"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a link to the preferences opens: whose, and whether more may be allowed there than before."""

    person: str
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitNamed:
    """What a link on a bill opens: which case's page, as long as it is still the same person's, and until when."""

    case: str
    whose: bytes
    until: Instant


def confirm_link(vault: Vault, number: str) -> str:
    """The end of the address at which a request is confirmed."""
    return f"{number}.{_sign(vault, 'confirm-link', number)}"


def read_confirm_link(vault: Vault, token: str) -> str | None:
    """The number of the request; None for what is no link of ours."""
    number, _, signature = token.partition(".")
    return number if _holds(vault, "confirm-link", number, signature) else None


def preferences_link(vault: Vault, person: str, scope: Scope, *, now: Instant) -> str:
    """The end of the address of a person's preferences."""
    said = f"{person}.{scope}.{(now + PREFERENCES_LAST) // SECOND}"
    return f"{said}.{_sign(vault, 'preferences-link', said)}"


def read_preferences_link(vault: Vault, token: str, *, now: Instant) -> Preferences | None:
    """What the link opens; None for one that is over, and for what is no link of ours."""
    said, _, signature = token.rpartition(".")
    person, scope, until = [*said.split("."), "", "", ""][:3]
    if not _holds(vault, "preferences-link", said, signature) or not is_id("per", person):
        return None
    if int(until) * SECOND <= now:
        return None
    return Preferences(person=person, scope="change" if scope == "change" else "less")


def parent_link(vault: Vault, ask: str, step: ParentStep) -> str:
    """The end of the address at which a parent answers."""
    said = f"{ask}.{step}"
    return f"{said}.{_sign(vault, 'parent-link', said)}"


def read_parent_link(vault: Vault, token: str) -> tuple[str, ParentStep] | None:
    """Which question, and at which step; None for what is no link of ours."""
    said, _, signature = token.rpartition(".")
    ask, _, step = said.partition(".")
    if not _holds(vault, "parent-link", said, signature):
        return None
    return ask, "second" if step == "second" else "first"


def visit_link(vault: Vault, case: str, person: str, until: Instant) -> str:
    """The end of the address that stands on a bill: nobody without the vault reads in it whose case it is, or which."""
    said = (until // SECOND).to_bytes(_UNTIL) + _whose(vault, person) + case.encode()
    return urlsafe_b64encode(vault.seal_value(_VISIT, said)).rstrip(b"=").decode()


def read_visit_link(vault: Vault, token: str, *, now: Instant) -> VisitNamed | None:
    """What the link opens; None for one that is over, another installation's, and for what is no link of ours."""
    if _VISIT_FORM.fullmatch(token) is None:
        return None
    try:
        said = vault.open_value(_VISIT, urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, OmonatError):
        return None
    until = Instant(int.from_bytes(said[:_UNTIL]) * SECOND)
    whose, case = said[_UNTIL : _UNTIL + _WHOSE], said[_UNTIL + _WHOSE :].decode()
    return VisitNamed(case=case, whose=whose, until=until) if now < until else None


def is_visit_of(vault: Vault, link: VisitNamed, person: str) -> bool:
    """Whether the case is still the person's whose bill it was: a number may come back."""
    return compare_digest(link.whose, _whose(vault, person))


def _whose(vault: Vault, person: str) -> bytes:
    return vault.keyed_digest("visit-link-person", person.encode())[:_WHOSE]


def _holds(vault: Vault, kind: str, said: str, signature: str) -> bool:
    return signature.isascii() and said.isascii() and compare_digest(signature, _sign(vault, kind, said))


def _sign(vault: Vault, kind: str, said: str) -> str:
    return urlsafe_b64encode(vault.keyed_digest(kind, said.encode())[:16]).rstrip(b"=").decode()
