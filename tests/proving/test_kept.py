"""A whole house: what is told of it, that nothing is left of it, and that nobody else is disturbed."""

import json
from datetime import date

import msgspec
import pytest

from omonat.base.codes import LANGUAGES
from omonat.base.errors import BadInput, Unavailable
from omonat.base.instants import DAY
from omonat.base.verdict import Allow
from omonat.cli.prove import _plain, table
from omonat.database import leases
from omonat.evidence import verifier
from omonat.flows import using
from omonat.flows.choose import Choosing
from omonat.flows.publish_policy import Publication
from omonat.policy.built import built
from omonat.proving import run
from omonat.proving.outcome import Broken, CannotTell, Kept, Outcome, probe
from omonat.proving.people import People
from omonat.proving.probes import PROBES
from omonat.proving.run import Proof, prove
from omonat.proving.scene import Scene
from omonat.proving.values import invent
from tests.erasure.stories import ordered
from tests.flows.conftest import document, packs
from tests.proving.conftest import Town

LIVE = {
    *("P1", "P2", "P3", "P4", "P5", "D1", "D2", "L1", "L2", "L3", "L4", "L5", "L6", "L7", "K1", "K2", "K3"),
    *("C1", "C2", "C3", "C4"),
    *("N1", "N2", "N3"),
    *(f"U{n}" for n in range(1, 11)),
    *("R1", "R2", "R3", "X1", "T1", "T2", "Q1", "Q2", "S1", "S2", "S3", "S4", "S5", "S6", "B2", "B3", "A1", "A2", "A3"),
    *(f"G{n}" for n in range(1, 7)),
}
TABLES = ("sections", "records", "lookups", "outbox", "web_sessions", "sign_in_codes")


async def everything(town: Town) -> dict[str, str]:
    """What the tables of personal data hold, as they lie there. Choices stay after an erasure, as their own proof."""
    return {
        name: await town.value(f"select string_agg(t::text, ' ' order by t::text) from {name} t") for name in TABLES
    }


async def test_A1_no_two_people_made_for_a_proof_share_a_number(town: Town) -> None:
    mobile = (await town.house.grounds.law.current()).items["contact.mobile"]
    made = [invent(mobile, today=date(2026, 12, 1)) for _ in range(2_000)]
    assert len(set(made)) == len(made)


async def test_A1_every_promise_is_told_and_nothing_is_left_behind(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    real = await ordered(town.shop)
    await town.house.choose(Choosing(person=real.person, kind="consent", purpose="marketing-email", state="given"))
    before, looked = await everything(town), (await town.house.my_data.who_looked(real.person)).entries
    placed = run._placed

    async def settled(house: object, entries: list[str]) -> object:
        await town.settle()
        return await placed(house, entries)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "_placed", settled)
    proof = await town.prove()

    states = {one.promise: one.state for one in proof.promises}
    assert len(states) == 68
    assert {name for name, state in states.items() if state == "kept"} == LIVE
    assert {name for name, state in states.items() if state == "cannot-tell"} == {"U11"}
    unbuilt = {name for name, known in built().items() if known["state"] == "not built"}
    assert {name for name, state in states.items() if state == "not-built"} == unbuilt
    assert proof.exit == 3
    assert proof.left == []
    assert proof.seen_off > 10

    assert await everything(town) == before
    assert (await town.house.my_data.who_looked(real.person)).entries == looked
    await nothing_is_left(town)
    check_proofs(town, proof)
    assert_words(town, proof)


async def nothing_is_left(town: Town) -> None:
    """Nobody made for a run lives, no case of theirs is open, nobody may act in its name, nobody has work of it."""
    assert await town.value("select count(*) from cases where id like '%:prove-%' and closed_at is null") == 0
    assert await town.value("select count(*) from cases where id like '%:prove-%' and person is not null") == 0
    now = town.clock.now
    assert await town.value("select count(*) from clients where name like 'omonat-prove%' and until > $1", now) == 0
    assert await town.value("select count(*) from staff where ref like 'prove-%' and role_until > $1", now) == 0
    assert await town.value("select count(*) from work_items where closed_at is null") == 0
    assert await town.value("select count(*) from system_notices where state <> 'acknowledged'") == 0
    assert await town.value("select count(*) from outbox") == 0
    for name in ("business_clients", "business_contacts", "client_notices"):
        assert await town.value(f"select count(*) from {name}") == 0, name
    assert (
        await town.value("select count(*) from staff_usage where staff not like 'omk_%' and staff not like 'prove-%'")
        == 0
    )


def check_proofs(town: Town, proof: Proof) -> None:
    """Every entry that is named has its place, and its proof holds for somebody who has nothing but the keys."""
    pinned = verifier.Pinned.of([key.vkey for key in town.house.keys.pinned])
    named = {entry.id: entry for one in proof.promises for entry in one.evidence}
    assert len(named) > 100
    for entry in list(named.values())[::10]:
        assert entry.proof is not None
        assert verifier.verify_proof(entry.proof.encode(), pinned).verdict == "intact"


