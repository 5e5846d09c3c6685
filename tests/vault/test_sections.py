"""Sections: sealed for one person, record, category and version, opened for no other (S2), gone when destroyed (R3)."""

import itertools
import multiprocessing
import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omonat.base.errors import Fault, Refused, Unavailable
from omonat.vault.root import RootKey
from omonat.vault.vault import Vault

MARKER = "Dilnoza-Marker-7731"


@dataclass(frozen=True)
class Place:
    """Where a section belongs."""

    person: str
    person_slot: int
    record: str
    record_slot: int
    category: str
    version: int

    def seal(self, vault: Vault, items: dict[str, Any]) -> bytes:
        return vault.seal_section(**vars(self), items=items)

    def open(self, vault: Vault, sealed: bytes) -> dict[str, Any]:
        return vault.open_section(**vars(self), sealed=sealed)


def place(vault: Vault, name: str = "1", category: str = "contact", version: int = 1) -> Place:
    person, record = vault.reserve_slots(2)
    return Place(f"per_{name}", person, f"rec_{name}", record, category, version)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return Vault.open(tmp_path_factory.mktemp("home"), RootKey(os.urandom(32)), create=True)


@settings(max_examples=150, deadline=None)
@given(
    items=st.dictionaries(st.text(max_size=20), plain, max_size=6),
    version=st.integers(0, 2**40),
    name=st.text(max_size=30),
)
def test_S2_what_was_sealed_comes_back_as_it_was(kept: Vault, items: dict[str, Any], version: int, name: str) -> None:
    where = replace(place(kept), person=name, version=version, category=name[::-1])
    assert where.open(kept, where.seal(kept, items)) == items


def test_S2_no_section_opens_in_another_place(vault: Vault) -> None:
    """Every pair of different places out of 54: 2,862 swaps, each refused."""
    slots = vault.reserve_slots(12)
    people = [("per_a", slots[0]), ("per_ab", slots[1]), ("per_b", slots[2])]
    records = [("rec_a", slots[3]), ("rec_aa", slots[4]), ("crec_a", slots[5])]
    places = [
        Place(*person, *record, category, version)
        for person, record, category, version in itertools.product(
            people, records, ("contact", "contac", "financial"), (1, 2)
        )
    ]
    sealed = [where.seal(vault, {"item": "value"}) for where in places]
    swaps = 0
    for (i, where), (j, data) in itertools.product(enumerate(places), enumerate(sealed)):
        if i == j:
            assert where.open(vault, data) == {"item": "value"}
            continue
        with pytest.raises(Fault, match="was changed or moved"):
            where.open(vault, data)
        swaps += 1
    assert swaps >= 2_000


@pytest.mark.parametrize("part", ["person", "record", "category", "version", "person_slot", "record_slot"])
def test_S2_each_part_of_the_place_counts_by_itself(vault: Vault, part: str) -> None:
    where = place(vault)
    other: Any = {"category": "contacts", "version": 2}.get(part) or (
        vault.reserve_slots(1)[0] if part.endswith("slot") else getattr(where, part) + "x"
    )
    with pytest.raises(Fault) as caught:
        replace(where, **{part: other}).open(vault, where.seal(vault, {"item": 1}))
    assert caught.value.code == "section-tampered"


def test_S2_letters_moved_from_one_name_into_the_next_are_noticed(vault: Vault) -> None:
    where = replace(place(vault), person="per_ab", record="rec_c")
    with pytest.raises(Fault):
        replace(where, person="per_a", record="brec_c").open(vault, where.seal(vault, {}))


def test_S6_every_changed_byte_and_every_cut_is_noticed(vault: Vault) -> None:
    where = place(vault)
    sealed = where.seal(vault, {"contact.name": "Anvar"})
    for at in range(len(sealed)):
        for spoiled in (sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], sealed[:at]):
            with pytest.raises(Fault) as caught:
                where.open(vault, spoiled)
            assert caught.value.code == "section-tampered"
    with pytest.raises(Fault):
        where.open(vault, sealed + b"\0")


def test_S2_the_same_contents_never_look_the_same(vault: Vault) -> None:
    where = place(vault)
    assert len({where.seal(vault, {"item": 1}) for _ in range(200)}) == 200


def test_R3_a_destroyed_record_refuses_and_its_neighbours_stay(vault: Vault) -> None:
    person, first, second = vault.reserve_slots(3)
    one, two = (Place("per_1", person, f"rec_{slot}", slot, "contact", 1) for slot in (first, second))
    sealed_one, sealed_two = one.seal(vault, {"item": 1}), two.seal(vault, {"item": 2})
    vault.destroy_slots([first])
    for attempt in (lambda: one.open(vault, sealed_one), lambda: one.seal(vault, {"item": 3})):
        with pytest.raises(Refused) as caught:
            attempt()
        assert caught.value.code == "key-destroyed"
    assert two.open(vault, sealed_two) == {"item": 2}
    assert vault.is_destroyed(first)
    assert not vault.is_destroyed(second)


def test_R3_a_destroyed_person_takes_every_record_along(vault: Vault, again: Callable[[], Vault]) -> None:
    person, *records = vault.reserve_slots(11)
    places = [Place("per_1", person, f"rec_{slot}", slot, "contact", 1) for slot in records]
    sealed = [where.seal(vault, {"item": 1}) for where in places]
    vault.destroy_slots([person])
    for opened in (vault, again()):
        for where, data in zip(places, sealed, strict=True):
            with pytest.raises(Refused):
                where.open(opened, data)


