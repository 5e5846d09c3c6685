"""The vectors another implementation can use, run through both of ours; and mutations, none of them accepted (bar b2).

Both implementations share no code: `omonat.evidence.verifier`, which runs alone, and the house's own readers.
"""

import json
import random
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.base.errors import BadInput, Fault
from omonat.evidence import verifier
from omonat.evidence.entry import decode
from omonat.evidence.note import Checkpoint, Note, Verifier
from omonat.evidence.proofs import TlogProof
from omonat.evidence.receipts import Token
from omonat.evidence.tiles import TileName
from scripts import vectors

FOLDER = Path(__file__).parent / "vectors"


def load(kind: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each vector with its file's head."""
    whole = json.loads((FOLDER / f"{kind}.json").read_text("utf-8"))
    return [(one, whole) for one in whole["vectors"]]


def every(kind: str) -> Any:
    found = load(kind)
    return pytest.mark.parametrize(("one", "whole"), found, ids=[one["name"] for one, _ in found])


def pinned(whole: dict[str, Any], one: dict[str, Any]) -> verifier.Pinned:
    return verifier.Pinned.of(whole["keys"], witnesses=one.get("witnesses", ()), quorum=one.get("quorum"))


def outcome(read: Callable[[], object]) -> str:
    """`ok` or the name of what the verifier found wrong."""
    try:
        found = read()
    except verifier.Wrong as wrong:
        return {verifier.USAGE: "usage"}.get(wrong.kind) or verifier.NAMES[wrong.kind]
    if isinstance(found, verifier.Report):
        return "ok" if found.code == verifier.INTACT else found.verdict
    return "ok"


def taken(read: Callable[[], object]) -> bool:
    """Whether the house's own readers take it."""
    try:
        read()
    except (BadInput, Fault):
        return False
    return True


def test_A1_the_vectors_are_what_the_script_writes_many_and_mostly_negative() -> None:
    for name, text in vectors.written().items():
        assert (FOLDER / name).read_text("utf-8") == text, "run: python -m scripts.vectors"
    expected = [one["expect"] for kind in vectors.KINDS for one, _ in load(kind)]
    assert len(expected) >= 300
    assert sum(what != "ok" for what in expected) >= 0.6 * len(expected)
    names = [(kind, one["name"]) for kind in vectors.KINDS for one, _ in load(kind)]
    assert len(set(names)) == len(names)


@every("entries")
def test_S6_entries(one: dict[str, Any], whole: dict[str, Any]) -> None:
    raw = b64decode(one["entry"])
    assert outcome(lambda: verifier.open_entry(raw)) == one["expect"]
    assert taken(lambda: decode(raw)) == (one["expect"] == "ok")


@every("checkpoints")
def test_S6_checkpoints(one: dict[str, Any], whole: dict[str, Any]) -> None:
    raw = b64decode(one["note"])
    pins = pinned(whole, one)

    def ours() -> None:
        note = Note.parse(raw)
        assert Checkpoint.parse(note.text)
        keys = [Verifier.parse(vkey) for vkey in whole["keys"][:2]]
        others = [Verifier.parse(vkey) for vkey in one.get("witnesses", ())]
        signed = note.check([*keys, *others])
        if Checkpoint.parse(note.text).origin != whole["origin"] or not set(keys) <= set(signed):
            raise BadInput("evidence-signature-invalid", key="")
        if len(set(signed) & set(others)) < pins.quorum:
            raise BadInput("evidence-signature-invalid", key="")

    def alone() -> verifier.Report:
        report = verifier.Report()
        checkpoint = verifier.open_checkpoint(raw, pins)
        verifier._check_witnesses(checkpoint, pins, report)
        return report.conclude()

    assert outcome(alone) == one["expect"]
    assert taken(ours) == (one["expect"] == "ok")


@every("proofs")
def test_S6_proofs(one: dict[str, Any], whole: dict[str, Any]) -> None:
    raw = b64decode(one["proof"])
    assert outcome(lambda: verifier.verify_proof(raw, pinned(whole, one))) == one["expect"]
    keys = [Verifier.parse(vkey) for vkey in whole["keys"][:2]]
    assert taken(lambda: TlogProof.parse(raw).check(keys, whole["origin"])) == (one["expect"] == "ok")


@every("receipts")
def test_S6_receipts(one: dict[str, Any], whole: dict[str, Any]) -> None:
    key = Verifier.parse(whole["keys"][2])
    assert outcome(lambda: verifier.open_receipt(one["token"], pinned(whole, one))) == one["expect"]
    assert taken(lambda: Token.parse(one["token"]).check(key, whole["origin"])) == (one["expect"] == "ok")


@every("openings")
def test_S6_openings(one: dict[str, Any], whole: dict[str, Any]) -> None:
    def alone() -> verifier.Report:
        found = verifier.read_openings(json.dumps(one["openings"]))
        return verifier.verify_proof(b64decode(one["proof"]), pinned(whole, one), openings=found)

    assert outcome(alone) == one["expect"]


@every("names")
def test_S6_names(one: dict[str, Any], whole: dict[str, Any]) -> None:
    if "path" in one:
        assert taken(lambda: TileName.parse(one["path"])) == (one["expect"] == "ok")
        return
    assert outcome(lambda: verifier.Key.parse(one["vkey"])) in (one["expect"], "signature")
    assert (outcome(lambda: verifier.Key.parse(one["vkey"])) == "ok") == (one["expect"] == "ok")
    assert taken(lambda: Verifier.parse(one["vkey"])) == (one["expect"] == "ok")


@every("logs")
def test_S6_logs(one: dict[str, Any], whole: dict[str, Any], tmp_path: Path) -> None:
    lay_out(one["files"], tmp_path)
    report = verifier.verify_log(tmp_path, pinned(whole, one))
    assert (outcome(lambda: report), report.first_bad) == (one["expect"], one["first_bad"]), report.findings


def lay_out(files: dict[str, str], folder: Path) -> None:
    for path, raw in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b64decode(raw))


