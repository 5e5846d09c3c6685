"""What comes from devices: where somebody is, what a browser keeps, who answers without a name (L4, L5, L6, L7)."""

from typing import Final

from omonat.base.codes import LANGUAGES
from omonat.base.errors import Refused
from omonat.flows.choose import Choosing
from omonat.policy.model import Kind
from omonat.promises.cookies.rule import register_of
from omonat.promises.location.rule import Term, asks_for_place
from omonat.promises.mailbox import Letter
from omonat.proving.outcome import Findings, Outcome, UntoldError, probe
from omonat.proving.people import Guest
from omonat.proving.scene import Scene

SCRIPT: Final = "/site/consent.js"
QUESTIONS: Final = "/page/about-visitors"
_PLACE: Final = {"lat": "41.311081", "lon": "69.240562"}
_END_IT: Final = {
    "uz": "Joylashuvimga ruxsatni bekor qilaman",
    "ru": "Отзываю разрешение на местоположение",
    "en": "Stop using my location",
}
_NOT_GRANTED: Final = "location-not-granted"


@probe(
    "L5",
    uz="Joylashuv ruxsatsiz, bir martalik ruxsat bilan va u ishlatilgach yana beriladi: faqat bittasi olinishi kerak.",
    ru="Местоположение подаётся без разрешения, с разрешением на один раз и ещё раз после него: принято должно быть одно.",
    en="A location is handed in without permission, with one for once, and again after it: only one may be taken in.",
)
async def place(scene: Scene) -> Outcome:
    """Permission for a place is needed, and ends by itself."""
    found, guest = Findings(), await scene.people.guest()
    service, purpose, item = _offering(scene)
    kind = scene.policy.services[service].case or guest.case.partition(":")[0]
    case = guest.cases.setdefault(kind, guest.case)
    found.note(await _handed_in(scene, guest, service, item, case) == _NOT_GRANTED, f"{service} {item}: not granted")
    grant = Choosing(
        person=guest.id,
        kind="consent",
        state="given",
        purpose=purpose,
        door="center",
        term=Term(kind="once", case=case),
    )
    receipt = await scene.house.choose(grant)
    code = await _handed_in(scene, guest, service, item, case)
    found.note(not code, f"{service} {item}: {code or 'once'}", receipt.id)
    code = await _handed_in(scene, guest, service, item, case)
    found.note(code == _NOT_GRANTED, f"{service} {item}: {code or 'taken twice'}")
    return found.outcome()


def _offering(scene: Scene) -> tuple[str, str, str]:
    """A service that takes a place in under a consent, that consent, and the place."""
    for service in scene.people.services():
        for item, purposes in scene.policy.forms[service].offered.items():
            if scene.policy.items[item].kind is Kind.GEO_POINT:
                found = next((p for p in purposes if asks_for_place(scene.policy, p)), None)
                if found is not None:
                    return service, found, item
    raise UntoldError("no-service-to-try")


async def _handed_in(scene: Scene, guest: Guest, service: str, item: str, case: str) -> str:
    """The code a place is refused with, or "" when it was taken in."""
    given = {name: guest.items.get(name, value) for name, value in (scene.people.asked_by(service) or {}).items()}
    try:
        answer = await scene.people.collect(service, {**given, item: _PLACE}, case=case, person=guest.id)
    except Refused as error:
        return error.code
    guest.records.append(answer.record)
    return ""


@probe(
    "L6",
    uz="Joylashuv ruxsatini tugatishni soʻragan xat oʻqiladi: isbotlanmagan manzildan hech narsa oʻzgarmasligi, isbotlanganidan tugashi kerak.",
    ru="Читается письмо с просьбой прекратить доступ к местоположению: с недоказанного адреса ничего, с доказанного прекращается.",
    en="A letter that ends a permission for the location is read: from an address that isn't proved nothing may change, from one that is it must end.",
)
async def by_letter(scene: Scene) -> Outcome:
    """Written to the mailbox, in three languages; restricted, so that no answer leaves."""
    found, guest = Findings(), await scene.people.guest(*scene.people.services())
    address = guest.items.get("contact.email")
    purposes = [purpose for purpose in scene.policy.purposes if asks_for_place(scene.policy, purpose)]
    if not address or not purposes:
        raise UntoldError("no-service-to-try")
    await scene.choose(guest, "restriction", "given")
    credential = await scene.house.inner_credential("requests")
    for language, words in _END_IT.items():
        for purpose in purposes:
            await scene.choose(guest, "consent", "given", purpose)
        for proved in (False, True):
            identity = f"{guest.id} {language} {proved}".encode()
            letter = Letter(identity=identity, sender=address, proved=proved, subject=words, text="")
            done = await scene.house.mailbox(letter, credential=credential)
            left = (await scene.house.my_data.standing(guest.id)).consents & set(purposes)
            right = left == (set() if proved else set(purposes))
            found.note(right, f"{language} {'proved' if proved else 'not proved'}: {', '.join(sorted(done))}")
    return found.outcome()


@probe(
    "L7",
    uz="Kuki-fayllar roʻyxati va skripti begona odam sifatida olinadi: roʻyxat siyosatdagidek, boshqa xabar rad etilishi kerak.",
    ru="Реестр файлов cookie и скрипт получены посторонним: реестр должен быть как в политике, чужое сообщение отклонено.",
    en="The register of cookies and the script are fetched by a stranger: it must be the policy's, and a report in another form refused.",
)
async def cookies(scene: Scene) -> Outcome:
    """The dialog asks about what the policy registers, and about nothing without a yes."""
    found, register = Findings(), register_of(scene.policy.policy, scene.policy.digest)
    script = await scene.visit(SCRIPT)
    kind = script.headers.get("content-type", "")
    found.note(script.status_code == 200 and "javascript" in kind, f"{SCRIPT}: {script.status_code}")
    for language in LANGUAGES:
        answer = await scene.visit(f"/site/cookies.json?lang={language}")
        said = answer.json() if answer.status_code == 200 else {}
        asked = [each["id"] for each in said.get("purposes", [])]
        right = said.get("register") == register.digest and asked == list(register.optional)
        found.note(right, f"{language}: {answer.status_code}, {len(asked)} of {len(register.optional)}")
    stray = await scene.visit("/site/report", method="POST")
    found.note(stray.status_code == 415, f"/site/report: {stray.status_code}")
    return found.outcome()


@probe(
    "L4",
    uz="Anonim savollar sahifasi begona odam sifatida ochiladi va boʻsh yuboriladi: ikkalasi ham kuki-faylsiz boʻlishi kerak.",
    ru="Страница анонимных вопросов открыта посторонним и отправлена пустой: в обоих случаях cookie быть не должно.",
    en="The anonymous questions are opened by a stranger and sent back empty: neither may set a cookie.",
)
async def anonymous(scene: Scene) -> Outcome:
    """What is counted without a person is asked without a trace."""
    _, asked = await scene.house.demographics.asked()
    if not asked:
        raise UntoldError("no-service-to-try")
    found, page = Findings(), await scene.visit(QUESTIONS)
    found.note(page.status_code == 200 and "set-cookie" not in page.headers, f"{QUESTIONS}: {page.status_code}")
    found.note(all(f'name="{item}"' in page.text for item in asked), f"{QUESTIONS}: {len(asked)} asked")
    empty = await scene.visit(QUESTIONS, method="POST")
    found.note(empty.status_code == 200 and "set-cookie" not in empty.headers, f"{QUESTIONS}: {empty.status_code}")
    return found.outcome()


PROBES = (place, by_letter, anonymous, cookies)
