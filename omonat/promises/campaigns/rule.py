"""The rules of a campaign: which purpose may have one, by which channel, in which words, who agrees to it. Pure.

1. The purpose sends marketing or invites to surveys, and rests on consent (U5, U8); the channel is one it declares.
2. The words lead in the language the law packs ask for; a translation takes at most the area they leave to it.
3. Words are plain: no control characters, so that no line of a text can pretend to be a header.
4. Two people answer for it: who wrote it doesn't approve it, and nothing starts unapproved.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Final

from msgspec import Struct

from omonat.base.errors import BadInput
from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.policy.packs import Advertising

STATE_LANGUAGE: Final = "uz"
"""The language our letters lead in."""
TRANSLATIONS: Final = ("ru", "en")
TEMPLATES: Final[Mapping[str, str]] = {"marketing": "campaign", "survey": "survey-invitation"}
"""By what the purpose sends: the one template its campaigns have."""
ITEMS: Final[Mapping[str, str]] = {"email": "contact.email", "sms": "contact.mobile"}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_LONGEST: Final[Mapping[str, int]] = {"email": 5_000, "sms": 300}
_LONGEST_SUBJECT: Final = 150
_OVER: Final = frozenset({"stopped", "done"})


class Texts(Struct, frozen=True, kw_only=True):
    """What is said: `text` in the language that leads, `subject` for e-mail, a short translation by language."""

    text: str
    subject: str = ""
    translations: Mapping[str, str] = {}


def may_have_campaigns(purpose: str, sends: str, basis: str, channels: frozenset[str], channel: str) -> Verdict:
    """Whether this purpose may write to many by this channel."""
    about = {"purpose": purpose, "channel": channel}
    if sends not in TEMPLATES or basis != "consent":
        return Deny((Reason("campaign-purpose-wrong", "U5", about),))
    if channels and channel not in channels:
        return Deny((Reason("message-channel-undeclared", "C1", about),))
    return Allow()


def may_lead(law: Advertising | CannotTell | None) -> Verdict:
    """Whether the language our letters lead in is the one the law packs ask for; where they are silent, it is ours."""
    if isinstance(law, CannotTell):
        return law
    if law is not None and law.language != STATE_LANGUAGE:
        return Deny((Reason("advertising-language", "P5"),))
    return Allow()


def may_approve(name: str, state: str, *, planned_by: str, by: str) -> Verdict:
    """Whether this member of staff may agree to what another one planned."""
    if state in _OVER:
        return Deny((Reason("campaign-over", "C3", {"name": name}),))
    if planned_by == by:
        return Deny((Reason("campaign-same-person", "U5"),))
    return Allow()


def may_start(name: str, state: str) -> Verdict:
    """Whether it may begin to run, or run on."""
    if state in _OVER:
        return Deny((Reason("campaign-over", "C3", {"name": name}),))
    if state == "planned":
        return Deny((Reason("campaign-not-approved", "U5", {"name": name}),))
    return Allow()


def may_act(role: str, purpose: str, *, roles: Collection[str], owners: Collection[str], decides: bool) -> Verdict:
    """Whether this role plans and starts campaigns of the purpose, or (`decides`) approves, looks and stops: the
    purpose's own roles, and then also the owners of the promises it keeps."""
    if role in roles or (decides and role in owners):
        return Allow()
    return Deny((Reason("role-may-not", "S4", {"role": role, "purpose": purpose}),))


def check_texts(texts: Texts, channel: str, law: Advertising | None) -> None:
    """Raises BadInput `campaign-texts-wrong` naming what is wrong, and never the words."""
    email = channel == "email"
    if not texts.text.strip() or len(texts.text) > _LONGEST[channel] or not _plain(texts.text, lines=email):
        raise BadInput("campaign-texts-wrong", part="text")
    if email != bool(texts.subject.strip()) or len(texts.subject) > _LONGEST_SUBJECT or not _plain(texts.subject):
        raise BadInput("campaign-texts-wrong", part="subject")
    for language, words in texts.translations.items():
        fits = _translation_fits(len(words), len(texts.text), law)
        if not email or language not in TRANSLATIONS or not words.strip() or not fits or not _plain(words):
            raise BadInput("campaign-texts-wrong", part="translations")


def check_name(name: str) -> None:
    """Raises BadInput `campaign-name-wrong`: a name stands in addresses and in evidence."""
    if _NAME.fullmatch(name) is None:
        raise BadInput("campaign-name-wrong")


def once_key(campaign: str) -> str:
    """What makes a letter of a campaign the only one of its person."""
    return f"campaign:{campaign}"


def _translation_fits(translation: int, text: int, law: Advertising | None) -> bool:
    """Of the area both take together, the translation has at most the law's share. Measured in characters, as if it
    were set in letters of the same size; it is set in smaller ones."""
    if law is None:
        return translation <= _LONGEST["email"]
    return translation * (100 - law.translation_at_most) <= text * law.translation_at_most


def _plain(words: str, *, lines: bool = False) -> bool:
    flat = words.replace("\n", "") if lines else words
    return all(unicodedata.category(letter) not in {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"} for letter in flat)
