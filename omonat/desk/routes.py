"""The addresses of the Desk, and what surrounds each of them: who asks, the form's token, refusals."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from litestar import Request, get, post
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response
from litestar.types import ControllerRouterHandler

from omonat.base.errors import BadInput, Fault, OmonatError
from omonat.base.logs import log
from omonat.desk import find, sign_in, work
from omonat.desk.door import CASE, DESK, FIND, HOME, KEYS, PERSON, SIGN_IN, SIGN_OUT
from omonat.desk.visit import Answer, Visit
from omonat.house import House

Action = Callable[[Visit], Awaitable[Answer]]

_MOST_FORM = 16 * 1024
_log = log(__name__)


async def _first(visit: Visit) -> Answer:
    return sign_in.welcome(visit) if visit.staff is None else await work.queue(visit)


async def _keys(visit: Visit) -> Answer:
    return visit.page("keys.html")


async def _nowhere(visit: Visit) -> Answer:
    return visit.page("nowhere.html", status=404)


_FOR_ANYBODY: dict[str, Action] = {HOME: _first, KEYS: _keys, f"{HOME}/{{rest:path}}": _nowhere}
_FOR_STAFF: dict[str, Action] = {f"{CASE}/{{case:str}}": work.case, FIND: find.ask}
_FORMS_FOR_ANYBODY: dict[str, Action] = {SIGN_IN: sign_in.enter}
_FORMS_FOR_STAFF: dict[str, Action] = {
    f"{CASE}/{{case:str}}": work.reveal,
    FIND: find.find,
    PERSON: find.person,
    SIGN_OUT: sign_in.sign_out,
}


def handlers(house: Callable[[], House]) -> Sequence[ControllerRouterHandler]:
    """The handlers of this door; `house` is called per request, once the house is open."""
    DESK.warm()
    found = [_handler(get, path, action, house, signed_in=False) for path, action in _FOR_ANYBODY.items()]
    found += [_handler(get, path, action, house, signed_in=True) for path, action in _FOR_STAFF.items()]
    found += [_handler(post, path, action, house, signed_in=False) for path, action in _FORMS_FOR_ANYBODY.items()]
    found += [_handler(post, path, action, house, signed_in=True) for path, action in _FORMS_FOR_STAFF.items()]
    return found


def _handler(
    method: Callable[..., Any], path: str, action: Action, house: Callable[[], House], *, signed_in: bool
) -> HTTPRouteHandler:
    @method(path, include_in_schema=False, request_max_body_size=_MOST_FORM)  # type: ignore[untyped-decorator]
    async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await _answer(Visit(house(), request), action, signed_in=signed_in)

    handler: HTTPRouteHandler = handle
    return handler


async def _answer(visit: Visit, action: Action, *, signed_in: bool) -> Answer:
    """The page, or what was refused or failed. Whoever isn't signed in any more comes back to the sign-in."""
    try:
        await visit.meet()
        if visit.request.method == "POST":
            await visit.read_form()
        if signed_in and visit.staff is None:
            return visit.go(HOME)
        return await action(visit)
    except OmonatError as error:
        return visit.trouble(error)
    except HTTPException as error:
        if error.status_code >= 500:
            raise
        return visit.trouble(BadInput("form-unclear"))
    except Exception:
        _log.exception("page-failed")
        return visit.trouble(Fault("page-failed"))
