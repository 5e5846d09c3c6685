"""The addresses of the Desk."""

from collections.abc import Callable, Sequence

from litestar.types import ControllerRouterHandler

from omonat.desk import campaigns, children, clients, find, keys, offline, requests, safeguards, sign_in, tasks, work
from omonat.desk.door import (
    CAMPAIGNS,
    CASE,
    CHILDREN,
    CLIENTS,
    FIND,
    HOME,
    KEYS,
    OFFLINE,
    OPEN,
    PERSON,
    PROCEDURE,
    REQUESTS,
    SAFEGUARDS,
    SIGN_IN,
    SIGN_OUT,
    TASKS,
)
from omonat.desk.visit import Answer, Visit
from omonat.house import House
from omonat.pages.routes import Addresses, handlers_of

_ONE_CASE = f"{CASE}/{{case:str}}"
_ONE_CAMPAIGN = f"{CAMPAIGNS}/{{campaign:str}}"
_ONE_REQUEST = f"{REQUESTS}/{{number:str}}"
_ONE_CLIENT = f"{CLIENTS}/{{client:str}}"
_ONE_CHILD = f"{CHILDREN}/{{person:str}}"


async def _first(visit: Visit) -> Answer:
    return await work.queue(visit) if visit.signed_in else sign_in.welcome(visit)


async def _nowhere(visit: Visit) -> Answer:
    return visit.page("nowhere.html", status=404)


async def _beginning(visit: Visit) -> Answer:
    """Where only a form leads: a reader who reloads it, or changes the language there, begins anew."""
    return visit.go(HOME)


async def _search(visit: Visit) -> Answer:
    return visit.go(FIND)


ADDRESSES = Addresses(
    pages={
        HOME: _first,
        KEYS: keys.show,
        OFFLINE: offline.show,
        f"{OFFLINE}/worker.js": offline.worker,
        SIGN_IN: _beginning,
        SIGN_OUT: _beginning,
        f"{HOME}/{{rest:path}}": _nowhere,
    },
    forms={SIGN_IN: sign_in.enter},
    for_members=Addresses(
        pages={
            _ONE_CASE: work.case,
            OPEN: _beginning,
            FIND: find.ask,
            PERSON: _search,
            REQUESTS: requests.inbox,
            _ONE_REQUEST: requests.one,
            CAMPAIGNS: campaigns.every,
            _ONE_CAMPAIGN: campaigns.one,
            CLIENTS: clients.every,
            PROCEDURE: clients.procedure,
            _ONE_CLIENT: clients.one,
            CHILDREN: children.everybody,
            _ONE_CHILD: children.one,
            SAFEGUARDS: safeguards.every,
            TASKS: tasks.every,
        },
        forms={
            _ONE_CASE: work.reveal,
            OPEN: work.open_by_number,
            FIND: find.find,
            PERSON: find.person,
            _ONE_REQUEST: requests.act,
            CAMPAIGNS: campaigns.plan,
            _ONE_CAMPAIGN: campaigns.act,
            CLIENTS: clients.register,
            PROCEDURE: clients.change,
            _ONE_CLIENT: clients.act,
            CHILDREN: children.signal,
            _ONE_CHILD: children.act,
            SAFEGUARDS: safeguards.act,
            TASKS: tasks.act,
            KEYS: keys.switch,
            SIGN_OUT: sign_in.sign_out,
        },
    ),
)


def handlers(house: Callable[[], House]) -> Sequence[ControllerRouterHandler]:
    """The handlers of this door; `house` is called per request, once the house is open."""
    return handlers_of(Visit, ADDRESSES, house)
