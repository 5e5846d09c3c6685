"""The register of safeguards at the Desk: seen by whoever owns a part of it, changed by nobody else (S3, S5)."""

from omonat.base.instants import DAY
from tests.desk.conftest import Desk, Worker

PAGE = "/desk/safeguards"


async def reviewed(worker: Worker, about: str, *, kept: bool, proof: str) -> int:
    await worker.go(PAGE)
    await worker.page.select_option("#about", about)
    await worker.page.check("#kept-1" if kept else "#kept-2")
    await worker.page.fill("#proof", proof)
    return await worker.press("form:has(#about) button")


async def row(worker: Worker, label: str) -> str:
    return await worker.page.locator(f".facts > div:has(dt:has-text('{label}'))").first.inner_text()


async def test_S3_what_is_overdue_shows_as_such_until_its_owner_says_where_the_proof_lies(desk: Desk) -> None:
    async with desk.worker("801") as security:
        await security.go(PAGE)
        assert "In place" in await row(security, "Locked server room")
        desk.clock.forward(200 * DAY)
        await desk.house.safeguards.look_after()
        await desk.sign_in(security, "801")
        told = await security.text()
        assert told.count("can’t be relied on") == 1, "one notice for all of them"
        assert "Locked server room" in told
        await security.go(PAGE)
        assert "Overdue" in await row(security, "Locked server room")
        assert await security.press("form:has(#about) button") == 422
        assert "whether the safeguard is in place or broken" in await security.text()
        assert await reviewed(security, "server-room", kept=True, proof="") == 422
        assert "says where its proof lies" in await security.text()
        assert await reviewed(security, "server-room", kept=True, proof="Record 7/2026") == 200
        found = await row(security, "Locked server room")
        assert "Record 7/2026" in found
        assert "In place" in found
        assert await reviewed(security, "encryption-in-transit", kept=False, proof="Ticket 12") == 200
        assert "Broken" in await row(security, "Transmission over TLS")


async def test_S3_others_see_what_they_own_a_part_of_and_may_not_vouch_for_the_rest(desk: Desk) -> None:
    async with desk.worker("102") as officer, desk.worker("204") as courier:
        await officer.go(PAGE)
        assert "Locked server room" in await officer.text()
        offered = await officer.page.locator("#about option").evaluate_all("all => all.map(each => each.value)")
        assert "safeguard-review" in offered
        assert "server-room" not in offered
        assert await officer.page.locator("#seen").count() == 0, "the register of hosts is another's"
        await officer.page.evaluate(
            "document.querySelector('#about').innerHTML = '<option value=server-room selected>x</option>'"
        )
        await officer.page.check("#kept-1")
        await officer.page.fill("#proof", "Record 8/2026")
        assert await officer.press("form:has(#about) button") == 403
        assert await courier.page.locator(f"a[href='{PAGE}']").count() == 0
        await courier.go(PAGE)
        assert "Not for your role" in await courier.text()
        assert "Locked server room" not in await courier.text()


async def test_S5_a_room_and_a_host_come_into_the_register_and_leave_it(desk: Desk) -> None:
    async with desk.worker("801", width=390) as security:
        await security.go(PAGE)
        for kind, name, room in (("room", "cellar-1", ""), ("host", "db-1", "cellar-1")):
            await security.page.select_option("#kind", kind)
            await security.page.fill("#name", name)
            await security.page.select_option("#room", room)
            await security.page.fill("#seen", "Record 9/2026")
            assert await security.press("form:has(#seen) button") == 200
        assert "cellar-1" in await row(security, "Host db-1")
        await security.page.select_option("#ended", "room/cellar-1")
        assert await security.press("form:has(#ended) button") == 409
        for name in ("host/db-1", "room/cellar-1"):
            await security.page.select_option("#ended", name)
            assert await security.press("form:has(#ended) button") == 200
        assert "db-1" not in await security.text()
