"""Proof outlives the person, without being personal data: openings for them, packets for an auditor (A1, G6, R3)."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pyotp
import pyrage
import pytest
import pytest_asyncio

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, HOUR, MINUTE, SECOND, Instant
from omonat.evidence import verifier
from omonat.evidence.entry import decode, encode, leaf_hash
from omonat.evidence.sequencer import Sequencer
from omonat.flows.choose import Choosing
from omonat.flows.openings import Found, Opening, as_file, openings
from omonat.flows.proof_packets import AuditorProof, Opened
from omonat.flows.staff import Registration
from omonat.promises.accountability import class_of
from tests.evidence.ledger import end_ledger
from tests.flows.conftest import Shop
from tests.flows.test_use import delivery, given_to, ordered

PASSWORD = "uzun parol, hech kim topolmaydi"
READER = pyrage.x25519.Identity.generate()


@dataclass
class Gone:
    """Somebody who ordered twice, was delivered to, chose, and was erased; what was left of them."""

    shop: Shop
    person: str
    packets: tuple[str, ...]
    openings: tuple[Opening, ...]
    secrets: dict[str, str] = field(default_factory=dict)

    def proof(self, ref: str = "900", because: str = "audit:2027-3", password: str = PASSWORD) -> AuditorProof:
        now = self.shop.clock() // SECOND
        code = pyotp.TOTP(self.secrets[ref]).at(now)
        return AuditorProof(ref=ref, password=password, code=code, because=because, recipient=str(READER.to_public()))

    async def count(self, statement: str) -> Any:
        async with self.shop.house.grounds.database.connection() as connection:
            return await connection.fetchval(statement)


def read(opened: Opened) -> list[dict[str, Any]]:
    """What the recipient finds in the files, and nobody else."""
    return [row for file in opened.files.values() for row in json.loads(pyrage.decrypt(file, [READER]))]


async def lived(shop: Shop) -> tuple[str, int]:
    """Two orders, a delivery, a consent: their id and the slot of their evidence salts."""
    order = await ordered(shop)
    await given_to(shop, "order:41877", "204")
    await shop.house.use(delivery(shop, "order:41877", "204"))
    shop.clock.forward(MINUTE)
    await shop.house.choose(
        Choosing(
            person=order.person, kind="consent", purpose="marketing-email", state="given", door="center", by="person"
        )
    )
    await shop.house.my_data(order.person)
    async with shop.house.grounds.database.connection() as connection:
        slot = await connection.fetchval("select evidence_slot from persons where id = $1", order.person)
    return order.person, slot


@pytest_asyncio.fixture(loop_scope="session")
async def gone(shop: Shop) -> Gone:
    """As the erasure does it: packets first, in its transaction; then ledger and evidence slot."""
    grounds = shop.house.grounds
    person, slot = await lived(shop)
    async with grounds.database.transaction() as connection:
        packets, found = await shop.house.packets.seal(connection, person, evidence_slot=slot, now=shop.clock())
        await end_ledger(connection, person)
    grounds.vault.destroy_slots([slot])
    sequencer = Sequencer(grounds.database, shop.house.log, shop.house.keys, clock=shop.clock, holder="t")
    await sequencer.open()
    await sequencer.advance()
    return Gone(shop, person, packets, found.openings)


async def employed(gone: Gone, ref: str, role: str) -> None:
    """Somebody who can prove who they are."""
    trained = Instant(gone.shop.clock() + 9_999 * DAY)
    await gone.shop.house.staff.put(Registration(ref=ref, name="Xodim", role=role, trained_until=trained), by="t")
    gone.secrets[ref] = await gone.shop.house.staff.set_secrets(ref, PASSWORD)


@pytest_asyncio.fixture(loop_scope="session")
async def audited(gone: Gone) -> Gone:
    """The same, with an auditor in the house."""
    await employed(gone, "900", "auditor")
    return gone


def verified(gone: Gone, rows: bytes) -> verifier.Report:
    pinned = verifier.Pinned.of([key.vkey for key in gone.shop.house.keys.pinned])
    found = verifier.read_openings(rows.decode())
    return verifier.verify_log(gone.shop.house.log.path, pinned, openings=found)


async def test_A1_every_commitment_about_a_person_opens_and_the_verifier_agrees(gone: Gone) -> None:
    acts = {one.act for one in gone.openings}
    assert {"collect:record:accepted", "case:work:changed", "use:person:authorised", "choice:consent:given"} <= acts
    values = {one.value for one in gone.openings}
    assert values == {gone.person, f"{gone.person} order:41877", "order:41877"}
    report = verified(gone, as_file(gone.openings))
    assert (report.code, sum(" is " in line for line in report.notices)) == (verifier.INTACT, len(gone.openings))


async def test_A1_a_false_opening_is_refused_by_the_verifier(gone: Gone) -> None:
    good = json.loads(as_file(gone.openings))
    for member, other in (
        ("value", "per_" + "a" * 26),
        ("salt", "00" * 32),
        ("salt", good[0]["salt"] + "00"),
        ("field", "case" if good[0]["field"] == "person" else "person"),
        ("entry", good[1]["entry"]),
        ("entry", "ev_" + "a" * 26),
    ):
        report = verified(gone, json.dumps([{**good[0], member: other}]).encode())
        assert report.code == verifier.OPENING, (member, other)
    for nonsense in (
        "",
        "{}",
        "[1]",
        '[{"entry": 1}]',
        '[{"entry":"a","field":"b","value":"c","salt":"zz"}]',
        "[" * 9999,
        '[{"entry":"a","altered":false}]',
        '[{"entry":"a","altered":true,"field":"b"}]',
    ):
        with pytest.raises(verifier.Wrong) as wrong:
            verifier.read_openings(nonsense)
        assert wrong.value.kind == verifier.OPENING


async def test_G6_without_the_slot_nothing_opens_any_more(gone: Gone) -> None:
    async with gone.shop.house.grounds.database.connection() as connection:
        slot = await connection.fetchval("select evidence_slot from persons where id = $1", gone.person)
        assert (
            await openings(gone.shop.house.grounds.vault, connection, gone.person, evidence_slot=slot) == Found()
        )  # the ledger went with them
    with pytest.raises(Refused):
        gone.shop.house.grounds.vault.salt(evidence_slot=slot, entry="ev_x", field="person")


ALTERED = {
    "its bytes": "body = overlay(body placing 'x'::bytea from 20)",
    "bytes and leaf": "body = '{}', leaf = sha256('\\x00'::bytea || '{}'::bytea)",
    "another entry's bytes": "body = (select body from entries where act = 'choice:consent:given'),"
    " leaf = (select leaf from entries where act = 'choice:consent:given')",
    "its name": "id = 'ev_' || repeat('a', 26)",
}


@pytest.mark.parametrize("what", ALTERED)
async def test_S6_an_altered_entry_is_named_and_the_others_are_sealed_and_proved_all_the_same(
    shop: Shop, what: str
) -> None:
    """Whoever alters one entry takes nobody the proof of the rest, and doesn't make the altered one look proved."""
    person, slot = await lived(shop)
    grounds = shop.house.grounds
    sequencer = Sequencer(grounds.database, shop.house.log, shop.house.keys, clock=shop.clock, holder="t")
    await sequencer.open()
    await sequencer.advance()
    async with grounds.database.connection() as connection:
        honest = await openings(grounds.vault, connection, person, evidence_slot=slot)
        bad = await connection.fetchval("select id from entries where act = 'use:person:authorised'")
        await connection.execute("alter table entries disable trigger user")
        await connection.execute(f"update entries set {ALTERED[what]} where id = $1", bad)
    async with grounds.database.transaction() as connection:
        packets, found = await shop.house.packets.seal(connection, person, evidence_slot=slot, now=shop.clock())
        await end_ledger(connection, person)
    assert len(packets) == 3
    assert [one.entry for one in found.altered] == [bad]
    assert found.openings == tuple(one for one in honest.openings if one.entry != bad)
    gone = Gone(shop, person, packets, found.openings)
    await employed(gone, "900", "auditor")
    opened = await shop.house.packets.open_for(gone.proof(), person)
    rows = read(opened)
    assert opened.altered == (bad,)
    assert [row for row in rows if "altered" in row] == [{"entry": bad, "altered": True}]
    report = verified(gone, json.dumps(rows).encode())
    assert report.code == verifier.OPENING
    assert [bad in finding.what for finding in report.findings] == [True]
    assert sum(" is " in line for line in report.notices) == len(found.openings) > 3
    assert verified(gone, json.dumps([row for row in rows if "altered" not in row]).encode()).code == verifier.INTACT


