"""The cookie dialog in a real browser: nothing before a yes, a no as easy, a change of mind at any time (L7, C2)."""

from pathlib import Path
from typing import Any

import pytest

from omonat.site import SITE
from tests.cookies.conftest import Town, Visitor

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SPEED = "optimise-technology"
OPTIONAL = (SPEED, "behaviour-analytics")
IN_DIALOG = "document.querySelector('body > div').shadowRoot"
WORDS = {
    "en": ("Accept all", "Refuse all"),
    "ru": ("Принять все", "Отказаться от всех"),
    "uz": ("Hammasini qabul qilish", "Hammasini rad etish"),
}


async def test_L7_nothing_of_a_category_runs_before_somebody_allows_it(town: Town) -> None:
    async with town.visitor() as visitor:
        await visitor.go()
        assert await visitor.asks.is_visible()
        assert not await visitor.ran()
        assert not any(url.endswith("speed.js") for url in visitor.asked)
        assert await visitor.cookies() == set()
        await visitor.press("Accept all")
        await visitor.page.wait_for_function("window.measured === true")
        assert SPEED in (await visitor.choice() or [])
        assert "speed" in await visitor.cookies()
        assert not await visitor.asks.is_visible()
        await visitor.go()
        assert not await visitor.asks.is_visible()
        await visitor.page.wait_for_function("window.measured === true")
    assert (SPEED, "given", "all", 1) in await town.rows("select purpose, state, how, times from cookie_choices")


async def test_L7_a_refusal_is_kept_and_counted_and_nobody_is_asked_again(town: Town) -> None:
    async with town.visitor() as visitor:
        await visitor.go()
        await visitor.press("Refuse all")
        await visitor.go()
        assert not await visitor.asks.is_visible()
        assert not await visitor.ran()
        assert await visitor.choice() == []
        assert await visitor.cookies() == {"__Host-cookie-choice"}
    counted = await town.rows("select purpose, state, how, times from cookie_choices order by purpose")
    assert counted == [(purpose, "refused", "none", 1) for purpose in sorted(OPTIONAL)]
    assert visitor.told == []


async def test_C2_refusing_is_as_easy_as_accepting(town: Town) -> None:
    async with town.visitor(width=320) as visitor:
        await visitor.go()
        boxes = []
        for label in WORDS["en"]:
            button = visitor.page.get_by_role("button", name=label)
            shown = await button.evaluate(
                "e => { const s = getComputedStyle(e); return [s.color, s.backgroundColor, s.font, s.border] }"
            )
            box = await button.bounding_box()
            assert box is not None
            boxes.append((round(box["width"]), round(box["height"]), shown))
        assert boxes[0] == boxes[1]


async def test_L7_categories_are_off_until_somebody_ticks_them(town: Town) -> None:
    async with town.visitor() as visitor:
        await visitor.go()
        await visitor.page.get_by_text("Choose one by one").click()
        box = visitor.page.get_by_role("checkbox", name="Optimising site and app")
        assert not await box.is_checked()
        await visitor.press("Save my choice")
        assert await visitor.choice() == []
        await visitor.page.get_by_role("link", name="Cookies").click()
        await box.check()
        await visitor.press("Save my choice")
        assert SPEED in (await visitor.choice() or [])
        await visitor.page.wait_for_function("window.measured === true")


async def test_L7_a_changed_mind_deletes_what_the_category_had_kept(town: Town) -> None:
    async with town.visitor() as visitor:
        await visitor.go()
        await visitor.press("Accept all")
        await visitor.page.wait_for_function("window.measured === true")
        await visitor.page.get_by_role("link", name="Cookies").click()
        assert await visitor.page.get_by_role("checkbox").first.is_checked()
        async with visitor.page.expect_navigation():  # what runs can't be unloaded: the page begins anew
            await visitor.page.get_by_role("button", name="Refuse all").click()
        await visitor.page.wait_for_load_state("networkidle")
        assert not await visitor.ran()
        assert await visitor.cookies() == {"__Host-cookie-choice"}