def _other_process(home: Path, secret: bytes, where: Place, sealed: bytes, pipe: Any) -> None:
    vault = Vault.open(home, RootKey(secret))
    while pipe.recv() != "end":
        try:
            where.open(vault, sealed)
            pipe.send("opened")
        except Refused as error:
            pipe.send(error.code)


def test_R3_a_living_process_refuses_at_its_very_next_look(home: Path) -> None:
    """The other process holds the key in its cache, and even so the first look after the destruction refuses."""
    secret = os.urandom(32)
    vault = Vault.open(home, RootKey(secret), create=True)
    spawn = multiprocessing.get_context("spawn")
    for round_ in range(3):
        where = place(vault, str(round_))
        here, there = spawn.Pipe()
        other = spawn.Process(target=_other_process, args=(home, secret, where, where.seal(vault, {"item": 1}), there))
        other.start()
        answers = []
        for step in range(6):
            if step == 3:
                vault.destroy_slots([where.person_slot if round_ % 2 else where.record_slot])
            here.send("look")
            answers.append(here.recv())
        here.send("end")
        other.join(10)
        assert answers == ["opened"] * 3 + ["key-destroyed"] * 3


def test_R3_no_cache_opens_more_than_the_slots_do_now(vault: Vault) -> None:
    """More sections than the cache keeps, some destroyed at random: each answer is what its slots say."""
    rng = random.Random(5)
    places = [place(vault, str(n)) for n in range(2_500)]
    sealed = [where.seal(vault, {"n": n}) for n, where in enumerate(places)]
    gone = set(rng.sample(range(2_500), 200))
    vault.destroy_slots(places[n].record_slot for n in gone)
    for n in rng.sample(range(2_500), 2_500):
        if n in gone:
            with pytest.raises(Refused):
                places[n].open(vault, sealed[n])
        else:
            assert places[n].open(vault, sealed[n]) == {"n": n}


def test_R3_among_threads_nothing_opens_after_the_answer(vault: Vault) -> None:
    """Four threads open without pause; none succeeds in a look begun after the destruction was acknowledged."""
    places = [place(vault, str(n)) for n in range(40)]
    sealed = [where.seal(vault, {"n": n}) for n, where in enumerate(places)]
    acknowledged = [False] * len(places)
    wrong: list[int] = []
    ended = threading.Event()

    def look(seed: int) -> None:
        rng = random.Random(seed)
        while not ended.is_set():
            n = rng.randrange(len(places))
            already = acknowledged[n]
            try:
                places[n].open(vault, sealed[n])
            except Refused:
                continue
            if already:
                wrong.append(n)

    threads = [threading.Thread(target=look, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for n, where in enumerate(places):
        vault.destroy_slots([where.record_slot])
        acknowledged[n] = True
        vault.reserve_slots(100)
    ended.set()
    for thread in threads:
        thread.join(10)
    assert wrong == []


def test_S6_a_process_sees_slots_that_another_made_later(vault: Vault, again: Callable[[], Vault]) -> None:
    early = again()
    vault.reserve_slots(20_000)
    where = place(vault)
    assert where.open(early, where.seal(vault, {"item": 1})) == {"item": 1}


def test_R3_a_copy_on_another_disk_is_registered_and_then_required(
    vault: Vault, home: Path, root: RootKey, tmp_path: Path
) -> None:
    where = place(vault)
    sealed, other = where.seal(vault, {"item": 1}), tmp_path / "other-disk" / "slots"
    vault.register_copy(other)
    with pytest.raises(Unavailable) as caught:
        Vault.open(home, root)
    assert caught.value.code == "key-copies-missing"
    both = Vault.open(home, root, other_copies=[other])
    assert where.open(both, sealed) == {"item": 1}
    slot = both._slots.slot(where.person_slot)
    assert slot in other.read_bytes()
    both.destroy_slots([where.person_slot])
    assert slot not in other.read_bytes()
    with pytest.raises(Refused):
        where.open(vault, sealed)


def test_S2_neither_contents_nor_keys_lie_in_the_files(vault: Vault, home: Path) -> None:
    where = place(vault)
    sealed = where.seal(vault, {"contact.name": MARKER})
    secrets = [vault._slots.secret(slot) for slot in (where.person_slot, where.record_slot)]
    private = vault.signing_key("evidence-log").private_bytes_raw()
    everything = sealed + b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    for needle in (MARKER.encode(), *secrets, private, vault._slots._root._secret):
        for spelling in (needle, needle.hex().encode()):
            assert spelling not in everything
    slot = vault._slots.slot(where.person_slot)
    assert slot in everything, "the search must be able to find what is there"


def test_R3_destroying_leaves_nothing_of_the_slot_in_the_file(vault: Vault, home: Path) -> None:
    where = place(vault)
    slot = vault._slots.slot(where.person_slot)
    file = home / "keys" / "slots"
    assert slot[16:] in file.read_bytes()
    vault.destroy_slots([where.person_slot])
    now = file.read_bytes()
    assert all(slot[at : at + 8] not in now for at in range(4, 57))