async def test_S6_an_entry_turned_into_somebody_elses_is_named_though_its_leaf_was_written_along(shop: Shop) -> None:
    """The database's leaf is beside the body, in the same hands: what convicts is that it no longer opens for them."""
    person, slot = await lived(shop)
    grounds = shop.house.grounds
    async with grounds.database.connection() as connection:
        honest = await openings(grounds.vault, connection, person, evidence_slot=slot)
        row = await connection.fetchrow("select id, body from entries where act = 'use:person:authorised'")
        entry = decode(row["body"])
        body = encode(msgspec.structs.replace(entry, facts={**entry.facts, "person": "a" * len(entry.facts["person"])}))
        await connection.execute("alter table entries disable trigger user")
        await connection.execute(
            "update entries set body = $2, leaf = $3 where id = $1", row["id"], body, leaf_hash(body)
        )
        found = await openings(grounds.vault, connection, person, evidence_slot=slot)
    assert honest.altered == ()
    assert [(one.entry, one.act) for one in found.altered] == [(entry.id, entry.act)]
    assert found.openings == tuple(one for one in honest.openings if one.entry != entry.id)


async def test_G6_a_refused_look_at_a_case_that_isnt_theirs_opens_nothing_and_is_not_altered(shop: Shop) -> None:
    person, slot = await lived(shop)
    await ordered(shop, items={**shop.order_items(), "contact.mobile": "+998901112233"})
    shop.clock.forward(MINUTE)
    with pytest.raises(Refused):
        await shop.house.use(msgspec.structs.replace(delivery(shop, f"order:{41876 + shop.orders}"), person=person))
    async with shop.house.grounds.database.connection() as connection:
        assert await connection.fetchval("select count(*) from entries where act = 'use:person:refused'") == 1
        found = await openings(shop.house.grounds.vault, connection, person, evidence_slot=slot)
    assert found.altered == ()


