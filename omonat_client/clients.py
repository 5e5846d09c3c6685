"""The two clients, alike but for `await`: each method builds a request and sends it.

What was cut off or answered 503 is tried again, three times in all, with a growing pause. Uses read; writes carry an
idempotency key; so nothing is done twice.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import wraps
from types import TracebackType
from typing import Any, Final, Generic, ParamSpec, Self, TypeVar
from uuid import uuid4

import httpx
import msgspec

from omonat_client import requests
from omonat_client.answers import Problem
from omonat_client.errors import NotPossibleNow, OmonatProblem, problem_of
from omonat_client.requests import Request

P = ParamSpec("P")
T = TypeVar("T")

_ATTEMPTS: Final = 3
_PAUSE: Final = 0.2
_encode = msgspec.json.Encoder().encode


class _Now(Generic[P, T]):
    """A method of `Client` made from a request's builder, with its parameters and its answer."""

    def __init__(self, build: Callable[P, Request[T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __get__(self, client: "Client", _owner: Any = None) -> Callable[P, T]:
        @wraps(self._build)
        def method(*args: P.args, **named: P.kwargs) -> T:
            return client.send(self._build(*args, **named))

        return method


class _Awaited(Generic[P, T]):
    """The same for `AsyncClient`."""

    def __init__(self, build: Callable[P, Request[T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __get__(self, client: "AsyncClient", _owner: Any = None) -> Callable[P, Awaitable[T]]:
        @wraps(self._build)
        def method(*args: P.args, **named: P.kwargs) -> Awaitable[T]:
            return client.send(self._build(*args, **named))

        return method


class Client:
    """Speaks to one server with one system's credential. Safe among threads; close it, or use it with `with`."""

    def __init__(self, url: str, credential: str = "", *, language: str = "en", timeout: float = 10.0) -> None:
        """`language` is the one of sentences (uz, ru, en); `timeout` counts seconds of silence."""
        self._http = httpx.Client(base_url=url, headers=_headers(credential, language), timeout=timeout)

    def send(self, request: Request[T]) -> T:
        """Send a request built by `omonat_client.requests`. Raises OmonatProblem, or httpx's error when cut off."""
        content, headers = _content(request)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = self._http.request(request.method, request.path, content=content, headers=headers)
                return _answered(request, answer)
            except (httpx.TransportError, NotPossibleNow) as error:
                if attempt == _ATTEMPTS or not _worth_trying(error):
                    raise
                time.sleep(_PAUSE * attempt)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    collect = _Now(requests.collect)
    use = _Now(requests.use)
    use_many = _Now(requests.use_many)
    look_up = _Now(requests.look_up)
    put_case = _Now(requests.put_case)
    case_event = _Now(requests.case_event)
    close_case = _Now(requests.close_case)
    visit_link = _Now(requests.visit_link)
    consent = _Now(requests.consent)
    objection = _Now(requests.objection)
    restriction = _Now(requests.restriction)
    telling = _Now(requests.telling)
    agreement = _Now(requests.agreement)
    message = _Now(requests.message)
    put_staff = _Now(requests.put_staff)
    erasure_plan = _Now(requests.erasure_plan)
    erase = _Now(requests.erase)
    erasure = _Now(requests.erasure)
    policy = _Now(requests.policy)
    versions = _Now(requests.versions)
    form = _Now(requests.form)
    form_html = _Now(requests.form_html)
    proof = _Now(requests.proof)
    checkpoint = _Now(requests.checkpoint)
    health = _Now(requests.health)
    codes = _Now(requests.codes)


class AsyncClient:
    """As `Client`, for asyncio: every method is awaited. Close it with `aclose`, or use it with `async with`."""

    def __init__(self, url: str, credential: str = "", *, language: str = "en", timeout: float = 10.0) -> None:
        """`language` is the one of sentences (uz, ru, en); `timeout` counts seconds of silence."""
        self._http = httpx.AsyncClient(base_url=url, headers=_headers(credential, language), timeout=timeout)

    async def send(self, request: Request[T]) -> T:
        """Send a request built by `omonat_client.requests`. Raises OmonatProblem, or httpx's error when cut off."""
        content, headers = _content(request)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = await self._http.request(request.method, request.path, content=content, headers=headers)
                return _answered(request, answer)
            except (httpx.TransportError, NotPossibleNow) as error:
                if attempt == _ATTEMPTS or not _worth_trying(error):
                    raise
                await asyncio.sleep(_PAUSE * attempt)
        raise AssertionError("unreachable")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    collect = _Awaited(requests.collect)
    use = _Awaited(requests.use)
    use_many = _Awaited(requests.use_many)
    look_up = _Awaited(requests.look_up)
    put_case = _Awaited(requests.put_case)
    case_event = _Awaited(requests.case_event)
    close_case = _Awaited(requests.close_case)
    visit_link = _Awaited(requests.visit_link)
    consent = _Awaited(requests.consent)
    objection = _Awaited(requests.objection)
    restriction = _Awaited(requests.restriction)
    telling = _Awaited(requests.telling)
    agreement = _Awaited(requests.agreement)
    message = _Awaited(requests.message)
    put_staff = _Awaited(requests.put_staff)
    erasure_plan = _Awaited(requests.erasure_plan)
    erase = _Awaited(requests.erase)
    erasure = _Awaited(requests.erasure)
    policy = _Awaited(requests.policy)
    versions = _Awaited(requests.versions)
    form = _Awaited(requests.form)
    form_html = _Awaited(requests.form_html)
    proof = _Awaited(requests.proof)
    checkpoint = _Awaited(requests.checkpoint)
    health = _Awaited(requests.health)
    codes = _Awaited(requests.codes)


def _headers(credential: str, language: str) -> dict[str, str]:
    headers = {"accept-language": language, "accept": "application/json"}
    if credential:
        headers["authorization"] = f"Bearer {credential}"
    return headers


def _content(request: Request[Any]) -> tuple[bytes | None, dict[str, str]]:
    headers = {"idempotency-key": request.key or str(uuid4())} if request.keyed else {}
    if request.body is None:
        return None, headers
    headers["content-type"] = "application/json"
    return _encode(request.body), headers


def _answered(request: Request[T], answer: httpx.Response) -> T:
    if not answer.is_success:
        raise problem_of(answer.status_code, answer.content)
    try:
        return request.read(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # a proxy's page, or a server of another kind
        raise OmonatProblem(Problem(code="answer-unreadable", status=answer.status_code)) from error


def _worth_trying(error: Exception) -> bool:
    return not isinstance(error, NotPossibleNow) or error.problem.status == 503
