"""A few optional questions about visitors, counted without a visitor (L4).

The page sets no cookie and reads none but the language's; the answer carries nothing but bands, each question is
counted for itself, and nobody is told apart from anybody. Leaving it empty is an answer too, and costs nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response

from omonat.base.codes import registry, sentence
from omonat.base.errors import OmonatError, Refused
from omonat.house import House
from omonat.pages import Nav
from omonat.pages.http import from_elsewhere, language_for, security_headers
from omonat.pages.values import readable
from omonat.policy.beside import choices
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.words import Kind
from omonat.site.door import COMPLAIN, HOME, QUESTIONS, SITE

_MOST_BODY: Final = 1024

Asked = Request[Any, Any, Any]
Answer = Response[bytes]


def visitor_routes(house: Callable[[], House]) -> list[HTTPRouteHandler]:
    """The addresses of the questions."""

    @get(QUESTIONS, name="about-visitors", include_in_schema=False)
    async def show(request: Asked) -> Answer:
        return await _page(house(), request)

    @post(QUESTIONS, name="about-visitors-answer", include_in_schema=False, request_max_body_size=_MOST_BODY)
    async def count(request: Asked) -> Answer:
        try:
            if from_elsewhere(request.headers, request.headers.get("host", "")):
                raise Refused("form-not-ours")
            await house().demographics.count(_answers(await request.body()))
        except OmonatError as error:
            return await _page(house(), request, error=error)
        return await _page(house(), request, done=True)

    return [show, count]


def _answers(body: bytes) -> Mapping[str, str]:
    """What was ticked; anything else is dropped where it is counted."""
    return dict(parse_qsl(body.decode("ascii", "replace"), max_num_fields=16))


async def _page(house: House, request: Asked, *, done: bool = False, error: OmonatError | None = None) -> Answer:
    query = {key: values[-1] for key, values in request.query_params.dict().items() if values}
    language = language_for(query, request.cookies, request.headers)
    words, now = SITE.words(language), house.grounds.clock()
    policy, asked = await house.demographics.asked()
    html = SITE.render(
        "about_visitors.html",
        language=language,
        now=now,
        path=QUESTIONS,
        place=words("About our visitors"),
        home=HOME,
        controller=policy.policy.controller.name,
        foot_links=[Nav(HOME, words("The policy in force")), Nav(COMPLAIN, words("Complain or ask"))],
        questions=[
            (item, policy.items[item].says[language], [(band, _said(policy, item, band, language)) for band in bands])
            for item, bands in asked.items()
        ],
        threshold=0 if policy.policy.demographics is None else policy.policy.demographics.threshold,
        done=done,
        refused="" if error is None else sentence(error.code, language, error.about),
    )
    headers = security_headers(personal=True, https=house.settings.address.startswith("https:"))
    status = 200 if error is None else registry()[error.code].status
    return Response(html.encode(), media_type="text/html", status_code=status, headers=headers)


def _said(policy: CompiledPolicy, item: str, band: str, language: str) -> str:
    """A band in the reader's language."""
    declared = policy.item(item)
    if declared.kind is Kind.GENDER:
        return ", ".join(readable(SITE.words(language), declared, band))
    return choices(policy, item, language)[band]
