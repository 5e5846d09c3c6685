"""The offline desk in a real browser: filled in without a network, sealed, not to be read back, handed in once."""
# ruff: noqa: F811 - a fixture that asks for another one is meant to have its name

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, async_playwright

from omonat import api, desk
from omonat.base.ids import is_id
from omonat.base.instants import DAY
from omonat.base.paper import codes
from omonat.desk import DESK
from omonat.flows.on_paper import batches
from omonat.flows.sealed_forms import read_batch
from omonat.house import House, system_clock
from omonat.pages.assets import static_handler
from omonat.pages.render import KIT_STATIC
from omonat.vault.encoding import bytes_of, text_of
from omonat.vault.sealing import SealingKey
from tests.desk.test_in_chromium import looked_at
from tests.flows.conftest import Clock, Shop, house, settings, shop  # noqa: F401 - fixtures
from tests.offline import second_hpke
from tests.offline.conftest import count
from tests.offline.test_formats import EPHEMERAL, INFO, PLAIN, VECTOR
from tests.paper.scanner import scanned, text_on
from tests.site_server import serving

MARKER = "Yodgora Muhrxonova"
MARKS = (MARKER, "901112233", "Muhrlik koʻchasi", "1986-05-04")


@pytest.fixture
def clock() -> Clock:
    """The house and the browser live at the same time."""
    return Clock(system_clock())


_EVERYTHING = """async () => {
    const found = [document.documentElement.outerHTML, location.href, document.cookie];
    for (const each of [localStorage, sessionStorage]) found.push(JSON.stringify({...each}));
    for (const each of document.querySelectorAll("input, textarea, select")) found.push(each.value);
    const done = request => new Promise(resolve => { request.onsuccess = () => resolve(request.result) });
    for (const {name} of await indexedDB.databases()) {
        const all = await done(indexedDB.open(name));
        for (const each of all.objectStoreNames) {
            found.push(JSON.stringify(await done(all.transaction(each).objectStore(each).getAll())));
        }
    }
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const each of await cache.keys()) found.push(each.url, await (await cache.match(each)).text());
    }
    return found.join("\\n");
}"""
_SEAL = """async ([secret, own, recipient, info, plain]) => {
    const jwk = {kty: "OKP", crv: "X25519", x: own, d: secret};
    const pair = {
        privateKey: await crypto.subtle.importKey("jwk", jwk, "X25519", false, ["deriveBits"]),
        publicKey: await crypto.subtle.importKey("raw", sealing.toBytes(own), "X25519", true, []),
    };
    return sealing.toText(await sealing.seal(...[recipient, info, plain].map(sealing.toBytes), pair));
}"""
_FRAME = """sealing.toText(sealing.frame("omonat/sealed-form/v1", "ins_example", 1, "sfm_example", "omk_example",
    "order", "omf1.x.y", "2026-12-01T09:00:00.000Z"))"""


