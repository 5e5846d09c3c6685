"""The pages: menu, cart, order, sign-up, newsletter, question; and what is done with what people send."""

import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import httpx
from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, FromPath
from markupsafe import Markup

from examples.site import age, forms, menu, newsletter, personal
from examples.site.api import Api
from examples.site.door import SHOP, Answer, Asked, Frame
from examples.site.forms import Filled, Wish
from examples.site.state import Browser, Done, State
from omonat.base.instants import from_rfc3339
from omonat.pages.http import SESSION_COOKIES, from_elsewhere
from omonat_client import AsyncClient, Collected, NotAllowed, NotPossibleNow, OmonatProblem, Problem, WrongRequest

Posted = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
PAGES = {"order": forms.ORDER, "sign-up": forms.SIGN_UP, "newsletter": forms.NEWSLETTER, "ask": forms.ASK}
STEPS = {"more": 1, "less": -1}
Page = Literal["order", "sign-up", "newsletter", "ask"]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to ask for."""

    template: str
    purpose: str
    channel: Literal["sms", "email"]
    params: Mapping[str, str | int] = field(default_factory=dict)


def routes(site: "Site") -> list[HTTPRouteHandler]:
    """The addresses of the site."""

    @get(["/", "/menu"], include_in_schema=False)
    async def home(request: Asked) -> Answer:
        return await site.menu(request)

    @get("/for-you", include_in_schema=False)
    async def for_you(request: Asked) -> Answer:
        return await site.for_you(request)

    @post("/for-you", include_in_schema=False)
    async def choose_for_you(request: Asked, data: Posted) -> Answer:
        return await site.choose_for_you(request, data)

    @get("/cart", include_in_schema=False)
    async def cart(request: Asked) -> Answer:
        return site.cart(request)

    @post("/cart", include_in_schema=False)
    async def change_cart(request: Asked, data: Posted) -> Answer:
        return site.change_cart(request, data)

    @get(["/order", "/sign-up", "/newsletter", "/ask"], include_in_schema=False)
    async def form(request: Asked) -> Answer:
        return await site.show(request, _page(request))

    @post(["/order", "/sign-up", "/newsletter", "/ask"], include_in_schema=False)
    async def send(request: Asked, data: Posted) -> Answer:
        try:
            return await site.send(request, _page(request), data)
        except (NotPossibleNow, httpx.TransportError):
            return site.waiting(request)

    @post("/age", include_in_schema=False)
    async def age_question(request: Asked, data: Posted) -> Answer:
        return await site.answer_age(request, data)

    @get("/done/{number:int}", include_in_schema=False)
    async def done(request: Asked, number: FromPath[int]) -> Answer:
        return await site.done(request, number)

    @post("/bill/{number:int}", status_code=200, include_in_schema=False)
    async def bill(request: Asked, number: FromPath[int]) -> Answer:
        return await site.bill(request, number)

    @get("/bill/{number:int}", include_in_schema=False)
    async def bill_again(request: Asked, number: FromPath[int]) -> Answer:
        return site.bill_again(request, number)

    return [home, for_you, choose_for_you, cart, change_cart, form, send, age_question, done, bill, bill_again]


class Site:
    """The site. It holds no rule about data: what may be taken is asked of the API, every time."""

    def __init__(self, api: Api, state: State, frame: Frame) -> None:
        self._api = api
        self._state = state
        self._frame = frame

    async def menu(self, request: Asked) -> Answer:
        """The menu; with somebody's last order on top, if they said yes to that and it still stands."""
        browser = self._browser(request)
        may = personal.may(browser, request.headers, request.cookies)
        own = personal.Own()
        client = self._api.speaking(self._frame.language(request))
        if may and browser.personal and browser.person is not None and client is not None:
            own = await personal.of(client, browser.person)
            if own.over:
                self._state.make_personal(browser, yes=False)
        return self._frame.page(
            request, browser, "menu.html", sections=menu.by_section(), som=menu.SOM, own=own.dishes, may=may
        )

    async def for_you(self, request: Asked, *, refused: Problem | None = None) -> Answer:
        """What a menu of one's own would be, and the one button that turns it on or off."""
        browser, client = self._browser(request), self._api.speaking(self._frame.language(request))
        may = personal.may(browser, request.headers, request.cookies)
        try:
            offer = await personal.offer(client) if may and client is not None else None
        except (OmonatProblem, httpx.TransportError):
            return self._waiting(request, browser)
        return self._frame.page(
            request, browser, "for-you.html", status=refused.status if refused else 200, offer=offer, may=may,
            signal=personal.signals(request.headers), refused=refused,
        )  # fmt: skip

    async def choose_for_you(self, request: Asked, posted: dict[str, str]) -> Answer:
        """Yes or no; a no is heard whatever the browser signals."""
        if from_elsewhere(request.headers, request.headers.get("host", "")):
            return self._elsewhere(request)
        browser, client = self._browser(request), self._api.speaking(self._frame.language(request))
        yes = posted.get("yes") == "yes"
        if browser.person is None or (yes and not personal.may(browser, request.headers, request.cookies)):
            return self._frame.to(request, browser, "/for-you")
        if client is None:
            return self._waiting(request, browser)
        if not yes:
            self._state.make_personal(browser, yes=False)  # nothing is asked any more, whether or not the API hears it
        try:
            await personal.choose(client, browser.person, yes=yes)
        except NotAllowed as refused:
            return await self.for_you(request, refused=refused.problem)
        except (OmonatProblem, httpx.TransportError):
            return self._waiting(request, browser)
        if yes:
            self._state.make_personal(browser, yes=True)
        return self._frame.to(request, browser, "/menu" if yes else "/for-you")

    def cart(self, request: Asked) -> Answer:
        """What is in the cart."""
        browser = self._browser(request)
        lines, total = menu.lines(browser.cart), menu.total(browser.cart)
        return self._frame.page(request, browser, "cart.html", lines=lines, fee=menu.DELIVERY_FEE, total=total)

    def change_cart(self, request: Asked, posted: dict[str, str]) -> Answer:
        """One more of a dish, or one fewer."""
        if from_elsewhere(request.headers, request.headers.get("host", "")):
            return self._elsewhere(request)
        dish, place = posted.get("dish", ""), "/cart" if posted.get("from") == "cart" else f"/menu#{posted.get('dish')}"
        if dish not in menu.MENU:
            return self._frame.to(request, self._browser(request), "/menu")
        browser = self._known(request)
        if (step := STEPS.get(posted.get("by", "more"))) is not None:  # no other number of portions is taken
            self._state.add(browser, dish, step)
        return self._frame.to(request, browser, place)

    async def show(self, request: Asked, page: Page) -> Answer:
        """An empty form."""
        browser = self._browser(request)
        if page == "order" and not menu.lines(browser.cart):
            return self._frame.to(request, browser, "/cart")
        if (asked := self._ask_age(request, browser, page)) is not None:
            return asked
        return await self._form(request, browser, page, Filled(), secrets.token_urlsafe(16))

    def _ask_age(self, request: Asked, browser: Browser, page: Page, *, fault: bool = False) -> Answer | None:
        """The age question, or the refusal that followed it; None for a browser that may go on."""
        may = None if fault else age.answered(request.cookies)
        if may is None:
            return self._frame.page(request, browser, "age.html", status=422 if fault else 200, page=page, fault=fault)
        return None if may else self._frame.page(request, browser, "too_young.html", status=403)

    async def answer_age(self, request: Asked, posted: dict[str, str]) -> Answer:
        """Compare the year with what the API says of the form, and keep nothing of it. The first answer counts."""
        if from_elsewhere(request.headers, request.headers.get("host", "")):
            return self._elsewhere(request)
        browser, page = self._browser(request), posted.get("page", "")
        found: Sequence[Page] = ("order", "sign-up", "newsletter", "ask")
        name = next((each for each in found if each == page), found[1])
        if age.answered(request.cookies) is not None:
            return self._frame.to(request, browser, f"/{name}")
        client = self._api.speaking(self._frame.language(request))
        year = age.year_of(posted.get("year", ""), time.gmtime().tm_year)
        if year is None:
            return self._ask_age(request, browser, name, fault=True) or self._elsewhere(request)
        try:
            if client is None:
                return self._waiting(request, browser)
            form = await client.form(PAGES[name].service)
        except (OmonatProblem, httpx.TransportError):
            return self._waiting(request, browser)
        return self._frame.to(request, browser, f"/{name}", cookies=[age.remember(year <= form.born_by)])

    async def send(self, request: Asked, page: Page, posted: dict[str, str]) -> Answer:
        """What somebody filled in goes to the API, and is nowhere else afterwards."""
        if from_elsewhere(request.headers, request.headers.get("host", "")):
            return self._elsewhere(request)
        if (asked := self._ask_age(request, self._browser(request), page)) is not None:
            return asked
        browser, wish, language = self._known(request), PAGES[page], self._frame.language(request)
        once = posted.get("once", "")[:40] or secrets.token_urlsafe(16)
        if (before := self._state.finished(browser, once)) is not None:  # sent twice: one order
            return self._frame.to(request, browser, f"/done/{before}")
        client, words = self._api.speaking(language), SHOP.words(language)
        if client is None:
            return self._waiting(request, browser)
        if page == "newsletter":
            return await self._subscribe(request, client, browser, posted, once)
        form = await client.form(wish.service)
        fields = forms.asked(form, wish)
        filled = forms.check(
            forms.read(posted, fields, wish, known_person=browser.person is not None), fields, wish, words
        )
        if filled.faults or (page == "order" and not menu.lines(browser.cart)):
            return await self._form(request, browser, page, filled, once)
        if forms.is_a_childs(filled):
            filled = forms.turn_away_a_child(filled, (await client.codes()).codes)
            return await self._form(request, browser, page, filled, once, status=403)
        number = self._state.number(browser, once, wish.service, int(time.time()))
        shown = {"form": posted.get("form") or form.form, "consents": filled.consents, "language": language}
        try:
            taken = await self._collect(client, browser, wish, filled.items(), number=number, **shown)
        except (WrongRequest, NotAllowed) as refused:
            filled = forms.explain(filled, refused, fields, words)
            return await self._form(request, browser, page, filled, once, status=_status(refused))
        if page in ("order", "ask"):
            await self._keep_for_wishes(client, filled, taken, number=number, language=language)
        total = menu.total(browser.cart) if page == "order" else None
        letters = _letters(page, filled.items().keys(), number, total or 0)
        told = await self._tell(client, letters, taken, number, language)
        self._finish(browser, page, taken, Done(number, wish.service, total, None, None, told))
        return self._frame.to(request, browser, f"/done/{number}")

    async def _subscribe(
        self, request: Asked, client: AsyncClient, browser: Browser, posted: dict[str, str], once: str
    ) -> Answer:
        """The form that came from Omonat goes back to it as it was posted."""
        number = self._state.number(browser, once, newsletter.SERVICE, int(time.time()))
        try:
            taken = await newsletter.taken(client, posted, person=browser.person, key=f"shop-{number}")
        except (WrongRequest, NotAllowed) as refused:
            again = await newsletter.drawn(client, posted, refused.problem)
            return self._newsletter(request, browser, again, once, status=_status(refused))
        language = self._frame.language(request)
        told = await self._tell(client, _letters("newsletter", (), number, 0), taken, number, language)
        self._finish(browser, "newsletter", taken, Done(number, newsletter.SERVICE, None, None, None, told))
        return self._frame.to(request, browser, f"/done/{number}")

    def _newsletter(self, request: Asked, browser: Browser, drawn: Markup, once: str, *, status: int = 200) -> Answer:
        return self._frame.page(request, browser, "newsletter.html", status=status, drawn=drawn, once=once)

    def _finish(self, browser: Browser, page: Page, taken: Collected, done: Done) -> None:
        """It is taken: remember what the page of thanks shows."""
        evidence = taken.evidence
        self._state.finish(done.number, total=done.total, leaf=evidence.leaf, entry=evidence.id, told=done.told)
        if page == "order":
            self._state.empty(browser)
        if page == "sign-up":
            self._state.sign_up(browser, taken.person)

    async def done(self, request: Asked, number: int) -> Answer:
        """What became of it; only for the browser that asked."""
        browser = self._browser(request)
        done = self._state.done(browser, number)
        if done is None:
            return self._frame.page(request, browser, "gone.html", status=404)
        return self._frame.page(request, browser, "done.html", done=done, seen=await self._who_sees(request, done))

    async def bill(self, request: Asked, number: int) -> Answer:
        """The bill as the till prints it, with the way in for whoever holds it; the link is kept nowhere here."""
        if from_elsewhere(request.headers, request.headers.get("host", "")):
            return self._elsewhere(request)
        browser = self._browser(request)
        done, client = self._state.done(browser, number), self._api.speaking(self._frame.language(request))
        if done is None or done.total is None:
            return self._frame.page(request, browser, "gone.html", status=404)
        if client is None:
            return self._waiting(request, browser)
        try:
            link = await client.visit_link(f"order:{number}")
        except (NotPossibleNow, httpx.TransportError):
            return self._waiting(request, browser)
        except OmonatProblem:
            return self._frame.page(request, browser, "gone.html", status=404)
        about = {"number": number, "total": done.total, "qr": link.qr, "address": link.address}
        return self._frame.page(request, browser, "bill.html", **about, until=from_rfc3339(link.until))

    def bill_again(self, request: Asked, number: int) -> Answer:
        """Another language, or the address typed: back to the order, where a bill is printed. Each has its own link."""
        return self._frame.to(request, self._browser(request), f"/done/{number}")

    async def _who_sees(self, request: Asked, done: Done) -> list[tuple[str, str, bool]]:
        """Who sees what was given, as the API declares it; nothing where it cannot be asked."""
        client = self._api.speaking(self._frame.language(request))
        wish = next(each for each in PAGES.values() if each.service == done.service)
        if client is not None:
            with suppress(OmonatProblem, httpx.TransportError):
                return forms.who_sees(await client.form(done.service), wish)
        return []

    async def _form(
        self, request: Asked, browser: Browser, page: Page, filled: Filled, once: str, *, status: int = 200
    ) -> Answer:
        language, wish = self._frame.language(request), PAGES[page]
        client = self._api.speaking(language)
        if client is None:
            return self._waiting(request, browser)
        try:
            if page == "newsletter":
                return self._newsletter(request, browser, await newsletter.drawn(client, {}), once)
            form = await client.form(wish.service)
        except (OmonatProblem, httpx.TransportError):
            return self._waiting(request, browser)
        fields = forms.asked(form, wish)
        return self._frame.page(
            request,
            browser,
            f"{page}.html",
            status=status if filled.problem else 422 if filled.faults else status,
            form=form,
            fields=forms.widgets(form, fields, filled, wish, SHOP.words(language)),
            offers=[offer for offer in form.offers if offer.purpose in wish.offers],
            filled=filled,
            faults=forms.summary(filled, fields),
            why=forms.why(form, filled.problem.item) if filled.problem else "",
            once=once,
            lines=menu.lines(browser.cart),
            fee=menu.DELIVERY_FEE,
            total=menu.total(browser.cart),
        )

    async def _collect(
        self, client: AsyncClient, browser: Browser, wish: Wish, items: dict[str, Any], **shown: Any
    ) -> Collected:
        number = shown.pop("number")
        case = None
        if wish is forms.ORDER:
            case = f"order:{number}"
            language: str = shown["language"]
            words = SHOP.words(language)
            delivery = words("Delivery in the city")
            items |= {"transaction.order-lines": menu.as_ordered(browser.cart, delivery)}
            items |= {"transaction.amount": menu.total(browser.cart)}
        elif wish is forms.ASK:
            case = f"inquiry:{number}"
        return await client.collect(
            wish.service,
            items,
            person=browser.person,
            case=case,
            accepted=True,
            key=f"shop-{number}",
            **shown,
        )

    async def _keep_for_wishes(
        self, client: AsyncClient, filled: Filled, taken: Collected, *, number: int, language: str
    ) -> None:
        """What somebody agreed to beside an order outlives it: a record of the newsletter's, not of the order's."""
        wished, given = {purpose for purpose, yes in filled.consents.items() if yes}, filled.items()
        if not wished:
            return
        with suppress(OmonatProblem, httpx.TransportError):  # the order stands; the wish can be told again at /me
            form = await client.form("newsletter")
            items = [field.item for field in form.fields if field.item in given and wished & set(field.consents)]
            await client.collect(
                "newsletter",
                {item: given[item] for item in items},
                person=taken.person,
                form=form.form,
                consents=dict.fromkeys(wished, True),
                language=language,  # type: ignore[arg-type]  # one of the kit's three
                key=f"shop-{number}-wishes",
            )

    async def _tell(
        self, client: AsyncClient, letters: Sequence[Letter], taken: Collected, number: int, language: str
    ) -> tuple[str, ...]:
        """Ask for the messages that belong to it: the API finds the address and the words."""
        told: list[str] = []
        for letter in letters:
            with suppress(OmonatProblem, httpx.TransportError):  # the order stands without its message
                await client.message(
                    taken.person,
                    letter.template,
                    purpose=letter.purpose,
                    channel=letter.channel,
                    params=letter.params,
                    case=taken.case,
                    language=language,  # type: ignore[arg-type]  # one of the kit's three
                    once=f"shop-{number}-{letter.template}-{letter.channel}",
                )
                told.append(letter.channel)
        return tuple(told)

    def _browser(self, request: Asked) -> Browser:
        return self._state.browser(request.cookies.get(SESSION_COOKIES["site"]))

    def _known(self, request: Asked) -> Browser:
        browser = self._browser(request)
        return browser if browser.token else self._state.begin(int(time.time()))

    def waiting(self, request: Asked) -> Answer:
        """The API cannot be asked just now; sending the form again does nothing twice."""
        return self._waiting(request, self._browser(request))

    def _waiting(self, request: Asked, browser: Browser) -> Answer:
        return self._frame.page(request, browser, "waiting.html", status=503)

    def _elsewhere(self, request: Asked) -> Answer:
        return self._frame.page(request, Browser(), "elsewhere.html", status=403)


def _page(request: Asked) -> Page:
    found: Sequence[Page] = ("order", "sign-up", "newsletter", "ask")
    return next(each for each in found if request.url.path == f"/{each}")


def _letters(page: Page, given: Collection[str], number: int, total: int) -> list[Letter]:
    """What a page's visitor is told, and where: by SMS and by e-mail, as far as they gave us either."""
    channels: list[Literal["sms", "email"]] = []
    if "contact.mobile" in given:
        channels.append("sms")
    if "contact.email" in given:
        channels.append("email")
    match page:
        case "order":
            params: dict[str, str | int] = {"order": str(number), "delivery": 1, "total": total}
            return [Letter("order-confirmation", "order-messages", channel, params) for channel in channels]
        case "sign-up":
            return [Letter("registration-confirmation", "account-codes", channel) for channel in channels]
        case "newsletter":
            return [Letter("newsletter-welcome", "marketing-email", "email")]
    return []


def _status(refused: OmonatProblem) -> int:
    return 422 if isinstance(refused, WrongRequest) else refused.problem.status
