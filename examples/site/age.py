"""The age question: a year of birth, asked alike of everybody before a form asks anything else (K1).

It names no age, proposes no answer, and a second try in the same browser is told the same. The year is compared and
forgotten: neither the site nor the API keeps it, only this browser does, and only whether it may go on.
"""

from typing import Final

from litestar.datastructures import Cookie

ANSWER: Final = "__Host-age"
_DAY: Final = 86_400
_MAY: Final = "1"
_MAY_NOT: Final = "0"
_OLDEST: Final = 120


def answered(cookies: dict[str, str]) -> bool | None:
    """Whether this browser may go on; None while nobody was asked."""
    said = cookies.get(ANSWER)
    return None if said is None else said == _MAY


def year_of(typed: str, this_year: int) -> int | None:
    """The year somebody typed; None for what can't be one."""
    text = typed.strip()
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        return None
    return int(text) if this_year - _OLDEST <= int(text) <= this_year else None


def remember(may: bool) -> Cookie:
    """The answer, for a day; whoever went back finds it."""
    return Cookie(
        key=ANSWER, value=_MAY if may else _MAY_NOT, max_age=_DAY, path="/", secure=True, httponly=True, samesite="lax"
    )
