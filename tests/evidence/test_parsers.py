"""Everything signed, hashed or named has one spelling: what is read prints to the same bytes, or it is refused."""

import random
from base64 import b64encode
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from omonat.base.errors import BadInput, Fault
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.evidence import verifier
from omonat.evidence.entry import Entry, decode, encode, leaf_hash
from omonat.evidence.folder import LogFolder
from omonat.evidence.keys import LogKeys
from omonat.evidence.note import COSIGNATURE, Checkpoint, Note, Signer, Verifier, strict_base64, strict_number
from omonat.evidence.proofs import TlogProof
from omonat.evidence.tiles import ENTRIES, TileName, bundle, edge, unbundle
from tests.evidence.conftest import START, fixed_key

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)

facts = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcXYZ-_ 09", max_size=5), inner, max_size=3),
    max_leaves=8,
)


# -- entries -------------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text("abcxyz-_", max_size=8), facts, max_size=5))
def test_A1_an_entry_has_one_spelling_that_three_implementations_share(values: dict[str, object]) -> None:
    entry = Entry(new_id("ev"), START, "use:person:authorised", values)
    encoded = encode(entry)
    assert decode(encoded) == entry
    assert verifier.open_entry(encoded)["facts"] == values
    document = {"id": entry.id, "at": entry.at, "act": entry.act, "facts": values, "v": 1}
    assert rfc8785.dumps(document) == encoded  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_S6_a_changed_byte_is_another_entry_or_none_and_the_readers_agree(place: int, byte: int) -> None:
    good = encode(Entry("ev_" + "a" * 26, START, "use:person:authorised", {"purpose": "deliver-order", "n": 1}))
    spoiled = bytearray(good)
    spoiled[place % len(good)] = byte
    raw = bytes(spoiled)
    assert (raw == good) == (leaf_hash(raw) == leaf_hash(good))
    assert accepts(decode, raw) == accepts(verifier.open_entry, raw)
    if accepts(decode, raw):
        assert encode(decode(raw)) == raw


def accepts(read: object, raw: bytes) -> bool:
    try:
        read(raw)  # type: ignore[operator]
    except (BadInput, verifier.Wrong):
        return False
    return True


@pytest.mark.parametrize(
    "entry",
    [
        Entry(new_id("ev"), START, "Use:person", {}),
        Entry(new_id("ev"), START, "use", {}),
        Entry(new_id("ev"), START, "a:b:c:d", {}),
        Entry(new_id("ev"), START, "use:person", {"n": 1.5}),
        Entry(new_id("ev"), START, "use:person", {"n": 2**53}),
        Entry(new_id("ev"), START, "use:person", {"ключ": 1}),
        Entry(new_id("ev"), START, "use:person", {"raw": b"bytes"}),
        Entry(new_id("ev"), START, "use:person", {"long": "x" * 65_536}),
    ],
    ids=["capital", "one-part", "four-parts", "float", "beyond-2^53", "non-ascii-key", "bytes", "too-long"],
)
def test_design_an_entry_that_has_no_canonical_form_is_a_fault(entry: Entry) -> None:
    with pytest.raises(Fault) as fault:
        encode(entry)
    assert fault.value.code == "evidence-entry-malformed"


def test_design_subjects_are_not_in_the_bytes() -> None:
    person = new_id("per")
    entry = Entry(new_id("ev"), START, "use:person:authorised", {}, (person,))
    assert person.encode() not in encode(entry)


# -- numbers, base64 -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["+42", "-1", " 42", "42 ", "4_2", "042", "00", "", "٤٢", "４２", "9223372036854775808", "1e3"]
)
def test_design_a_number_has_one_spelling(text: str) -> None:
    with pytest.raises(BadInput):
        strict_number(text)
    with pytest.raises(verifier.Wrong):
        verifier.strict_number(text)


@pytest.mark.parametrize("text", ["AA", "AA=", "AA===", "AB==", "A A==", "AA==\n", "AA==AA==", "A-==", "AAA", "ＡA=="])
def test_design_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(BadInput):
        strict_base64(text)
    with pytest.raises(verifier.Wrong):
        verifier.strict_base64(text)


