"""The register of safeguards, hosts and rooms: who may say that one stands, and what happens when nobody did (S3)."""

import json
import socket
from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from omonat.base.errors import OmonatError
from omonat.base.instants import DAY, Instant, to_rfc3339
from omonat.base.verdict import Allow
from omonat.flows.places import hosts_of
from omonat.flows.publish_policy import Publication
from omonat.flows.reconcile import Reconcile
from omonat.flows.safeguards import Standing
from omonat.flows.staff import Registration
from tests.flows.conftest import Shop, at_the_command_line, document, packs

HERE = socket.gethostname().lower()
PROOF = "Dalolatnoma 7/2026"


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(shop: Shop) -> AsyncIterator[Shop]:
    """The shop with somebody who looks after security, two officers and a manager."""
    trained = Instant(shop.clock.now + 3650 * DAY)
    for ref, role in (("801", "security"), ("102", "privacy-officer"), ("101", "management")):
        member = Registration(ref=ref, name=f"Xodim {ref}", role=role, trained_until=trained)
        await shop.house.staff.put(member, by="test")
    yield shop


async def standing(shop: Shop) -> Mapping[str, Standing]:
    return {one.about: one for one in await shop.house.safeguards.standing()}


async def how(shop: Shop, about: str) -> str:
    """The reason why it doesn't stand; empty when it does."""
    verdict = (await standing(shop))[about].verdict
    return "" if isinstance(verdict, Allow) else verdict.reasons[0].code


async def doubts(shop: Shop) -> set[str]:
    await shop.house.safeguards.look_after()
    await shop.house.places.look()
    return {f"{one.kind} {one.about}" for one in await shop.house.doubts.standing()}


async def facts(shop: Shop, act: str) -> list[dict[str, Any]]:
    async with shop.house.grounds.database.connection() as connection:
        rows = await connection.fetch("select body from entries where act = $1 order by at, txid", act)
    return [json.loads(row["body"])["facts"] for row in rows]


async def refused(awaited: Any) -> str:
    with pytest.raises(OmonatError) as caught:
        await awaited
    return caught.value.code


async def test_S3_a_safeguard_stands_until_its_period_is_over_and_again_once_its_owner_has_looked(
    guarded: Shop,
) -> None:
    safeguards = guarded.house.safeguards
    assert await how(guarded, "server-room") == ""
    guarded.clock.forward(190 * DAY)
    assert await how(guarded, "server-room") == "safeguard-overdue"
    assert await how(guarded, "encryption-at-rest") == "", "looked at once a year"
    assert {"safeguard server-room", "safeguard restore-drill"} <= await doubts(guarded)
    entry = await safeguards.review("server-room", kept=True, proof=PROOF, by="801")
    assert await how(guarded, "server-room") == ""
    assert "safeguard server-room" not in await doubts(guarded)
    found = (await standing(guarded))["server-room"].last
    assert found is not None
    assert (found.proof, found.entry) == (PROOF, entry)
    begun = [one for one in await facts(guarded, "house:doubt:begun") if one["about"] == "server-room"]
    ended = [one for one in await facts(guarded, "house:doubt:ended") if one["about"] == "server-room"]
    assert [one["why"] for one in begun] == ["safeguard-overdue"]
    assert len(ended) == 1


async def test_S3_what_is_found_broken_is_broken_at_once_until_it_is_found_mended(guarded: Shop) -> None:
    safeguards = guarded.house.safeguards
    await safeguards.review("encryption-in-transit", kept=False, proof="Ariza 12", by="801")
    assert await how(guarded, "encryption-in-transit") == "safeguard-broken"
    assert "safeguard encryption-in-transit" in await doubts(guarded)
    guarded.clock.forward(DAY)
    await safeguards.review("encryption-in-transit", kept=True, proof="Ariza 13", by="801")
    assert await how(guarded, "encryption-in-transit") == ""


