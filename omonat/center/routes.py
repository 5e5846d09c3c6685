"""The addresses of the Privacy Center, and what surrounds each of them: who asks, the form's token, refusals."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from litestar import Request, get, post
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response
from litestar.types import ControllerRouterHandler

from omonat.base.errors import BadInput, Fault, OmonatError
from omonat.base.logs import log
from omonat.center import choices, looked, my_data, proofs, requests, sign_in
from omonat.center.door import (
    CENTER,
    CHECKPOINT,
    CHOICES,
    CODE,
    DATA,
    HOME,
    LOOKED,
    ORDER,
    PROOF,
    REQUESTS,
    SIGN_OUT,
)
from omonat.center.visit import Answer, Visit
from omonat.house import House

Action = Callable[[Visit], Awaitable[Answer]]

_MOST_FORM = 16 * 1024
_log = log(__name__)

_FOR_ANYBODY: dict[str, Action] = {
    CODE: sign_in.code,
    ORDER: sign_in.order,
    CHECKPOINT: proofs.checkpoint,
    f"{CHECKPOINT}/note": proofs.note,
    f"{CHECKPOINT}/keys": proofs.keys,
    f"{CHECKPOINT}/verifier": proofs.verifier,
}
_FOR_THE_PERSON: dict[str, Action] = {
    DATA: my_data.show,
    LOOKED: looked.show,
    CHOICES: choices.show,
    REQUESTS: requests.show,
    f"{PROOF}/{{entry:str}}": proofs.entry,
    f"{PROOF}/{{entry:str}}/file": proofs.download,
}
_FORMS_FOR_ANYBODY: dict[str, Action] = {
    HOME: sign_in.ask,
    CODE: sign_in.enter,
    f"{CODE}/again": sign_in.again,
    ORDER: sign_in.prove,
}
_FORMS_FOR_THE_PERSON: dict[str, Action] = {
    DATA: my_data.reveal,
    CHOICES: choices.choose,
    SIGN_OUT: sign_in.sign_out,
}


def handlers(house: Callable[[], House]) -> Sequence[ControllerRouterHandler]:
    """The handlers of this door; `house` is called per request, once the house is open."""
    CENTER.warm()
    found = [_handler(get, path, action, house, signed_in=False) for path, action in _FOR_ANYBODY.items()]
    found += [_handler(get, path, action, house, signed_in=True) for path, action in _FOR_THE_PERSON.items()]
    found += [_handler(post, path, action, house, signed_in=False) for path, action in _FORMS_FOR_ANYBODY.items()]
    found += [_handler(post, path, action, house, signed_in=True) for path, action in _FORMS_FOR_THE_PERSON.items()]
    found.append(_handler(get, HOME, _first, house, signed_in=False))
    found.append(_handler(get, f"{HOME}/{{rest:path}}", _nowhere, house, signed_in=False))
    return found


async def _first(visit: Visit) -> Answer:
    return sign_in.welcome(visit) if visit.standing is None else await my_data.home(visit)


async def _nowhere(visit: Visit) -> Answer:
    return visit.page("nowhere.html", status=404)


def _handler(
    method: Callable[..., Any], path: str, action: Action, house: Callable[[], House], *, signed_in: bool
) -> HTTPRouteHandler:
    @method(path, include_in_schema=False, request_max_body_size=_MOST_FORM)  # type: ignore[untyped-decorator]
    async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await _answer(Visit(house(), request), action, signed_in=signed_in)

    handler: HTTPRouteHandler = handle
    return handler


async def _answer(visit: Visit, action: Action, *, signed_in: bool) -> Answer:
    """The page, or what was refused or failed. Whoever isn't signed in any more comes back to the first question."""
    try:
        await visit.meet()
        if visit.request.method == "POST":
            await visit.read_form()
        if signed_in and visit.standing is None:
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