async def test_L7_a_cookie_no_script_can_reach_is_ended_by_the_answer(town: Town) -> None:
    async with town.visitor() as visitor:
        await visitor.page.context.add_cookies([{"name": "speed", "value": "x", "url": town.base, "httpOnly": True}])
        await visitor.go()
        assert "speed" in await visitor.cookies()
        await visitor.press("Refuse all")
        assert "speed" not in await visitor.cookies()


@pytest.mark.parametrize("way", ["navigator", "header"])
async def test_L7_global_privacy_control_is_a_refusal_and_is_said_so(town: Town, way: str) -> None:
    more: dict[str, Any] = {"extra_http_headers": {"sec-gpc": "1"}} if way == "header" else {}
    async with town.visitor(**more) as visitor:
        if way == "navigator":
            await visitor.page.add_init_script(
                "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})"
            )
        await visitor.go()
        assert "Global Privacy Control" in await visitor.asks.inner_text()
        assert await visitor.page.get_by_role("button", name="Accept all").count() == 0
        assert await visitor.choice() == []
        await visitor.page.get_by_role("button", name="Close").click()
        await visitor.go()
        assert not await visitor.asks.is_visible()  # said once, and again whenever somebody asks
        await visitor.page.get_by_role("link", name="Cookies").click()
        assert "Global Privacy Control" in await visitor.asks.inner_text()
        assert not await visitor.ran()
    assert set(await town.rows("select state, how, times from cookie_choices")) == {("refused", "signal", 1)}


async def test_L7_the_signal_overrules_an_earlier_yes(town: Town) -> None:
    async with town.visitor() as visitor:
        await visitor.go()
        await visitor.press("Accept all")
        await visitor.page.wait_for_function("window.measured === true")
        await visitor.page.context.set_extra_http_headers({"sec-gpc": "1"})
        await visitor.go()
        assert not await visitor.ran()
        assert await visitor.choice() == []
        assert "speed" not in await visitor.cookies()


FORGED = [
    *("1.000000000000.1.optimise-technology", "2.{r}.{t}.optimise-technology", "1.{r}.99999999999.optimise-technology"),
    *("1.{r}.1.optimise-technology", "1.{r}.NaN.optimise-technology", "1.{r}..optimise-technology"),
    *("yes", "1.{r}.{t}.<b>"),
]