async def test_S3_a_review_that_the_database_alone_knows_of_is_nobodys_word(guarded: Shop) -> None:
    pool = guarded.house.grounds.database.pool
    guarded.clock.forward(190 * DAY)
    await pool.execute(
        "insert into safeguard_reviews (id, about, at, kept, proof, document, by, entry)"
        " values ('rvw_x', 'server-room', $1, true, 'Dalolatnoma 1', '', 'nobody', 'ev_x')", guarded.clock.now,
    )  # fmt: skip
    assert await how(guarded, "server-room") == "safeguard-unproved"
    assert "safeguard-unproved server-room" in await doubts(guarded)
    guarded.clock.forward(DAY)
    await guarded.house.safeguards.review("server-room", kept=False, proof=PROOF, by="801")
    assert await how(guarded, "server-room") == "safeguard-broken"
    await pool.execute("update safeguard_reviews set kept = true")
    assert await how(guarded, "server-room") == "safeguard-unproved"


async def test_S3_a_review_that_was_deleted_is_missed(guarded: Shop) -> None:
    pool, review = guarded.house.grounds.database.pool, guarded.house.safeguards.review
    await review("server-room", kept=True, proof=PROOF, by="801")
    broken = await review("server-room", kept=False, proof="Ariza 12", by="801")
    assert await how(guarded, "server-room") == "safeguard-broken", "the one written last counts, at one instant too"
    await pool.execute("delete from safeguard_reviews where not kept")
    guarded.clock.forward(DAY)
    found = await Reconcile(guarded.house.grounds).rows()
    assert [(one.what, one.kind, one.entry) for one in found] == [("entry", "review", broken)]


async def test_S3_a_review_from_the_future_is_not_believed(guarded: Shop) -> None:
    now = guarded.clock.now
    guarded.clock.forward(365 * DAY)
    await guarded.house.safeguards.review("server-room", kept=True, proof=PROOF, by="801")
    guarded.clock.now = now
    assert await how(guarded, "server-room") == "safeguard-ahead"
    await guarded.house.safeguards.review("server-room", kept=False, proof=PROOF, by="801")
    assert await how(guarded, "server-room") == "safeguard-broken"


async def test_S5_a_place_that_the_database_alone_knows_of_is_not_in_the_register(guarded: Shop) -> None:
    await guarded.house.grounds.database.pool.execute(
        "insert into places (id, kind, name, added_at, entries) values ('plc_x', 'host', $1, $2, '{}')",
        HERE, guarded.clock.now,
    )  # fmt: skip
    assert await how(guarded, f"host/{HERE}") == "safeguard-unproved"
    assert await guarded.house.places.unregistered() == (HERE,)
    assert {f"host {HERE}", f"safeguard-unproved host/{HERE}"} <= await doubts(guarded)


async def test_S3_nobody_vouches_for_what_others_answer_for(guarded: Shop) -> None:
    review = guarded.house.safeguards.review
    for ref in ("102", "101", "204"):
        assert await refused(review("server-room", kept=True, proof=PROOF, by=ref)) == "safeguard-not-yours"
    assert await refused(review("server-room", kept=True, proof=PROOF, by="999")) == "staff-unknown"
    await guarded.house.staff.put(
        Registration(ref="801", name="Xodim 801", role="security", trained_until=guarded.clock.now), by="test"
    )
    assert await refused(review("server-room", kept=True, proof=PROOF, by="801")) == "training-lapsed"
    assert await facts(guarded, "safeguard:review:kept") == []


