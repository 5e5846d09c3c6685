"""The addresses of a door people sign in to, and what surrounds each: who asks, the form's token, refusals."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from litestar import Request, get, post
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response
from litestar.types import ControllerRouterHandler

from omonat.base.errors import BadInput, Fault, OmonatError
from omonat.base.logs import log
from omonat.house import House
from omonat.pages.visit import Answer, Visit

V = TypeVar("V", bound=Visit)

_MOST_FORM = 16 * 1024
_log = log(__name__)


@dataclass(frozen=True, kw_only=True)
class Addresses(Generic[V]):
    """Address → action: pages are asked for, forms are posted.

    Those `for_members` lead to the door's entrance whoever isn't signed in any more.
    """

    pages: Mapping[str, Callable[[V], Awaitable[Answer]]] = field(default_factory=dict)
    forms: Mapping[str, Callable[[V], Awaitable[Answer]]] = field(default_factory=dict)
    for_members: "Addresses[V] | None" = None


def handlers_of(
    visit: type[V], addresses: Addresses[V], house: Callable[[], House]
) -> Sequence[ControllerRouterHandler]:
    """The handlers of a door; `house` is called per request, once the house is open."""
    visit.door.warm()
    made: list[ControllerRouterHandler] = []
    for open_to_all, these in ((True, addresses), (False, addresses.for_members or Addresses[V]())):
        for method, actions in ((get, these.pages), (post, these.forms)):
            made += [
                _handler(method, path, visit, action, house=house, open_to_all=open_to_all)
                for path, action in actions.items()
            ]
    return made


def _handler(
    method: Callable[..., Any],
    path: str,
    visit: type[V],
    action: Callable[[V], Awaitable[Answer]],
    *,
    house: Callable[[], House],
    open_to_all: bool,
) -> HTTPRouteHandler:
    @method(path, include_in_schema=False, request_max_body_size=_MOST_FORM)  # type: ignore[untyped-decorator]
    async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await _answer(visit(house(), request), action, open_to_all=open_to_all)

    handler: HTTPRouteHandler = handle
    return handler


async def _answer(visit: V, action: Callable[[V], Awaitable[Answer]], *, open_to_all: bool) -> Answer:
    """The page, or what was refused or failed. Whoever isn't signed in any more comes back to the first page."""
    try:
        await visit.meet()
        if visit.request.method == "POST":
            await visit.read_form()
        if not open_to_all and not visit.signed_in:
            return visit.go(visit.entrance)
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
