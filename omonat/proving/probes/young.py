"""Images of the young: closed once an age under the law's is told, opened by a parent alone (K3)."""

from omonat.base.errors import Refused
from omonat.flows.children import OFFICER, Agreement
from omonat.flows.images import recordings
from omonat.policy.kinds import age_signal
from omonat.policy.model import Purpose
from omonat.policy.packs import shared_methods
from omonat.policy.words import Basis, Kind, VerifiedBy
from omonat.proving.outcome import Findings, Outcome, UntoldError, probe
from omonat.proving.scene import Scene

_CLOSED = "images-need-parent"


def _showing(scene: Scene) -> tuple[Purpose, str, str, str]:
    """A purpose that shows or lets hear somebody in a case: the service that takes the item in and opens the case, the
    item, a role that gets it. A consent is none of it, nor a duty of law, which no age stops."""
    for purpose in scene.written.purposes.values():
        for service in scene.people.services():
            form, kind = scene.policy.forms[service], scene.policy.services[service].case
            shown = recordings(scene.policy, (name for name in purpose.items if name in form.optional))
            if not shown or kind not in purpose.cases or purpose.basis in (Basis.CONSENT, Basis.LEGAL_OBLIGATION):
                continue
            for role in purpose.roles:
                if shown[0] in purpose.items_for(role):
                    return purpose, service, shown[0], role
    raise UntoldError("no-such-purpose")


def _asking_age(scene: Scene) -> tuple[str, str, str]:
    """A service that leaves nothing behind and asks for an age band: its item, and a band of the young, no child's."""
    under, child = scene.policy.images_under, scene.policy.child_under
    for service in scene.people.services():
        form = scene.policy.forms[service]
        for name in (*form.required, *form.optional):
            item = scene.policy.items[name]
            if item.kind is not Kind.AGE_BAND:
                continue
            for band in item.choices or (f"{child}-{under - 1}",):
                youngest = age_signal(item.kind, band)
                if isinstance(youngest, int) and child <= youngest < under:
                    return service, name, band
    raise UntoldError("no-service-to-try")


@probe(
    "K3",
    uz="Namuna odamning yozuvi oʻz ishida ochiladi; u yoshini aytgach yopilishi, ota-ona roziligi bilan ochilib, u qaytarib olinganda yana yopilishi kerak.",
    ru="Запись пробного человека открыта в его деле; названный возраст должен закрыть её, согласие родителя открыть, отзыв снова закрыть.",
    en="A recording of somebody made for it opens in their case; an age they tell must close it, a parent's consent open it, its withdrawal close it again.",
)
async def images(scene: Scene) -> Outcome:
    """No picture of somebody under the law's age without a parent."""
    found, people, children = Findings(), scene.people, scene.house.children
    purpose, service, item, role = _showing(scene)
    asking, age, band = _asking_age(scene)
    guest = await people.guest(service)
    case = await people.case_for(guest, (str(scene.policy.services[service].case),))

    async def another() -> str:
        """What comes of handing one more in: the code of a refusal, or nothing."""
        given = {name: guest.items.get(name, value) for name, value in (people.asked_by(service) or {}).items()}
        try:
            await people.collect(service, given, case=case, person=guest.id)
        except Refused as refused:
            return refused.code
        return ""

    async def shown(what: str, wanted: str) -> bool:
        answer = await scene.ask(role, purpose.id, guest, case=case, items=(item,))
        code = "" if item in answer.given else answer.withheld.get(item, answer.code)
        found.note(code == wanted, f"{what}: {code or 'given'}", answer.evidence)
        return code == wanted

    await shown("no age told", "")
    told = {name: guest.items.get(name, value) for name, value in (people.asked_by(asking) or {}).items()}
    await people.collect(asking, {**told, age: band}, person=guest.id)
    closed = await shown(f"{age} {band}", _CLOSED)
    found.note((code := await another()) == _CLOSED, f"one more: {code or 'taken'}")
    if not closed:  # there is nothing a parent could open
        return found.outcome()
    listed = shared_methods(scene.policy.packs).values()
    officer, method = await people.member(OFFICER), next((m.id for m in listed if m.by is VerifiedBy.STAFF), "")
    agreed = await children.agree(
        Agreement(person=guest.id, method=method, reference="prove", scope="images"), by=officer
    )
    await shown("a parent agreed", "")
    ended = await children.take_back(guest.id, by=officer, scope="images")
    found.note(True, f"parent: {method}", agreed.entry, ended.entry)
    await shown("taken back", _CLOSED)
    return found.outcome()


PROBES = (images,)