# ---- mutations ---------------------------------------------------------------------------------------------------


def spoil(raw: bytes, chance: random.Random) -> bytes:
    """One of the ways bytes go wrong, or are made to."""
    where, end = chance.randrange(len(raw)), chance.randrange(len(raw) + 1)
    start, end = min(where, end), max(where, end)
    part = raw[start : min(end, start + 80)]
    match chance.randrange(8):
        case 0:
            return raw[:where] + bytes([raw[where] ^ 1 << chance.randrange(8)]) + raw[where + 1 :]
        case 1:
            return raw[:where] + chance.choice((b"\n", b" ", b"=", b"0", b"+", b"\0", b"\r")) + raw[where:]
        case 2:
            return raw[:where] + raw[where + 1 :]
        case 3:
            return raw[:start] + raw[start + len(part) :]
        case 4:
            return raw[:start] + part + raw[start:]
        case 5:
            return raw[:where]
        case 6:
            lines = raw.split(b"\n")
            one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[one], lines[other] = lines[other], lines[one]
            return b"\n".join(lines)
        case _:
            lines = raw.split(b"\n")
            lines.insert(chance.randrange(len(lines)), chance.choice(lines))
            return b"\n".join(lines)


def good(kind: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(one, whole) for one, whole in load(kind) if one["expect"] == "ok"]


NOTES, PROOFS, RECEIPTS, LOGS = good("checkpoints"), good("proofs"), good("receipts"), good("logs")


