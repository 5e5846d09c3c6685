"""Every way to falsify one log is caught, by a program that shares no code with the one that wrote it."""

import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from omonat.base.instants import HOUR, MINUTE, SECOND, Instant
from omonat.cli import build
from omonat.evidence import verifier
from omonat.evidence.entry import Entry, encode, leaf_hash
from omonat.evidence.export import export
from omonat.evidence.folder import LogFolder
from omonat.evidence.keys import LogKeys
from omonat.evidence.note import COSIGNATURE, Checkpoint, Note, Signer
from omonat.evidence.proofs import TileCache, TlogProof, TreeView
from omonat.evidence.receipts import issue
from omonat.evidence.tiles import ENTRIES, GrowingTree, TileName, bundle, leaves_of, unbundle
from tests.evidence.conftest import ORIGIN, START, fixed_key
from tests.evidence.logs import entry_id, honest, pinned, raw_entry, verify, write

SIZES = [1, 2, 255, 256, 257, 511, 600, 1024]


def rewrite_bundle(folder: LogFolder, number: int, width: int, change: object) -> None:
    """Change the entries of one bundle and nothing else."""
    name = TileName(ENTRIES, number, width)
    entries = unbundle(folder.read(name) or b"")
    changed = change(entries)  # type: ignore[operator]
    (folder.path / name.path).write_bytes(bundle(changed))


@pytest.mark.parametrize("size", [*SIZES, 65_536 + 300])
def test_A1_an_honest_log_verifies(tmp_path: Path, keys: LogKeys, size: int) -> None:
    write(tmp_path, honest(size), keys)
    report = verify(tmp_path, keys)
    assert (report.code, report.findings, report.size) == (verifier.INTACT, [], size)