async def test_G6_an_auditor_with_a_reason_opens_the_packets_and_it_is_evidence(audited: Gone) -> None:
    gone = audited
    assert len(gone.packets) == 3
    opened = await gone.shop.house.packets.open_for(gone.proof(), gone.person)
    assert set(opened.files) == {"agreed", "answered", "used"}
    rows = read(opened)
    assert sum(opened.counts.values()) == len(rows)
    assert {row["entry"] for row in rows} == {one.entry for one in gone.openings}
    assert verified(gone, json.dumps(rows).encode()).code == verifier.INTACT
    entry = (await gone.shop.house.evidence.entry(opened.receipt.id)).entry
    assert (entry.act, entry.facts["because"], sorted(entry.facts["packets"])) == (
        *("proof:packet:opened", "audit:2027-3"),
        sorted(gone.packets),
    )
    assert gone.person not in str(entry.facts)


@pytest.mark.parametrize("recipient", ["", "age1nobody", "AGE-SECRET-KEY-1"])
async def test_S2_nothing_leaves_in_the_clear_and_without_a_reader_nothing_is_opened(
    audited: Gone, recipient: str
) -> None:
    packets = audited.shop.house.packets
    with pytest.raises(BadInput) as refused:
        await packets.open_for(msgspec.structs.replace(audited.proof(), recipient=recipient), audited.person)
    assert refused.value.code == "age-key-malformed"
    assert await audited.count("select count(*) from entries where act = 'proof:packet:opened'") == 0
    opened = await packets.open_for(audited.proof(), audited.person)
    for file in opened.files.values():
        assert file.startswith(b"age-encryption.org/v1")
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(file, [pyrage.x25519.Identity.generate()])