@given(st.integers(0, 2**63 - 1), st.binary(max_size=80))
def test_design_numbers_and_base64_round_trip(number: int, raw: bytes) -> None:
    assert strict_number(str(number)) == number
    assert strict_base64(b64encode(raw).decode()) == raw


# -- notes ---------------------------------------------------------------------------------------------------------


def test_A1_the_published_note_verifies_and_prints_as_it_came() -> None:
    key = Verifier.parse(VKEY)
    note = Note.parse(NOTE.encode())
    assert (key.vkey, str(note)) == (VKEY, NOTE)
    assert note.check([key]) == {key: None}
    assert verifier.Key.parse(VKEY).public == key.public
    with pytest.raises(BadInput):
        Note.parse(NOTE.replace("example message", "other message").encode()).check([key])


@pytest.mark.parametrize(
    "spoiled",
    [
        NOTE.replace("— ", "- "),
        NOTE.replace("— example", "—  example"),
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("message.", "message.\r"),
        NOTE.replace("message.", "message.\x00"),
        NOTE.replace("aQM=", "aQN="),
        NOTE.replace("Uw2Q", "Uw2Q "),
        NOTE.replace("example.com/foo", "example.com+foo"),
        NOTE.replace("example.com/foo ", " "),
        NOTE * 65,
        "",
    ],
)
def test_design_a_note_has_one_spelling(spoiled: str) -> None:
    with pytest.raises(BadInput):
        Note.parse(spoiled.encode()).check([Verifier.parse(VKEY)])


@pytest.mark.parametrize(
    "vkey", [VKEY.upper(), VKEY + "=", VKEY.replace("530d", "530e"), VKEY.replace("+A", "+B"), "", "a+b", VKEY[:-4]]
)
def test_design_a_key_has_one_spelling(vkey: str) -> None:
    with pytest.raises(BadInput):
        Verifier.parse(vkey)
    with pytest.raises(verifier.Wrong):
        verifier.Key.parse(vkey)


def test_A1_a_cosignature_carries_its_time_and_covers_it() -> None:
    clock = Signer("log.example/clock", fixed_key(2), COSIGNATURE)
    note = Note.sign("a\n1\nb\n", [clock], now=Instant(START + 123))
    assert note.check([clock.verifier]) == {clock.verifier: START}
    name, number, raw = note.signatures[0]
    later = (int.from_bytes(raw[:8], "big") + 1).to_bytes(8, "big") + raw[8:]
    with pytest.raises(BadInput):
        Note(note.text, ((name, number, later),)).check([clock.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "a\n+1\n{}\n",
        "a\n01\n{}\n",
        "a\n1\n{}",
        "a\n1\n{}\n\n",
        "a\n1\n{}\nextension\n",
        "\n1\n{}\n",
        "a\n1\nAA==\n",
        "a\n-1\n{}\n",
    ],
)
def test_design_a_checkpoint_has_one_spelling(text: str) -> None:
    good = b64encode(bytes(32)).decode()
    assert str(Checkpoint.parse(f"a\n1\n{good}\n")) == f"a\n1\n{good}\n"
    with pytest.raises(BadInput):
        Checkpoint.parse(text.format(good))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_design_parsers_refuse_noise_and_never_break(raw: bytes) -> None:
    for read in (Note.parse, TlogProof.parse, decode):
        try:
            read(raw)
        except BadInput:
            continue


def test_design_every_spelling_of_a_note_or_proof_but_one_is_refused(keys: LogKeys) -> None:
    """Bytes inserted, removed, replaced: what is still accepted prints to exactly what was read."""
    checkpoint = str(Checkpoint("log.example", 3, bytes(32)))
    signed = str(Note.sign(checkpoint, (keys.log, keys.clock), now=START)).encode()
    proof = bytes(TlogProof(b"entry", 2, (bytes(32), bytes(range(32))), signed))
    chance = random.Random(3)
    for original, read, show in (
        (signed, Note.parse, lambda note: str(note).encode()),
        (proof, TlogProof.parse, bytes),
    ):
        for _ in range(1_500):
            raw = bytearray(original)
            place = chance.randrange(len(raw))
            with_byte = bytes([chance.choice(b"\n =+0aA/\xe2\x80\r\t")])
            raw[place : place + chance.randrange(2)] = chance.choice([b"", with_byte, with_byte * 2])
            try:
                found = read(bytes(raw))
            except BadInput:
                continue
            assert show(found) == bytes(raw)