@dataclass
class Kiosk:
    """A device with its browser; `folder` is all that the browser keeps on the disk."""

    page: Page
    context: BrowserContext
    folder: Path
    base: str
    said: list[str]

    async def go(self, language: str = "en") -> None:
        await self.page.goto(f"{self.base}/desk/offline?lang={language}")

    async def settled(self, says: str) -> None:
        await self.page.wait_for_selector(f"[data-says='{says}']", state="visible")

    async def set_up(self, credential: str) -> None:
        await self.page.fill("#credential", credential)
        await self.page.click("[data-part='set-up'] button")
        await self.page.wait_for_selector("[data-part='ready']", state="visible")
        await self.page.evaluate("navigator.serviceWorker.ready")
        await self.page.wait_for_function("navigator.serviceWorker.controller !== null")

    async def fill(self, **more: str) -> None:
        """Fill in a registration and leave it standing there."""
        await self.page.select_option("#service", "registration")
        given = {
            "contact.name": MARKER, "contact.mobile": "+998 90 111 22 33",
            "contact.postal-address": "Muhrlik koʻchasi, 7", "relationship.birth-date": "1986-05-04",
        }  # fmt: skip
        for item, value in given.items():
            await self.page.fill(f"[id='registration-{item}']", value)
        await self.page.select_option("[id='registration-relationship.age-band']", more.get("band", "35-44"))

    async def seal(self) -> None:
        await self.fill()
        await self.page.check("#registration-marketing-sms")
        await self.page.check("#registration-accepted")
        await self.page.click("[data-service='registration'] .actions button")
        await self.settled("sealed")

    async def kept(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.page.evaluate("store.forms()")
        return found

    async def everything(self) -> str:
        """All that script can find on the device: the page, its fields, every store, every cache."""
        text: str = await self.page.evaluate(_EVERYTHING)
        return text


@pytest_asyncio.fixture(loop_scope="session")
async def served(house: House) -> AsyncIterator[str]:
    routes = [api.route(lambda: house), *desk.handlers(lambda: house), static_handler([KIT_STATIC, DESK.static])]
    async with serving(routes) as address:
        yield address


@pytest_asyncio.fixture(loop_scope="session")
async def kiosk(served: str, tmp_path: Path) -> AsyncIterator[Kiosk]:
    folder = tmp_path / "profile"
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            folder, executable_path="/usr/bin/chromium", args=["--no-sandbox"], locale="en", accept_downloads=True
        )
        page = context.pages[0]
        kiosk = Kiosk(page, context, folder, served, [])
        page.on("console", lambda message: kiosk.said.append(message.text))
        page.on("pageerror", lambda error: kiosk.said.append(str(error)))
        yield kiosk
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def ready(kiosk: Kiosk, shop: Shop) -> Kiosk:
    """A device that was set up and has lost its network."""
    await kiosk.go()
    await kiosk.set_up(await shop.house.clients.issue(name="kiosk-1", source="call-centre", roles=["system"]))
    await kiosk.context.set_offline(True)
    return kiosk


async def test_S1_the_browser_seals_as_the_rfc_and_the_formats_page_say(kiosk: Kiosk) -> None:
    await kiosk.go()
    sealed: str = await kiosk.page.evaluate(
        _SEAL,
        [text_of(each) for each in (EPHEMERAL, SealingKey(EPHEMERAL).public, VECTOR["pkRm"], INFO, PLAIN)],
    )
    assert bytes_of(sealed) == second_hpke.seal(PLAIN, VECTOR["pkRm"], INFO, ephemeral=EPHEMERAL)
    framed: str = await kiosk.page.evaluate(_FRAME)
    assert bytes_of(framed) == INFO
    ids: list[str] = await kiosk.page.evaluate("Array.from({length: 200}, () => sealing.newId('sfm'))")
    assert all(is_id("sfm", each) for each in ids)


async def test_S1_filled_in_without_a_network_it_is_handed_in_once_there_is_one(ready: Kiosk, shop: Shop) -> None:
    await ready.go()  # the worker brings the page
    await ready.page.wait_for_selector("[data-part='ready']", state="visible")
    await ready.seal()
    await ready.seal()
    assert await ready.page.inner_text("[data-part='waiting']") == "2"
    await ready.page.click("[data-part='hand-in']")
    await ready.settled("no-network")
    kept = await ready.kept()
    await ready.context.set_offline(False)
    await ready.settled("handed-in")
    assert await ready.kept() == []
    assert await count(shop, "records") == 2
    await ready.page.evaluate("async forms => { for (const form of forms) await store.keep(form) }", kept)
    await ready.page.reload()  # a copy of the device's store comes back
    await ready.settled("handed-in")
    assert await ready.kept() == []
    assert await count(shop, "records") == 2
    async with shop.house.grounds.database.connection() as connection:
        (row,) = await connection.fetch("select distinct standing->'consents' as consents, told from persons")
    assert row["consents"] == {"marketing-sms": 1}
    assert [said for said in ready.said if "ERR_INTERNET_DISCONNECTED" not in said] == []