@pytest.mark.parametrize(
    ("proof", "document", "code"),
    [
        ("", "", "proof-missing"),
        ("a\nb c", "", "proof-missing"),
        ("x" * 201, "", "proof-missing"),
        (PROOF, "abc", "proof-missing"),
        ("Soʻrang: +998 90 123 45 67", "", "proof-personal"),
        ("vali@example.test aytdi", "", "proof-personal"),
    ],
    ids=["nothing", "two-lines", "too-long", "no-digest", "a-phone", "an-address"],
)
async def test_S3_a_review_without_a_proof_or_with_somebodys_data_is_none(
    guarded: Shop, proof: str, document: str, code: str
) -> None:
    asked = guarded.house.safeguards.review("server-room", kept=True, proof=proof, by="801", document=document)
    assert await refused(asked) == code
    assert (await standing(guarded))["server-room"].last is None


async def test_S6_no_word_stands_for_a_drill(guarded: Shop) -> None:
    asked = guarded.house.safeguards.review("restore-drill", kept=True, proof=PROOF, by="801")
    assert await refused(asked) == "drill-instead"


async def test_S3_a_new_safeguard_has_its_period_from_the_version_that_promised_it(guarded: Shop) -> None:
    guarded.clock.forward(400 * DAY)
    later = guarded.clock.now
    added = """safeguards:
  - id: locked-cabinets
    promise: S5
    kind: physical
    owner: security
    keeping: attested
    says: {uz: Qulflangan javonlar, ru: Запираемые шкафы, en: Locked cabinets}
    review: P1Y
"""
    text = document(**{'version: "1"': 'version: "2"', "safeguards:\n": added})
    line = next(each for each in text.splitlines() if each.startswith("effective: "))
    text = text.replace(line, f"effective: {to_rfc3339(later)}")
    await guarded.house.publish(Publication(document=text, packs=packs(), author="staff:1", approver="staff:2"))
    guarded.clock.forward(DAY)
    await guarded.house.publish.activate_due()
    assert await how(guarded, "locked-cabinets") == ""
    assert await how(guarded, "encryption-at-rest") == "safeguard-overdue"
    assert await refused(guarded.house.safeguards.review("cellar", kept=True, proof=PROOF, by="801")) == (
        "safeguard-unknown"
    )


async def test_S5_a_machine_that_holds_data_is_a_doubt_until_it_stands_in_the_register(guarded: Shop) -> None:
    places = guarded.house.places
    assert await places.unregistered() == (HERE,)
    assert f"host {HERE}" in await doubts(guarded)
    await places.add("room", "server-room-1", proof=PROOF, by="801")
    await places.add("host", HERE, room="server-room-1", proof="Inventar 14", by="801")
    assert await places.unregistered() == ()
    assert f"host {HERE}" not in await doubts(guarded)
    found = await standing(guarded)
    assert found[f"host/{HERE}"].room == "server-room-1"
    assert [one["about"] for one in await facts(guarded, "safeguard:place:added")] == [
        "room/server-room-1", f"host/{HERE}",
    ]  # fmt: skip
    guarded.clock.forward(190 * DAY)
    assert await how(guarded, f"host/{HERE}") == await how(guarded, "room/server-room-1") == "safeguard-overdue"
    await guarded.house.safeguards.review(f"host/{HERE}", kept=True, proof="Inventar 15", by="801")
    assert await how(guarded, f"host/{HERE}") == ""


async def test_S5_the_register_is_kept_by_its_owner_and_stays_whole(guarded: Shop) -> None:
    places = guarded.house.places
    await places.add("room", "server-room-1", proof=PROOF, by="801")
    await places.add("host", "db-1", room="server-room-1", proof=PROOF, by="801")
    assert await refused(places.add("host", "db-1", proof=PROOF, by="801")) == "place-known"
    assert await refused(places.add("host", "db-2", room="cellar", proof=PROOF, by="801")) == "room-unknown"
    assert await refused(places.add("host", "db-2", proof="", by="801")) == "proof-missing"
    assert await refused(places.add("host", "db-2", proof=PROOF, by="102")) == "safeguard-not-yours"
    assert await refused(places.add("room", "998901234567", proof=PROOF, by="801")) == "proof-personal"
    for kind, name, room in (("shelf", "a", ""), ("host", "DB 2", ""), ("room", "b", "server-room-1")):
        assert await refused(places.add(kind, name, room=room, proof=PROOF, by="801")) == "place-misshapen"
    assert await refused(places.end("room", "server-room-1", by="801")) == "room-in-use"
    assert await refused(places.end("host", "db-1", by="102")) == "safeguard-not-yours"
    assert set(await standing(guarded)) >= {"room/server-room-1", "host/db-1"}
    await places.end("host", "db-1", by="801")
    await places.end("room", "server-room-1", by="801")
    assert not [one for one in (await standing(guarded)).values() if one.is_place]
    assert await refused(places.end("host", "db-1", by="801")) == "place-unknown"
    await places.add("host", "db-1", proof="Inventar 16", by="801")


