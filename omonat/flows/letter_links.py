"""Signed links in letters: what they allow is in them, and a key of the vault signs it. Nothing is stored.

confirm       one request; good for as long as it may be confirmed, once (the request says so)
preferences   one person; until an instant; `change`, or only to take back
parent        one question to a parent, at its first or its second step; good for as long as the question says
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hmac import compare_digest
from typing import Literal

from omonat.base.ids import is_id
from omonat.base.instants import DAY, SECOND, Instant
from omonat.vault.vault import Vault

PREFERENCES_LAST = 3 * DAY
Scope = Literal["change", "less"]
ParentStep = Literal["first", "second"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a link to the preferences opens: whose, and whether more may be allowed there than before."""

    person: str
    scope: Scope


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


def _holds(vault: Vault, kind: str, said: str, signature: str) -> bool:
    return signature.isascii() and said.isascii() and compare_digest(signature, _sign(vault, kind, said))


def _sign(vault: Vault, kind: str, said: str) -> str:
    return urlsafe_b64encode(vault.keyed_digest(kind, said.encode())[:16]).rstrip(b"=").decode()
