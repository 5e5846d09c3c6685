"""A page of one's own (U9): what somebody ordered last time stands on top of the menu, if they said yes to that.

It is off until a signed-up person says yes here. Then each page asks the API for the last order under the purpose of
personalising, in its own name; whether the yes still stands is the API's to know. Once it says no, nothing is asked
about this browser any more. One that sends Global Privacy Control, or that the age question turned away, gets
everybody's page and is asked about nothing. Whatever goes wrong, it is everybody's page as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from examples.site import age, menu
from examples.site.menu import Dish
from examples.site.state import Browser
from omonat_client import AsyncClient, NotAllowed, OmonatProblem
from omonat_client.answers import Offer

PURPOSE = "personalisation"
_ASKED_FOR = "transaction.order-lines"
_OFFERED_BY = "registration"
_MOST = 4


@dataclass(frozen=True, slots=True)
class Own:
    """What is somebody's own on the menu: dishes of their last order. `over`: the API said no to it."""

    dishes: tuple[Dish, ...] = ()
    over: bool = False


def signals(headers: Mapping[str, str]) -> bool:
    """Whether the browser asks every site not to do this (Global Privacy Control)."""
    return headers.get("sec-gpc", "").strip() == "1"


def may(browser: Browser, headers: Mapping[str, str], cookies: dict[str, str]) -> bool:
    """Whether such a page can be offered to this browser at all."""
    return browser.person is not None and not signals(headers) and age.answered(cookies) is not False


async def of(client: AsyncClient, person: str) -> Own:
    """The dishes of somebody's last order that are still cooked, asked of the API for this one page."""
    try:
        used = await client.use(PURPOSE, person=person, items=[_ASKED_FOR])
    except NotAllowed:
        return Own(over=True)
    except (OmonatProblem, httpx.TransportError):
        return Own()
    ordered = {str(line.get("item")) for line in used.items.get(_ASKED_FOR, ())}
    known = [dish for dish in menu.MENU.values() if dish.name in ordered]
    return Own(dishes=tuple(known[:_MOST]))


async def offer(client: AsyncClient) -> Offer | None:
    """What the policy says of it, in the reader's language; None where it offers no such thing."""
    form = await client.form(_OFFERED_BY)
    return next((each for each in form.offers if each.purpose == PURPOSE), None)


async def choose(client: AsyncClient, person: str, *, yes: bool) -> None:
    """Tell the API what the person chose. Raises OmonatProblem where they may not choose it."""
    await client.consent(person, PURPOSE, "given" if yes else "withdrawn")
