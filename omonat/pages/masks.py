"""Masks: how a value looks before its reader has said why they need it (look: Desk), and how it is spoken.

A mask never shows the value's length, and shows only what tells two people on one screen apart. Kinds are the policy's
item kinds; a kind nobody knows is hidden whole.
"""

from dataclasses import dataclass

from omonat.pages.formats import phone
from omonat.pages.words import Words

DOT = "·"
HIDDEN = DOT * 3


@dataclass(frozen=True, slots=True)
class Masked:
    """What the eye sees and what a screen reader says."""

    shown: str
    spoken: str


def mask(words: Words, kind: str, value: str) -> Masked:
    """The mask of `value`. Kinds: `phone`, `email`, `person-name`, `address`, `card-number`; others show nothing."""
    maskers = {
        "phone": _phone,
        "email": _email,
        "person-name": _name,
        "address": _address,
        "card-number": _card,
    }
    masker = maskers.get(kind)
    return masker(words, value) if masker else Masked(HIDDEN, words("hidden value"))


def _name(words: Words, value: str) -> Masked:
    initials = [part[0].upper() for part in value.split()]
    shown = " ".join(f"{initial}{HIDDEN}" for initial in initials) or HIDDEN
    return Masked(shown, words("hidden name, initials %(initials)s", initials=" ".join(initials) or HIDDEN))


def _address(words: Words, value: str) -> Masked:
    """Only the region stays, and only where something stands behind it."""
    region, comma, _ = value.partition(",")
    if not (comma and region.strip()):
        return Masked(HIDDEN, words("hidden address"))
    return Masked(f"{region.strip()}, {HIDDEN}", words("hidden address in %(place)s", place=region.strip()))


def _card(words: Words, value: str) -> Masked:
    digits = "".join(char for char in value if char.isdigit())
    if len(digits) < 12:
        return Masked(HIDDEN, words("hidden value"))
    spoken = words("hidden card number ending in %(digits)s", digits=" ".join(digits[-4:]))
    return Masked(f"{DOT * 4} {digits[-4:]}", spoken)


def _phone(words: Words, value: str) -> Masked:
    """`+998 ·· ··· 56 78`: country code and the last four digits stay, the grouping is the country's."""
    pretty = phone(value)
    head, _, tail = pretty.partition(" ")
    if not (pretty.startswith("+") and sum(c.isdigit() for c in tail) >= 6):
        return Masked(HIDDEN, words("hidden phone number"))
    left = sum(c.isdigit() for c in tail) - 4
    shown = []
    for char in tail:
        if char.isdigit():
            shown.append(DOT if left > 0 else char)
            left -= 1
        else:
            shown.append(char)
    digits = [c for c in tail if c.isdigit()][-4:]
    spoken = words("hidden phone number ending in %(digits)s", digits=f"{''.join(digits[:2])} {''.join(digits[2:])}")
    return Masked(f"{head} {''.join(shown)}", spoken)


def _email(words: Words, value: str) -> Masked:
    local, at, domain = value.strip().rpartition("@")
    if not (local and at and domain):
        return Masked(HIDDEN, words("hidden e-mail address"))
    return Masked(
        f"{local[0]}{HIDDEN}@{domain}",
        words("hidden e-mail address beginning with %(letter)s at %(domain)s", letter=local[0], domain=domain),
    )