def assert_words(town: Town, proof: Proof) -> None:
    """The table says it in three languages, and as JSON it is whole; neither holds a value of a person."""
    policy = town.house.grounds.law.history()[-1]
    for language, kept in (("uz", "bajarilmoqda"), ("ru", "соблюдается"), ("en", "kept")):
        lines = "\n".join(table(proof, policy, language))
        assert kept in lines
        for one in proof.promises:
            assert policy.label("promise", one.promise, language) in lines
    said = json.loads(msgspec.json.encode(_plain(proof)))
    assert (said["exit"], len(said["promises"])) == (3, 68)
    assert "prove.test" not in json.dumps(said)
    assert "+99890" not in json.dumps(said)


def test_A1_each_probe_says_what_it_does_in_three_languages_and_every_promise_that_needs_one_has_one() -> None:
    tried = {promise for each in PROBES for promise in each.promises}
    assert tried >= LIVE
    for each in PROBES:
        assert set(each.does) == set(LANGUAGES)
        assert len(set(each.does.values())) == 3
        assert set(each.promises) <= built().keys()
    assert len({each.name for each in PROBES if each.name != "exactly"}) == sum(p.name != "exactly" for p in PROBES)


async def test_A1_a_probe_that_stumbles_tells_nothing_and_a_promise_without_one_neither(town: Town) -> None:
    @probe("C1", uz="a", ru="b", en="c")
    async def stumbling(_scene: Scene) -> Outcome:
        raise Unavailable("database-unavailable")

    town.clock.forward(DAY)
    proof = await prove(town.house, ["C1", "R3"], [stumbling])
    first, second = proof.promises if proof.promises[0].promise == "C1" else reversed(proof.promises)
    assert (first.state, first.why) == ("cannot-tell", "database-unavailable")
    assert (second.state, second.why) == ("cannot-tell", "no-live-test")
    assert proof.exit == 3


async def test_A1_what_nobody_built_is_never_told_as_kept(town: Town) -> None:
    async def says(outcome: Outcome) -> str:
        @probe("X0", uz="a", ru="b", en="c")
        async def saying(_scene: Scene) -> Outcome:
            return outcome

        town.clock.forward(DAY)
        return (await prove(town.house, ["X0"], [saying])).promises[0].state

    assert built()["X0"]["state"] == "not built"
    assert await says(Kept(("all",))) == "not-built"
    assert await says(CannotTell("no-live-test")) == "not-built"
    assert await says(Broken(("all",))) == "broken"


async def test_A1_a_run_over_ends_in_its_exit_code(town: Town) -> None:
    kept = await town.prove("C1", "S2")
    assert kept.exit == 0
    told = msgspec.structs.replace(kept, left=["ers_x: contact.name hold"])
    assert told.exit == 1
    worse = [msgspec.structs.replace(kept.promises[0], state="broken"), *kept.promises[1:]]
    assert msgspec.structs.replace(kept, promises=worse).exit == 1


async def test_A1_two_runs_dont_see_off_each_others_people(town: Town) -> None:
    pool = town.house.grounds.database.pool
    async with pool.acquire() as connection:
        held = await leases.acquire(connection, run.LEASE, holder="other", now=town.clock(), lasting=run.LASTING)
        assert held is not None
        with pytest.raises(Unavailable) as busy:
            await run.prove(town.house, ("C1",))
        assert busy.value.code == "proving-busy"
        await leases.release(connection, held)
    assert (await town.prove("C1")).exit == 0


async def test_A1_a_run_cut_off_between_an_erasure_and_its_notices_is_cleaned_up_after(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut_off(people: People) -> None:
        if people.erased:
            raise Unavailable("database-unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(People, "_say_for_systems", cut_off)
        with pytest.raises(Unavailable):
            await town.prove("S2")
    assert await town.value("select count(*) from work_items where rule = 'erase-by-hand' and closed_at is null") > 0
    await town.prove("C1")
    await nothing_is_left(town)


async def test_A1_a_promise_nobody_made_is_said_so(town: Town) -> None:
    with pytest.raises(BadInput) as unknown:
        await town.prove("C1", "Z9")
    assert unknown.value.code == "promise-unknown"


async def test_P3_where_nobody_serves_the_page_nothing_is_told(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omonat.proving.scene._address", lambda _settings: "http://127.0.0.1:1")
    found = await town.one("P3")
    assert (found.state, found.why) == ("cannot-tell", "not-served")
    assert (await town.one("C3")).state == "kept"  # what the page calls is called


async def test_P2_a_second_version_with_a_new_use_is_tried_on_data_of_the_first(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Last of this module: the policy has two versions from here on."""
    new = document().replace('version: "1"', 'version: "2"', 1)
    old = """    needs: [contact.name, contact.mobile, contact.postal-address]
    may-use: [contact.landmark]"""
    assert old in new
    text = new.replace(old, old.replace("contact.landmark]", "contact.landmark, contact.email]"), 1)
    with monkeypatch.context() as patch:
        publication = Publication(document=text, packs=packs(), author="staff:1", approver="staff:2")
        await town.house.publish(publication)
        found = await town.one("P2")
        assert found.state == "kept", found.seen
        assert "deliver-order courier contact.email: not-told-yet" in found.seen
        patch.setattr(using, "decide_record", lambda *_facts: (Allow(), {}))
        found = await town.one("P2")
    assert found.state == "broken"
    assert "deliver-order courier contact.email: given" in found.seen