async def test_S1_the_device_cannot_read_back_what_it_sealed(ready: Kiosk) -> None:
    await ready.page.reload()
    await ready.page.wait_for_selector("[data-part='ready']", state="visible")
    await ready.fill()
    assert MARKER in await ready.everything()  # whoever looks would find it
    await ready.seal()
    found = await ready.everything()
    assert "sfm_" in found
    assert [mark for mark in MARKS if mark in found] == []
    await ready.page.go_back()
    await ready.page.go_forward()
    assert [mark for mark in MARKS if mark in await ready.everything()] == []
    (form,) = await ready.kept()
    key = await ready.page.evaluate(
        """async () => { const {signing, ...rest} = await store.device();
            const told = await crypto.subtle.exportKey("pkcs8", signing).catch(error => error.name);
            return [signing.extractable, told, Object.keys(rest)] }"""
    )
    assert key == [False, "InvalidAccessError", ["id", "source", "services"]]
    await ready.page.close()
    await ready.context.close()
    on_disk = b"".join(path.read_bytes() for path in ready.folder.rglob("*") if path.is_file())
    assert form["id"].encode() in on_disk
    spelled = [mark.encode(how) for mark in MARKS for how in ("utf-8", "utf-16-le")]
    assert [mark for mark in spelled if mark in on_disk] == []
    assert b"omk_" in on_disk


async def test_S1_nothing_of_the_credential_stays_on_the_device(kiosk: Kiosk, shop: Shop) -> None:
    credential = await shop.house.clients.issue(name="kiosk-1", source="call-centre", roles=["system"])
    secret = credential.rpartition("_")[2]
    await kiosk.go()
    await kiosk.page.fill("#credential", "omk_wrong")
    await kiosk.page.click("[data-part='set-up'] button")
    await kiosk.settled("problem")
    await kiosk.set_up(credential)
    assert secret not in await kiosk.everything()
    await kiosk.context.close()
    on_disk = b"".join(path.read_bytes() for path in kiosk.folder.rglob("*") if path.is_file())
    assert secret.encode() not in on_disk
    assert secret.encode("utf-16-le") not in on_disk


async def test_S1_a_file_on_a_stick_is_the_same_as_the_network(ready: Kiosk, shop: Shop) -> None:
    await ready.seal()
    async with ready.page.expect_download() as saving:
        await ready.page.click("[data-part='save']")
    await ready.settled("saved")
    raw = (await (await saving.value).path()).read_bytes()
    assert not [mark for mark in MARKS if mark.encode() in raw]
    assert [each.state for each in await shop.house.sealed_forms(read_batch(raw))] == ["taken"]
    await ready.context.set_offline(False)
    await ready.settled("handed-in")
    assert await count(shop, "records") == 1
    assert [each.state for each in await shop.house.sealed_forms(read_batch(raw))] == ["repeated"]


async def test_S2_on_paper_it_is_the_same_as_on_a_stick(ready: Kiosk, shop: Shop) -> None:
    for _ in range(5):
        await ready.seal()
    await ready.fill()  # somebody stands there still, with what they typed
    await ready.page.evaluate("window.print = () => { window.asked = true }")  # the browser's own dialog
    await ready.page.click("[data-part='print']")
    await ready.settled("printed")
    assert await ready.page.evaluate("window.asked")
    assert await ready.page.is_hidden("[data-part='forget']"), "no browser says whether anything was printed"
    assert not [form for form in await ready.kept() if form["saved"]]
    pdf = await ready.page.pdf(prefer_css_page_size=True, format="A4")
    seen = scanned(pdf)
    assert [len(on_one) for on_one in seen] == [6, 1]
    on_sheets = text_on(pdf)
    assert [mark for mark in MARKS if mark in on_sheets] == []
    assert "Sheet 2 of 2" in on_sheets
    (batch,) = batches("codes.txt", "\n".join(code for on_one in seen for code in on_one).encode())
    assert {form.id for form in batch.forms} == {form["id"] for form in await ready.kept()}
    assert [each.state for each in await shop.house.sealed_forms(batch)] == ["taken"] * 5
    await ready.page.click("[data-part='all-there']")
    await ready.settled("on-paper")
    assert await ready.page.locator(".sheet").count() == 0
    await ready.page.click("[data-part='forget']")
    await ready.settled("forgotten")
    assert await ready.kept() == []