@pytest.mark.parametrize("value", FORGED)
async def test_L7_a_choice_that_was_not_made_here_allows_nothing(town: Town, value: str) -> None:
    _, register = await town.house.cookies.register()
    forged = value.replace("{r}", register.digest).replace("{t}", str(town.clock() // 1_000_000))
    async with town.visitor() as visitor:
        await visitor.page.goto(f"{town.base}/shop/speed.js")  # shown as text: nothing of ours runs here
        setting = f"document.cookie = '__Host-cookie-choice={forged}; path=/; secure'"
        await visitor.page.wait_for_function(f"({setting}, document.cookie.includes('__Host-cookie-choice'))")
        await visitor.go()
        assert not await visitor.ran()
        if "<b>" not in value:
            assert await visitor.asks.is_visible()


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_L7_the_dialog_speaks_the_language_is_accessible_and_fits_a_phone(town: Town, language: str) -> None:
    for width, scheme in ((320, "dark"), (1280, "light")):
        async with town.visitor(width, scheme) as visitor:
            await visitor.go(f"/shop?lang={language}")
            for label in WORDS[language]:
                assert await visitor.page.get_by_role("button", name=label).is_visible()
            await sound(visitor, width)
            await visitor.page.get_by_role("link", name="Cookies").click()
            await visitor.page.wait_for_function(f"{IN_DIALOG}.querySelector('dialog').matches(':modal')")
            await sound(visitor, width)


async def sound(visitor: Visitor, width: int) -> None:
    page = visitor.page
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    wide = f"[...{IN_DIALOG}.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > {width + 1}).length"
    assert await page.evaluate(wide) == 0
    small = (
        f"[...{IN_DIALOG}.querySelectorAll('button, a, summary, label')].filter(e => {{ const r ="
        " e.getBoundingClientRect(); return r.width && r.height < 44 }).map(e => e.outerHTML)"
    )
    assert await page.evaluate(small) == []
    await page.evaluate(AXE)
    found = await page.evaluate(f"axe.run(document, {{runOnly: {RULES}}})")
    assert [(f["id"], [n["html"][:120] for n in f["nodes"]]) for f in found["violations"]] == []


async def test_L7_the_keyboard_reaches_everything_and_the_focus_comes_back(town: Town) -> None:
    async with town.visitor() as visitor:
        page = visitor.page
        await visitor.go()
        await page.keyboard.press("Tab")
        assert await page.evaluate(f"{IN_DIALOG}.activeElement.textContent") == "Accept all"
        await page.keyboard.press("Tab")
        async with page.expect_response(lambda answer: "/site/cookie-choice" in answer.url):
            await page.keyboard.press("Enter")
        assert await visitor.choice() == []
        opener = page.get_by_role("link", name="Cookies")
        await opener.focus()
        await page.keyboard.press("Enter")
        assert await visitor.asks.is_visible()
        assert await page.evaluate(f"{IN_DIALOG}.activeElement.id") == "title"
        await page.keyboard.press("Escape")
        assert not await visitor.asks.is_visible()
        assert await opener.evaluate("e => e === document.activeElement")
        assert await visitor.choice() == []


async def test_L7_the_question_hides_nothing_one_tabs_to(town: Town) -> None:
    async with town.visitor(width=390) as visitor:
        await visitor.go()
        field = visitor.page.get_by_label("Dish")
        await field.focus()
        on_top = (
            "e => { const r = e.getBoundingClientRect(); return document.elementFromPoint(r.x + 5, r.y + 5) === e }"
        )
        assert await field.evaluate(on_top)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (320, 568), (844, 390)])
@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_L7_on_a_phone_the_question_leaves_two_thirds_of_the_window_and_all_of_the_page(
    town: Town, language: str, width: int, height: int
) -> None:
    async with town.visitor(width) as visitor:
        page = visitor.page
        await page.set_viewport_size({"width": width, "height": height})
        await visitor.go(f"/shop?lang={language}")
        over = await page.evaluate(f"{IN_DIALOG}.querySelector('dialog').offsetHeight")
        assert over <= height * (1 / 3 if height > width else 0.45)
        sizes = [await page.get_by_role("button", name=label).bounding_box() for label in WORDS[language][:2]]
        assert len({(size["width"], size["height"]) for size in sizes if size}) == 1, (
            "neither answer is the smaller one"
        )
        assert await page.get_by_role("dialog").get_attribute("aria-labelledby") == "title"
        assert await page.evaluate("document.body.style.paddingBottom") == f"{over}px", (
            "the page's end can be scrolled to"
        )
        await page.locator("summary").click()
        opened = await page.evaluate(f"{IN_DIALOG}.querySelector('dialog').offsetHeight")
        assert over < opened <= height / 2 + 1
        await page.wait_for_function(f"document.body.style.paddingBottom === '{opened}px'")


async def test_L7_while_the_register_cannot_be_read_everything_stays_blocked(town: Town) -> None:
    async with town.visitor() as visitor:
        await visitor.page.route("**/site/cookies.json*", lambda route: route.abort())
        await visitor.page.goto(f"{town.base}/shop")
        await visitor.page.wait_for_timeout(200)
        assert not await visitor.ran()
        assert await visitor.cookies() == set()


def test_L7_the_script_is_small() -> None:
    assert len((SITE.folder / "static" / "consent.js").read_bytes()) <= 15 * 1024
