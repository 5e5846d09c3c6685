"""How dates, distances, money, phones, lists and digests are written, per language (shared words, look: Words).

Instants are whole microseconds UTC; they are shown in the zone handed in. Every date can say how far away it is.
Numbers are grouped with a no-break space in Uzbek and Russian, with a comma in English (en-GB).
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import phonenumbers
from babel.dates import format_date

from omonat.base.instants import DAY, HOUR, MINUTE, SECOND, Instant, to_datetime
from omonat.pages.words import Words

TASHKENT = ZoneInfo("Asia/Tashkent")
NBSP = "\u00a0"
_MONTHS_UZ = (
    "yanvar fevral mart aprel may iyun iyul avgust sentabr oktabr noyabr dekabr".split()  # noqa: SIM905
)
_SOM = {"uz": "soʻm", "ru": "сум", "en": "soʻm"}
_BABEL = {"ru": "ru", "en": "en_GB"}


def moment(instant: Instant, zone: ZoneInfo = TASHKENT) -> datetime:
    """The wall-clock moment in `zone`."""
    return to_datetime(instant).astimezone(zone)


def day(words: Words, when: Instant | date, zone: ZoneInfo = TASHKENT) -> str:
    """`2026-yil 22-noyabr` · `22 ноября 2026 г.` · `22 November 2026`; parts never break apart across lines."""
    on = when if isinstance(when, date) else moment(when, zone).date()
    if words.language == "uz":
        return f"{on.year}-yil{NBSP}{on.day}-{_MONTHS_UZ[on.month - 1]}"
    return re.sub(r"\s", NBSP, format_date(on, "long", locale=_BABEL[words.language]))


def clock(instant: Instant, zone: ZoneInfo = TASHKENT) -> str:
    """`14:05`, the same in all three languages."""
    return moment(instant, zone).strftime("%H:%M")


def day_and_clock(words: Words, instant: Instant, zone: ZoneInfo = TASHKENT) -> str:
    """`22 November 2026, 14:05`."""
    return f"{day(words, instant, zone)}, {clock(instant, zone)}"


def distance(words: Words, when: Instant, now: Instant, zone: ZoneInfo = TASHKENT) -> str:
    """How far `when` lies from `now`: `in 102 days`, `3 hours ago`, `tomorrow`.

    Under a day it counts time, beyond that calendar days in `zone`; from half a year whole months, from two years
    whole years, rounded down because the date itself stands beside it.
    """
    ahead, apart = when >= now, abs(when - now)
    if apart < DAY:
        return _span(words, ahead, apart)
    first, last = sorted((moment(now, zone).date(), moment(when, zone).date()))
    days = (last - first).days
    months = (last.year - first.year) * 12 + last.month - first.month - (last.day < first.day)
    if days == 1:
        return words("tomorrow") if ahead else words("yesterday")
    if months < 6:
        soon = words.ngettext("in %(num)s day", "in %(num)s days", days)
        return soon if ahead else words.ngettext("%(num)s day ago", "%(num)s days ago", days)
    if months < 24:
        soon = words.ngettext("in %(num)s month", "in %(num)s months", months)
        return soon if ahead else words.ngettext("%(num)s month ago", "%(num)s months ago", months)
    soon = words.ngettext("in %(num)s year", "in %(num)s years", months // 12)
    return soon if ahead else words.ngettext("%(num)s year ago", "%(num)s years ago", months // 12)


def _span(words: Words, ahead: bool, apart: int) -> str:
    if apart < MINUTE:
        seconds = apart // SECOND
        if seconds == 0:
            return words("now")
        return words("in %(num)s s", num=seconds) if ahead else words("%(num)s s ago", num=seconds)
    if apart < HOUR:
        minutes = apart // MINUTE
        if ahead:
            return words.ngettext("in %(num)s minute", "in %(num)s minutes", minutes)
        return words.ngettext("%(num)s minute ago", "%(num)s minutes ago", minutes)
    hours = apart // HOUR
    if ahead:
        return words.ngettext("in %(num)s hour", "in %(num)s hours", hours)
    return words.ngettext("%(num)s hour ago", "%(num)s hours ago", hours)


def day_and_distance(words: Words, when: Instant, now: Instant, zone: ZoneInfo = TASHKENT) -> str:
    """`3 March 2027, in 102 days`: every date says how far away it is."""
    return f"{day(words, when, zone)}, {distance(words, when, now, zone)}"


def number(words: Words, value: int) -> str:
    """`18 204` in Uzbek and Russian, `18,204` in English."""
    return f"{value:,}".replace(",", "," if words.language == "en" else NBSP).replace("-", "\u2212")


def decimal(words: Words, digits: str) -> str:
    """A number with a fraction, given as digits with a point: `41,3111` in Uzbek and Russian."""
    return digits if words.language == "en" else digits.replace(".", ",")


def money(words: Words, tiyin: int) -> str:
    """Integer tiyin as soʻm: `125 000 soʻm`; tiyin are printed only where there are any."""
    whole, rest = divmod(abs(tiyin), 100)
    point = "." if words.language == "en" else ","
    sign = "\u2212" if tiyin < 0 else ""
    return f"{sign}{number(words, whole)}{f'{point}{rest:02d}' if rest else ''}{NBSP}{_SOM[words.language]}"


def phone(value: str) -> str:
    """`+998 90 123 45 67`; text that is no number comes back as it is."""
    try:
        parsed = phonenumbers.parse(value, "UZ")
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL).replace("-", " ")


def several(words: Words, items: Sequence[str]) -> str:
    """`a, b and c` · `a, b va c` · `a, b и c`; an empty list is an empty string."""
    if len(items) < 2:
        return "".join(items)
    return words("%(first)s and %(last)s", first=", ".join(items[:-1]), last=items[-1])


def short_digest(digest: bytes | str, length: int = 12) -> str:
    """The first hexadecimal digits in groups of four: `9f2c 01ab 77e0`, enough to compare by eye, not to prove."""
    text = digest.hex() if isinstance(digest, bytes) else digest
    head = text[:length]
    return " ".join(head[i : i + 4] for i in range(0, len(head), 4))