async def test_S2_more_than_a_heap_of_sheets_is_printed_in_turns(ready: Kiosk) -> None:
    await ready.seal()
    (form,) = await ready.kept()
    await ready.page.evaluate(
        """async form => {
            window.print = () => {};
            const more = {...form, sealed: "x".repeat(9000)};
            for (let n = 10; n < 40; n++) await store.keep({...more, id: form.id.slice(0, -2) + n});
            await refresh();
        }""",
        form,
    )
    heaps = []
    for _ in range(3):
        await ready.page.click("[data-part='print']")
        await ready.settled("printed")
        heaps.append(await ready.page.locator(".sheet").count())
        await ready.page.click("[data-part='all-there']")
        await ready.settled("on-paper")
    assert sum(heaps) > 45
    assert max(heaps) <= 30
    assert all(form["saved"] for form in await ready.kept())


async def test_S2_the_browser_spells_codes_as_the_command_line_does(kiosk: Kiosk) -> None:
    await kiosk.go()
    for size in (1, 2, 3, 4, 5, 794, 795, 796, 4_000):
        file = bytes((at * 7 + size) % 256 for at in range(size))
        made = await kiosk.page.evaluate("async file => paper.codes(sealing.toBytes(file))", text_of(file))
        assert made == codes(file)


async def test_K1_a_child_is_turned_away_before_anything_is_sealed(ready: Kiosk) -> None:
    await ready.fill(band="under-13")
    await ready.page.click("[data-service='registration'] .actions button")
    await ready.settled("child")
    assert await ready.kept() == []
    assert MARKER not in await ready.everything()


async def test_C1_what_a_consent_alone_allows_is_asked_only_after_it(ready: Kiosk) -> None:
    await ready.fill()
    field = ready.page.locator("[id='registration-relationship.preferences']")
    assert await field.is_disabled()
    await ready.page.check("#registration-personalisation")
    await field.fill("osh")
    await ready.page.uncheck("#registration-personalisation")
    assert await field.is_disabled()
    assert await field.input_value() == ""


async def test_S1_a_refusal_is_told_in_words_and_the_form_is_gone(ready: Kiosk, shop: Shop) -> None:
    await ready.seal()
    (form,) = await ready.kept()
    await ready.page.evaluate("form => store.keep({...form, service: 'order'})", form)
    await ready.context.set_offline(False)
    await ready.page.wait_for_selector("[data-part='refused']", state="visible")
    assert "isn't signed by this device" in await ready.page.inner_text("[data-part='refusals']")
    assert await ready.kept() == []
    assert await count(shop, "records") == 0


async def test_S1_a_page_kept_for_too_long_takes_nothing_in(ready: Kiosk) -> None:
    await ready.page.clock.set_fixed_time((system_clock() + 8 * DAY) / 1_000_000)
    await ready.page.reload()
    await ready.page.wait_for_selector("[data-part='stale']", state="visible")
    assert await ready.page.is_hidden("[data-part='choose']")


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_S1_the_page_speaks_the_language_and_is_accessible(kiosk: Kiosk, shop: Shop, language: str) -> None:
    asked: list[str] = []
    kiosk.page.on("request", lambda request: asked.append(request.url))
    await kiosk.go(language)
    await looked_at(kiosk.page, language)
    await kiosk.set_up(await shop.house.clients.issue(name="kiosk-1", source="counter", roles=["system"]))
    await kiosk.page.select_option("#service", "order")
    await looked_at(kiosk.page, language)
    await kiosk.page.evaluate("for (const each of document.querySelectorAll('#offline [hidden]')) each.hidden = false")
    await looked_at(kiosk.page, language)
    assert all(url.startswith(f"{kiosk.base}/") for url in asked)
    assert kiosk.said == []


async def test_S4_a_copy_of_the_page_shows_nothing_of_whoever_was_signed_in(kiosk: Kiosk) -> None:
    await kiosk.go()
    assert await kiosk.page.locator("nav.doors").count() == 0
    assert json.dumps("csrf") not in await kiosk.page.content()
