"""The keys, and switching them off: a single letter must not do something to whoever dictates or types by mistake."""

from typing import Final

from litestar.datastructures import Cookie

from omonat.desk.door import KEYS
from omonat.desk.visit import KEYS_COOKIE, Answer, Visit

_YEAR: Final = 365 * 86_400


async def show(visit: Visit) -> Answer:
    """What each key does."""
    return visit.page("keys.html")


async def switch(visit: Visit) -> Answer:
    """Switch the keys off in this browser, or on again."""
    off = visit.form.get("keys") == "off"
    cookie = Cookie(
        key=KEYS_COOKIE, value="off" if off else "", max_age=_YEAR if off else 0, path="/", secure=True,
        httponly=True, samesite="strict",
    )  # fmt: skip
    return visit.go(KEYS, cookies=[cookie])