def test_A1_an_empty_log_verifies(tmp_path: Path, keys: LogKeys) -> None:
    write(tmp_path, [], keys)
    assert verify(tmp_path, keys).code == verifier.INTACT


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_S6_an_edited_entry_is_named(tmp_path: Path, keys: LogKeys, size: int, where: str) -> None:
    folder = write(tmp_path, honest(size), keys)
    index = {"first": 0, "middle": size // 2, "last": size - 1}[where]
    width = min(256, size - index // 256 * 256)

    def edit(entries: list[bytes]) -> list[bytes]:
        entries[index % 256] = raw_entry(index, facts={"purpose": "another"}, at=START + index * SECOND // 10)
        return entries

    rewrite_bundle(folder, index // 256, width, edit)
    report = verify(tmp_path, keys)
    assert (report.code, report.first_bad) == (verifier.ALTERED, index)


@pytest.mark.parametrize(
    ("attack", "first_bad"),
    [
        (lambda e: e[:10] + e[11:], 10),  # delete one
        (lambda e: [*e[:10], e[11], e[10], *e[12:]], 10),  # swap two
        (lambda e: [*e[:10], raw_entry(999_999, at=START + SECOND), *e[10:]], 10),  # insert one
        (lambda e: [*e[:10], e[9], *e[11:]], 10),  # repeat one in place of another
        (lambda e: e[:10], 10),  # cut the rest of the bundle
        (lambda e: [], 0),
    ],
    ids=["delete", "reorder", "insert", "duplicate", "truncate", "empty"],
)
@pytest.mark.parametrize("size", [300, 40])
def test_S6_a_bundle_with_moved_entries_is_named(
    tmp_path: Path, keys: LogKeys, attack: object, first_bad: int, size: int
) -> None:
    folder = write(tmp_path, honest(size), keys)
    rewrite_bundle(folder, 0, min(size, 256), attack)
    report = verify(tmp_path, keys)
    assert (report.code, report.first_bad) == (verifier.ALTERED, first_bad)


def test_S6_missing_files_are_named(tmp_path: Path, keys: LogKeys) -> None:
    write(tmp_path / "log", honest(1_000), keys)
    for gone, first_bad in (("tile/entries/001", 256), ("tile/entries/003.p/232", 768), ("tile/0/002", 512)):
        shutil.copytree(tmp_path / "log", tmp_path / "damaged", dirs_exist_ok=False)
        (tmp_path / "damaged" / gone).unlink()
        report = verify(tmp_path / "damaged", keys)
        assert (report.code, report.first_bad) == (verifier.ALTERED, first_bad), gone
        shutil.rmtree(tmp_path / "damaged")


def test_S6_an_entry_changed_together_with_its_tile_is_narrowed_to_the_tile(tmp_path: Path, keys: LogKeys) -> None:
    bodies = honest(1_000)
    folder = write(tmp_path, bodies, keys)
    bodies[300] = raw_entry(300, at=START + 30 * SECOND)
    rewrite_bundle(folder, 1, 256, lambda _entries: bodies[256:512])
    (tmp_path / "tile/0/001").write_bytes(b"".join(leaves_of(bodies[256:512])))
    report = verify(tmp_path, keys)
    assert report.code == verifier.ALTERED
    assert [(f.index, f.until) for f in report.findings] == [(256, 512)]


def test_S6_a_wholly_rewritten_log_without_the_key_is_refused(tmp_path: Path, keys: LogKeys) -> None:
    bodies = honest(600)
    signed = (write(tmp_path / "true", bodies, keys).read_checkpoint()) or b""
    bodies[17] = raw_entry(17, at=START + 2 * SECOND)
    write(tmp_path / "false", bodies, keys).write_checkpoint(signed)
    report = verify(tmp_path / "false", keys)
    assert (report.code, report.findings[0].index, report.findings[0].until) == (verifier.ALTERED, 0, 600)


def test_S6_any_flipped_bit_in_any_file_is_caught(tmp_path: Path, keys: LogKeys) -> None:
    """Two hundred single bits, spread over bundles, tiles of every level and the checkpoint."""
    write(tmp_path, honest(520), keys)
    chance = random.Random(20261201)
    files = sorted(file for file in tmp_path.rglob("*") if file.is_file())
    for _ in range(200):
        file = chance.choice(files)
        raw = bytearray(file.read_bytes())
        bit = chance.randrange(len(raw) * 8)
        raw[bit // 8] ^= 1 << bit % 8
        original = file.read_bytes()
        file.write_bytes(raw)
        report = verify(tmp_path, keys)
        assert report.code != verifier.INTACT, (file.name, bit)
        file.write_bytes(original)
    assert verify(tmp_path, keys).code == verifier.INTACT


def test_S6_another_key_or_origin_is_refused(tmp_path: Path, keys: LogKeys) -> None:
    bodies = honest(10)
    other = LogKeys.of(ORIGIN, log=fixed_key(7), clock=fixed_key(8), receipts=fixed_key(9))
    write(tmp_path / "key", bodies, other)
    assert verify(tmp_path / "key", keys).code == verifier.SIGNATURE

    renamed = LogKeys.of("evil.example/log", log=fixed_key(1), clock=fixed_key(2), receipts=fixed_key(3))
    write(tmp_path / "origin", bodies, renamed)
    assert verify(tmp_path / "origin", keys).code == verifier.SIGNATURE

    folder = write(tmp_path / "text", bodies, keys)
    checkpoint = Checkpoint("evil.example/log", 10, bytes(32))
    folder.write_checkpoint(str(Note.sign(str(checkpoint), (keys.log, keys.clock), now=START)).encode())
    assert verify(tmp_path / "text", keys).code == verifier.SIGNATURE


def test_S6_the_clock_key_alone_signs_no_log(tmp_path: Path, keys: LogKeys) -> None:
    folder = write(tmp_path, honest(10), keys)
    note = Note.parse(folder.read_checkpoint() or b"")
    folder.write_checkpoint(str(Note(note.text, note.signatures[1:])).encode())
    assert verify(tmp_path, keys).code == verifier.SIGNATURE


def test_design_unknown_signers_are_ignored_and_repeated_ones_refused(tmp_path: Path, keys: LogKeys) -> None:
    folder = write(tmp_path, honest(10), keys)
    note = Note.parse(folder.read_checkpoint() or b"")
    witness = Signer("witness.example", fixed_key(5), COSIGNATURE)
    more = Note.sign(note.text, [witness], now=START).signatures
    folder.write_checkpoint(str(Note(note.text, note.signatures + more)).encode())
    assert verify(tmp_path, keys).code == verifier.INTACT
    folder.write_checkpoint(str(Note(note.text, note.signatures + note.signatures[:1])).encode())
    assert verify(tmp_path, keys).code == verifier.SIGNATURE


def test_S6_a_forked_or_rolled_back_log_is_told_by_an_earlier_checkpoint(tmp_path: Path, keys: LogKeys) -> None:
    bodies = honest(700)
    seen = write(tmp_path / "seen", honest(500), keys).read_checkpoint() or b""
    whole = write(tmp_path / "whole", honest(500) + bodies[500:], keys)
    bodies[17] = raw_entry(17, at=START + 2 * SECOND)
    write(tmp_path / "forked", bodies, keys)
    assert verify(tmp_path / "whole", keys, seen=[seen]).code == verifier.INTACT

    later = whole.read_checkpoint() or b""
    report = verify(tmp_path / "seen", keys, seen=[later])
    assert (report.code, report.first_bad) == (verifier.FORK, 500)

    report = verify(tmp_path / "forked", keys, seen=[seen])
    assert report.code == verifier.FORK


@pytest.mark.parametrize(
    ("spoiled", "index"),
    [
        (b'{"act":"a:b","at":1,"facts":{},"id":"x","v":1}', 5),
        (b"not json", 5),
        (b'{"act":"a:b","act":"a:b"}', 5),
        (raw_entry(5, at=START).replace(b'"v":1', b'"v":1.0'), 5),
        (raw_entry(5, at=START).replace(b'"v":1', b'"v":true'), 5),
        (raw_entry(5, at=START).replace(b":{}", b": {}"), 5),
        (raw_entry(5, at=START, extra=1), 5),
        (raw_entry(5, at=START, act="No:Act"), 5),
        (raw_entry(5, at="now"), 5),
        (raw_entry(5, at=START, facts=[]), 5),
        (raw_entry(5, at=START).replace(b'"facts":{}', b'"facts":{"n":9007199254740993}'), 5),
        (raw_entry(5, at=START).replace(b'"facts":{}', b'"facts":{"n":1e3}'), 5),
        (raw_entry(5, at=START).replace(b'"facts":{}', b'"facts":{"n":NaN}'), 5),
        (raw_entry(5, at=START).replace(b'"facts":{}', b'"facts":{"n":"\\u0041"}'), 5),
        (
            raw_entry(5, at=START).replace(b'"facts":{}', b'"facts":' + b'{"a":' * 20_000 + b"{}" + b"}" * 20_000)[
                :65535
            ],
            5,
        ),
        (raw_entry(4, at=START), 5),
    ],
)
def test_S6_a_signed_entry_in_a_wrong_form_is_named(tmp_path: Path, keys: LogKeys, spoiled: bytes, index: int) -> None:
    """Somebody with the log key signed nonsense: the hashes are right, the entry isn't."""
    bodies = honest(20)
    bodies[index] = spoiled
    write(tmp_path, bodies, keys)
    report = verify(tmp_path, keys)
    assert (report.code, report.first_bad) == (verifier.ENTRY, index)


def act(number: int, what: str, at: int, **facts: object) -> bytes:
    return encode(Entry(entry_id(number), Instant(at), what, facts))


def test_S6_backdated_and_postdated_entries_are_named(tmp_path: Path, keys: LogKeys) -> None:
    bodies = honest(400)
    bodies[250] = act(250, "use:person:authorised", START - HOUR)
    write(tmp_path / "back", bodies, keys)
    report = verify(tmp_path / "back", keys)
    assert (report.code, report.first_bad) == (verifier.TIME, 250)

    bodies = honest(400)
    bodies[250] = act(250, "use:person:authorised", START + HOUR)
    write(tmp_path / "post", bodies, keys)
    report = verify(tmp_path / "post", keys)
    assert (report.code, report.first_bad) == (verifier.TIME, 250)

    doubted = [*honest(400), act(400, "clock:doubt", START + 40 * SECOND, entry=entry_id(401), says=START - HOUR)]
    doubted.append(act(401, "use:person:authorised", START - HOUR))
    write(tmp_path / "announced", doubted, keys)
    report = verify(tmp_path / "announced", keys)
    assert (report.code, len(report.notices)) == (verifier.INTACT, 1)


def test_design_a_clock_step_back_must_be_an_entry(tmp_path: Path, keys: LogKeys) -> None:
    first = [act(0, "use:person:authorised", START), act(1, "clock:mark", START)]
    write(tmp_path / "silent", [*first, act(2, "clock:mark", START - 5 * MINUTE)], keys)
    report = verify(tmp_path / "silent", keys)
    assert (report.code, report.first_bad) == (verifier.TIME, 2)

    told = act(2, "clock:regress", START - 5 * MINUTE, seen=START)
    write(tmp_path / "told", [*first, told, act(3, "clock:mark", START - 5 * MINUTE)], keys)
    assert verify(tmp_path / "told", keys).code == verifier.INTACT

    lied = act(2, "clock:regress", START - 5 * MINUTE, seen=START - MINUTE)
    write(tmp_path / "lied", [*first, lied, act(3, "clock:mark", START - 5 * MINUTE)], keys)
    assert verify(tmp_path / "lied", keys).code == verifier.TIME


def test_A1_a_receipt_convicts_a_log_that_left_its_entry_out(tmp_path: Path, keys: LogKeys) -> None:
    bodies = honest(300)
    leaves = [*(leaf_hash(body) for body in bodies[40:43]), bytes(range(32))]
    due = Instant(START + 20 * SECOND)
    receipts = issue([""] * 4, leaves, due=due, origin=ORIGIN, signer=keys.receipts)
    tokens = [receipt.token for receipt in receipts]

    write(tmp_path, bodies, keys)
    assert verify(tmp_path, keys, receipts=tokens[:3]).code == verifier.INTACT
    assert verify(tmp_path, keys, receipts=tokens).code == verifier.RECEIPT

    write(tmp_path / "early", bodies[:100], keys)
    assert verify(tmp_path / "early", keys, receipts=tokens[3:]).code == verifier.CANNOT_TELL
    other = Signer(keys.receipts.name, fixed_key(9))
    forged = issue([""], leaves[3:], due=due, origin=ORIGIN, signer=other)[0].token
    assert verify(tmp_path, keys, receipts=[forged]).code == verifier.RECEIPT
    assert verify(tmp_path, keys, receipts=["omr1.AAAA"]).code == verifier.RECEIPT


def test_A1_a_proof_file_verifies_alone_and_no_altered_one_does(tmp_path: Path, keys: LogKeys) -> None:
    bodies = honest(700)
    folder = write(tmp_path, bodies, keys)
    view = TreeView(TileCache(folder), 700)
    for index in (0, 255, 256, 511, 512, 698, 699):
        proof = TlogProof(bodies[index], index, tuple(view.inclusion(index)), folder.read_checkpoint() or b"")
        raw = bytes(proof)
        assert TlogProof.parse(raw) == proof
        assert verifier.verify_proof(raw, pinned(keys)).code == verifier.INTACT
        proof.check(keys.pinned[:2], ORIGIN)
    chance = random.Random(1)
    for _ in range(300):
        spoiled = bytearray(raw)
        place = chance.randrange(len(raw) * 8)
        spoiled[place // 8] ^= 1 << place % 8
        assert verifier.verify_proof(bytes(spoiled), pinned(keys)).code != verifier.INTACT


def test_A1_what_the_verifier_is_told_to_look_at_is_looked_at_or_refused(tmp_path: Path, keys: LogKeys) -> None:
    """Beside a proof or a checkpoint alone: a receipt, another checkpoint, an age, an opening of something else."""
    bodies = honest(300)
    folder = write(tmp_path / "log", bodies, keys, now=Instant(START - 1_000 * HOUR))
    write(tmp_path / "other", [*bodies[:-1], act(299, "use:person:refused", START + 30 * SECOND)], keys)
    proof = TlogProof(
        bodies[7], 7, tuple(TreeView(TileCache(folder), 300).inclusion(7)), folder.read_checkpoint() or b""
    )
    (tmp_path / "proof").write_bytes(bytes(proof))
    foreign = [{"entry": entry_id(8), "field": "person", "value": "per_x", "salt": "00" * 32}]
    (tmp_path / "openings").write_text(json.dumps(foreign))
    pins = [word for key in keys.pinned for word in ("--key", key.vkey)]

    def code(file: str, *options: str) -> int:
        return verifier.main([str(tmp_path / file), *pins, *options])

    alone, forked = "log/checkpoint", ("--seen", str(tmp_path / "other" / "checkpoint"))
    for file in ("proof", alone):
        assert code(file) == verifier.INTACT
        assert code(file, "--seen", str(tmp_path / alone)) == verifier.INTACT
        assert code(file, *forked) == verifier.FORK
        assert code(file, "--max-age", "1") == verifier.STALE
        assert code(file, "--receipt", "omr1.nonsense") == verifier.USAGE
    assert code("proof", "--opening", str(tmp_path / "openings")) == verifier.CANNOT_TELL
    assert code(alone, "--opening", str(tmp_path / "openings")) == verifier.USAGE


@pytest.mark.parametrize(("ahead", "code"), [(45, verifier.INTACT), (90, verifier.STALE), (86_400, verifier.STALE)])
def test_A1_a_checkpoint_signed_ahead_of_time_is_not_fresh_until_then(
    tmp_path: Path, keys: LogKeys, ahead: int, code: int
) -> None:
    """Whoever holds the keys signs one of tomorrow and stops: it would look alive for a day. Clocks differ a little."""
    now = Instant(time.time_ns() // 1000 + ahead * SECOND)
    folder = write(tmp_path, honest(300, at=Instant(now - HOUR)), keys, now=now)
    assert verify(folder.path, keys).code == verifier.INTACT  # without a question for its age no clock is asked
    assert verify(folder.path, keys, max_age=30).code == code
    alone = verifier.verify_note(folder.read_checkpoint() or b"", pinned(keys), max_age=30)
    assert alone.code == code


def test_A1_a_file_of_an_unknown_name_beside_tiles_is_no_width(tmp_path: Path, keys: LogKeys) -> None:
    folder = write(tmp_path / "log", honest(300), keys)
    (partial,) = (folder.path / "tile" / "entries").rglob("*.p")
    (partial / "\N{SUPERSCRIPT TWO}").write_bytes(b"")
    assert verify(folder.path, keys).code == verifier.INTACT
    (partial / "44").rename(partial / "45")  # which says that it holds one entry more than it does
    assert verify(folder.path, keys).code == verifier.ALTERED


def test_A1_the_verifier_runs_alone(tmp_path: Path, keys: LogKeys) -> None:
    """Copied elsewhere and run without Omonat on the path: isolated mode, an empty working folder."""
    write(tmp_path / "log", honest(300), keys)
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(verifier.__file__, alone / "verifier.py")
    (alone / "keys").write_text("".join(f"{key.vkey}\n" for key in keys.pinned))
    words = [sys.executable, "-I", "verifier.py", str(tmp_path / "log"), "--keys", "keys", "--json"]
    done = subprocess.run(words, cwd=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "intact"
    assert "omonat" not in {
        line.split()[1].split(".")[0]
        for line in Path(verifier.__file__).read_text().splitlines()
        if line.startswith(("import ", "from "))
    }

    (tmp_path / "log/tile/entries/000").write_bytes(b"")
    done = subprocess.run(words[:-1], cwd=alone, capture_output=True, text=True, check=False)
    assert done.returncode == verifier.ALTERED
    assert "first bad entry: index 0" in done.stdout
    done = subprocess.run(words[:4], cwd=alone, capture_output=True, text=True, check=False)
    assert done.returncode == verifier.CANNOT_TELL


def test_A1_two_implementations_of_the_tree_agree(keys: LogKeys) -> None:
    levels = verifier.Levels()
    tree = GrowingTree()
    chance = random.Random(2)
    roots = {0: tree.root()}
    bodies: list[bytes] = []
    while tree.size < 2_000:
        more = [chance.randbytes(chance.randrange(40)) for _ in range(chance.randrange(1, 300))]
        tree.add(leaves_of(more))
        bodies += more
        roots[tree.size] = tree.root()
    hashes = leaves_of(bodies)
    for first in range(0, len(hashes), 256):
        levels.add(b"".join(hashes[first : first + 256]))
    for size, root in roots.items():
        assert levels.root(size) == root


def test_A1_an_exported_bundle_verifies_alone_while_the_log_goes_on(tmp_path: Path, keys: LogKeys) -> None:
    """The checkpoint is of 700 entries; the files have meanwhile grown to 900, and narrower ones are gone."""
    older = write(tmp_path / "older", honest(700), keys).read_checkpoint() or b""
    folder = write(tmp_path / "log", honest(700) + honest(900)[700:], keys)
    folder.write_checkpoint(older)
    folder.write_keys([key.vkey for key in keys.pinned])
    exported = export(folder, tmp_path / "bundle")
    assert exported.size == 700
    done = subprocess.run(
        [sys.executable, "-I", "verifier.py", "log", "--keys", "keys"],
        cwd=tmp_path / "bundle",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "INTACT" in done.stdout) == (0, True), done.stderr


def test_A1_the_command_line_verifies_with_the_same_code(tmp_path: Path, keys: LogKeys) -> None:
    folder = write(tmp_path / "log", honest(30), keys)
    folder.write_keys([key.vkey for key in keys.pinned])
    run = CliRunner().invoke(
        build(), ["evidence", "verify", str(tmp_path / "log"), "--keys", str(tmp_path / "log/keys")]
    )
    assert run.exit_code == verifier.INTACT, run.output
    (tmp_path / "log/tile/0/000.p/30").write_bytes(bytes(960))
    run = CliRunner().invoke(build(), ["evidence", "verify", str(tmp_path / "log"), "--key", keys.log.verifier.vkey])
    assert run.exit_code == verifier.ALTERED