# -- tiles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (TileName(0, 0, 256), "tile/0/000"),
        (TileName(0, 1234067, 256), "tile/0/x001/x234/067"),
        (TileName(1, 999, 17), "tile/1/999.p/17"),
        (TileName(ENTRIES, 1000, 255), "tile/entries/x001/000.p/255"),
    ],
)
def test_A1_tile_paths_are_those_of_c2sp(name: TileName, path: str) -> None:
    assert name.path == path
    assert TileName.parse(path) == name
    if name.width == 256:
        assert verifier.tile_path(str(name.level), name.number) == path


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/001/000",
        "tile/0/x000/001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/+1",
        "tile/0/000/",
        "tile/0/../000",
        "tile/entry/000",
        "tile",
        "",
    ],
)
def test_design_a_tile_path_has_one_spelling(path: str) -> None:
    with pytest.raises(BadInput):
        TileName.parse(path)


def test_A1_seventy_thousand_leaves_have_the_tiles_of_the_standard() -> None:
    assert edge(70_000) == [TileName(0, 273, 112), TileName(1, 1, 17), TileName(2, 0, 1)]
    assert edge(256) == [TileName(1, 0, 1)]
    assert edge(0) == []


@given(st.lists(st.binary(max_size=300), max_size=20), st.integers(0, 20))
def test_design_bundles_round_trip_and_a_narrower_one_is_a_prefix(entries: list[bytes], most: int) -> None:
    raw = bundle(entries)
    assert unbundle(raw) == entries
    assert unbundle(raw, most) == entries[:most] == verifier.split_bundle(raw, most)
    if raw:
        with pytest.raises(ValueError, match="inside an entry"):
            unbundle(raw[:-1])


def test_design_a_partial_tile_is_answered_from_a_wider_one(tmp_path: Path) -> None:
    """As C2SP demands of a log for every size it ever signed, without keeping each width as a file."""
    folder = LogFolder(tmp_path)
    hashes = bytes(range(256)) * 32
    entries = [bytes([number]) * number for number in range(200)]
    folder.write_tiles({TileName(0, 0, 256): hashes, TileName(ENTRIES, 0, 200): bundle(entries)})
    assert folder.read(TileName(0, 0, 3)) == hashes[:96]
    assert unbundle(folder.read(TileName(ENTRIES, 0, 7)) or b"") == entries[:7]
    assert folder.read(TileName(ENTRIES, 0, 201)) is None
    assert folder.read(TileName(0, 1, 1)) is None


@pytest.mark.parametrize("behind", [b"\0", bundle([b"smuggled"]), bytes(32)])
@pytest.mark.parametrize("asked", [200, 7], ids=["exact", "wider"])
def test_S6_a_file_with_anything_behind_what_its_name_says_is_not_read(
    tmp_path: Path, behind: bytes, asked: int
) -> None:
    """Exactly its entries, exactly its hashes; whether it is asked for, or cut for a narrower one."""
    folder = LogFolder(tmp_path)
    entries = [bytes([number]) * number for number in range(200)]
    true = {TileName(0, 0, 200): bytes(range(200)) * 32, TileName(ENTRIES, 0, 200): bundle(entries)}
    for name, raw in true.items():
        folder.write_tiles(true)
        wanted = TileName(name.level, 0, asked)
        assert folder.read(wanted)
        for other in (raw + behind, raw[:-1]):
            folder.write_tiles({name: other})
            with pytest.raises(Fault) as fault:
                folder.read(wanted)
            assert fault.value.code == "evidence-altered"
