"""The rules of a campaign: which purpose may have one, by which channel, in which words. Pure.

1. The purpose sends marketing or invites to surveys, and rests on consent (U5, U8); the channel is one it declares.
2. The words are Uzbek; a translation is beside them, and short: at most 40 % of the area (ZRU-776; pack uz).
3. Words are plain: no control characters, so that no line of a text can pretend to be a header.
"""

import unicodedata
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from omonat.base.errors import BadInput
from omonat.base.verdict import Allow, Deny, Reason, Verdict

STATE_LANGUAGE: Final = "uz"
TRANSLATIONS: Final = ("ru", "en")
TEMPLATES: Final[Mapping[str, str]] = {"marketing": "campaign", "survey": "survey-invitation"}
"""By what the purpose sends: the one template its campaigns have."""
ITEMS: Final[Mapping[str, str]] = {"email": "contact.email", "sms": "contact.mobile"}
LONGEST_NAME: Final = 80
_LONGEST: Final[Mapping[str, int]] = {"email": 5_000, "sms": 300}
_LONGEST_SUBJECT: Final = 150
_TRANSLATION_PER_TEXT: Final = 2 / 3
"""A translation of 40 % of the area leaves 60 % to the text."""


class Texts(Struct, frozen=True, kw_only=True):
    """What is said: `text` in Uzbek, `subject` for e-mail, a short translation by language."""

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


def check_texts(texts: Texts, channel: str) -> None:
    """Raises BadInput `campaign-texts-wrong` naming what is wrong, and never the words."""
    email = channel == "email"
    if not texts.text.strip() or len(texts.text) > _LONGEST[channel] or not _plain(texts.text, lines=email):
        raise BadInput("campaign-texts-wrong", part="text")
    if email != bool(texts.subject.strip()) or len(texts.subject) > _LONGEST_SUBJECT or not _plain(texts.subject):
        raise BadInput("campaign-texts-wrong", part="subject")
    for language, words in texts.translations.items():
        fits = len(words) <= _TRANSLATION_PER_TEXT * len(texts.text)
        if not email or language not in TRANSLATIONS or not words.strip() or not fits or not _plain(words):
            raise BadInput("campaign-texts-wrong", part="translations")


def check_name(name: str) -> None:
    """Raises BadInput `campaign-name-wrong`: a name stands in addresses and in evidence."""
    if not (0 < len(name) <= LONGEST_NAME) or not all(
        c.isascii() and (c.islower() or c.isdigit() or c == "-") for c in name
    ):
        raise BadInput("campaign-name-wrong")


def once_key(campaign: str) -> str:
    """What makes a letter of a campaign the only one of its person."""
    return f"campaign:{campaign}"


def _plain(words: str, *, lines: bool = False) -> bool:
    flat = words.replace("\n", "") if lines else words
    return all(unicodedata.category(letter) not in {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"} for letter in flat)
