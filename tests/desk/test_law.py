"""Law packs that contradict each other, as the Desk shows them to whoever decides."""

from omonat.base.instants import DAY, Instant
from omonat.flows.publish_policy import Proof, Publication
from omonat.flows.staff import Registration
from tests.desk.conftest import PASSWORD, Desk
from tests.flows.conftest import document, packs


async def in_force(desk: Desk, version: str, laws: str, **more: str) -> None:
    text = document(**{'version: "1"': f'version: "{version}"', "laws: [uz]": f"laws: [{laws}]"})
    proofs = {ref: Proof(password=PASSWORD, code=desk.code(ref)) for ref in ("102", "150")}
    await desk.house.publish(
        Publication(document=text, packs=packs() | more, author="102", approver="150", proofs=proofs)
    )
    await desk.house.law_watch.look_after()


async def test_P5_an_officer_sees_both_rules_of_laws_that_contradict_each_other_and_their_sources(desk: Desk) -> None:
    forever = Instant(desk.clock.now + 3650 * DAY)
    manager = Registration(ref="150", name="Xodim 150", role="management", trained_until=forever, login="xodim150")
    await desk.house.staff.put(manager, by="test")
    desk.secrets["150"] = await desk.house.staff.set_secrets("150", PASSWORD)
    kz = packs()["uz"].replace("pack: uz", "pack: kz").replace("uz/", "kz/")
    await in_force(desk, "2", "uz, kz", kz=kz.replace("P10D\n    days: calendar", "P8D\n    days: working", 1))
    async with desk.worker("102", "ru", width=320) as officer, desk.worker("204") as courier:
        said = await officer.text()
        assert "Пакеты законов противоречат друг другу: deadline/answer-request" in said
        assert "P10D calendar" in said
        assert "P8D working" in said
        assert said.count("Law ZRU-547, Arts. 22–24") == 2
        assert "P8D" not in await courier.text()
        await in_force(desk, "3", "uz")
        await officer.go("/desk")
        assert "P8D" not in await officer.text()