@given(st.integers(0, 2**32))
def test_S6_no_mutated_checkpoint_says_anything_else(seed: int) -> None:
    """Taken only when it is the same text under the same true signatures: lines nobody pinned may come and go."""
    chance = random.Random(seed)
    for _ in range(20):
        one, whole = chance.choice(NOTES)
        raw = b64decode(one["note"])
        spoiled = spoil(raw, chance)
        pins = pinned(whole, one)
        alone = outcome(lambda: verifier.open_checkpoint(spoiled, pins)) == "ok"  # noqa: B023
        if alone:
            assert spoiled.rpartition(b"\n\n")[0] == raw.rpartition(b"\n\n")[0]
        keys = [Verifier.parse(vkey) for vkey in (*whole["keys"][:2], *one.get("witnesses", ()))]

        def ours() -> None:
            note = Note.parse(spoiled)  # noqa: B023
            if Checkpoint.parse(note.text).origin != whole["origin"]:  # noqa: B023
                raise BadInput("evidence-signature-invalid", key="")
            if not set(keys[:2]) <= set(note.check(keys)):  # noqa: B023
                raise BadInput("evidence-signature-invalid", key="")

        assert taken(ours) == alone, spoiled


@given(st.integers(0, 2**32))
def test_S6_no_mutated_proof_or_receipt_is_accepted(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(10):
        one, whole = chance.choice(PROOFS)
        raw = b64decode(one["proof"])
        spoiled = spoil(raw, chance)
        alone = outcome(lambda: verifier.verify_proof(spoiled, pinned(whole, one))) == "ok"  # noqa: B023
        if alone:  # the very same claim, at most with lines of strangers under it
            assert spoiled.rpartition(b"\n\n")[0] == raw.rpartition(b"\n\n")[0]
        keys = [Verifier.parse(vkey) for vkey in whole["keys"][:2]]

        def ours() -> None:
            note = Note.parse(TlogProof.parse(spoiled).signed)  # noqa: B023
            if not set(keys) <= set(note.check(keys)):  # noqa: B023
                raise BadInput("evidence-signature-invalid", key="")
            TlogProof.parse(spoiled).check(keys, whole["origin"])  # noqa: B023

        assert taken(ours) == alone, spoiled
        token, head = chance.choice(RECEIPTS)
        text = spoil(token["token"].encode(), chance).decode("latin-1")
        accepted = outcome(lambda: verifier.open_receipt(text, pinned(head, token))) == "ok"  # noqa: B023
        assert accepted == (text == token["token"])
        key = Verifier.parse(head["keys"][2])
        assert taken(lambda: Token.parse(text).check(key, head["origin"])) == accepted  # noqa: B023


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutated")


@given(seed=st.integers(0, 2**32))
def test_S6_no_mutated_log_is_intact(ground: Path, seed: int) -> None:
    chance = random.Random(seed)
    one, whole = chance.choice(
        [log for log in LOGS if len(log[0]["files"]["checkpoint"]) > 0 and len(log[0]["files"]) < 6]
    )
    folder = ground / str(seed)
    lay_out(one["files"], folder)
    path = chance.choice(sorted(one["files"]))
    raw = (folder / path).read_bytes()
    spoiled = spoil(raw, chance)
    (folder / path).write_bytes(spoiled)
    report = verifier.verify_log(folder, pinned(whole, one))
    if report.code == verifier.INTACT and path == "checkpoint":
        assert spoiled.rpartition(b"\n\n")[0] == raw.rpartition(b"\n\n")[0]
    elif report.code == verifier.INTACT:  # what lies behind the signed part is of a log that has grown since
        assert spoiled.startswith(signed_part(path, raw, b64decode(one["files"]["checkpoint"]))), path


def signed_part(path: str, raw: bytes, checkpoint: bytes) -> bytes:
    """What of a file the checkpoint vouches for, in a log of one bundle."""
    size = int(checkpoint.split(b"\n")[1])
    if not path.startswith("tile/entries/"):
        return raw[: 32 * size]
    end = 0
    for _ in range(size):
        end += 2 + int.from_bytes(raw[end : end + 2])
    return raw[:end]