@pytest.mark.parametrize(
    ("dsn", "others"),
    [
        ("postgresql:///omonat?host=/run/postgresql", set()),
        ("postgresql://omonat@localhost/omonat", set()),
        ("postgresql://omonat@DB-1.internal:5432/omonat?sslmode=verify-full", {"db-1.internal"}),
        ("postgresql:///omonat?host=db-1,db-2&sslmode=verify-full", {"db-1", "db-2"}),
        ("postgresql://omonat@[2001:db8::7]:5432/omonat?sslmode=verify-full", {"2001:db8::7"}),
        (f"postgresql://omonat@{'a' * 60}.{'b' * 60}.example/omonat", {f"{'a' * 60}.{'b' * 60}.example"}),
        ("postgresql://omonat@db_1_/omonat", {"db_1"}),
    ],
)
def test_S5_the_database_on_another_machine_is_one_that_holds_data(dsn: str, others: set[str]) -> None:
    assert hosts_of(dsn) == {HERE, *others}


async def test_S5_without_a_period_nobody_can_tell(guarded: Shop) -> None:
    text = document(**{'version: "1"': 'version: "2"', "    kind: physical\n": "    kind: technical\n"})
    await guarded.house.publish(Publication(document=text, packs=packs(), author="staff:1", approver="staff:2"))
    await guarded.house.places.add("host", "db-1", proof=PROOF, by="801")
    assert await how(guarded, "host/db-1") == "safeguard-unplanned"
    assert "safeguard host/db-1" in await doubts(guarded)


async def test_S5_an_operator_keeps_the_register_from_the_command_line(guarded: Shop, tmp_path: Path) -> None:
    async def typed(*words: str) -> tuple[int, str]:
        done = await at_the_command_line(guarded, *words)
        return done.returncode, done.stdout + done.stderr

    document = tmp_path / "record.pdf"
    document.write_bytes(b"signed and stamped")
    code, said = await typed("place", "list")
    assert (code, f"host/{HERE}  not in the register" in said) == (1, True)
    proof = ["--proof", PROOF, "--by", "801"]
    assert (await typed("place", "add", "room", "cellar-1", *proof))[0] == 0
    assert (await typed("place", "add", "host", HERE, "--in", "cellar-1", "--document", str(document), *proof))[0] == 0
    assert (await typed("place", "add", "host", HERE, *proof))[0] == 5
    code, said = await typed("place", "list")
    assert (code, f"host/{HERE} (cellar-1)  security" in said, PROOF in said) == (0, True, True)
    found = (await standing(guarded))[f"host/{HERE}"].last
    assert found is not None
    assert found.document == sha256(b"signed and stamped").hexdigest()

    assert (await typed("safeguard", "list"))[0] == 0
    assert (await typed("safeguard", "review", "encryption-in-transit", "--broken", *proof))[0] == 0
    code, said = await typed("safeguard", "list")
    assert (code, "The last review found this safeguard broken." in said) == (1, True)
    assert (await typed("safeguard", "review", "cellar", *proof))[0] == 6
    assert (await typed("place", "end", "room", "cellar-1", "--by", "801"))[0] == 5