async def test_G6_nobody_else_opens_them_and_each_try_is_evidence(audited: Gone) -> None:
    gone = audited
    packets = gone.shop.house.packets
    await employed(gone, "901", "privacy-officer")
    for proof, code in (
        (gone.proof("901"), "packet-not-yours"),
        (gone.proof(because="phone:998901234567"), "packet-needs-reason"),
        (gone.proof(because=""), "packet-needs-reason"),
    ):
        gone.shop.clock.forward(MINUTE)  # a code opens once
        fresh = gone.proof(proof.ref, proof.because)
        with pytest.raises(Refused) as refused:
            await packets.open_for(fresh, gone.person)
        assert refused.value.code == code
    assert await gone.count("select count(*) from entries where act = 'proof:packet:refused'") == 3
    gone.shop.clock.forward(MINUTE)
    with pytest.raises(Refused) as refused:
        await packets.open_for(gone.proof(), "per_" + "a" * 26)
    assert refused.value.code == "packet-none"
    gone.shop.clock.forward(MINUTE)
    with pytest.raises(Refused) as refused:
        await packets.open_for(gone.proof(password="wrong, wrong, wrong"), gone.person)
    assert refused.value.code == "sign-in-failed"
    with pytest.raises(BadInput):
        await packets.open_for(gone.proof(), "Dilnoza")


async def test_R3_a_packet_is_refused_from_its_due_second_and_then_ends_with_its_key(audited: Gone) -> None:
    gone = audited
    packets, clock, grounds = gone.shop.house.packets, gone.shop.clock, gone.shop.house.grounds
    due = await gone.count("select max(due_at) from proof_packets")
    clock.now = Instant(due - SECOND)
    assert (await packets.open_for(gone.proof(), gone.person)).files
    slots = await gone.count("select array_agg(slot) from proof_packets")
    clock.now = Instant(due + SECOND)
    with pytest.raises(Refused) as refused:
        await packets.open_for(gone.proof(), gone.person)
    assert refused.value.code == "packet-over"
    clock.forward(HOUR)
    assert await packets.end_due() == 3
    assert await packets.end_due() == 0
    assert await gone.count("select count(*) from proof_packets") == 0
    assert all(grounds.vault.is_destroyed(slot) for slot in slots)
    assert await gone.count("select count(*) from entries where act = 'proof:packet:ended'") == 1


async def test_R3_a_crash_between_the_written_end_and_the_key_is_finished_by_the_next_round(
    gone: Gone, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone.shop.clock.now = Instant(await gone.count("select max(due_at) from proof_packets"))

    def crash(_slots: object) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(gone.shop.house.grounds.vault, "destroy_slots", crash)
        with pytest.raises(OSError, match="gone"):
            await gone.shop.house.packets.end_due()
    assert await gone.count("select count(*) from proof_packets where ended is not null") == 3
    assert await gone.shop.house.packets.end_due() == 3
    assert await gone.count("select count(*) from entries where act = 'proof:packet:ended'") == 1


async def test_G6_rows_say_nothing_to_who_has_no_key(gone: Gone) -> None:
    text = str(await gone.count("select string_agg(p::text, ' ') from proof_packets p"))
    for one in gone.openings:
        assert one.value not in text
        assert one.entry not in text
    assert gone.person not in text


def test_G6_each_act_belongs_into_one_packet(tmp_path: Path) -> None:
    assert [class_of(act) for act in ("choice:consent:given", "access:person:viewed", "use:person:refused")] == [
        *("agreed", "answered", "used")
    ]
