"""Write tests/evidence/vectors/*.json: what another implementation of our log must accept and refuse.

    python -m scripts.vectors


The expectations stand here by construction, never by asking an implementation. Bytes are base64. `expect` is `ok` or
the verifier's name for what is wrong; a log also names its `first_bad` index where there is one.
"""

import json
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from omonat.base.canonical import canonical
from omonat.base.instants import HOUR, MINUTE, SECOND, Instant, from_rfc3339
from omonat.evidence.keys import LogKeys
from omonat.evidence.note import COSIGNATURE, Checkpoint, Note, Signer
from omonat.evidence.receipts import issue
from omonat.evidence.tiles import ENTRIES, WIDTH, GrowingTree, TileName, bundle, leaves_of
from omonat.evidence.tree import prove_inclusion, root_of
from omonat.vault.commitments import commit

FOLDER = Path(__file__).parents[1] / "tests" / "evidence" / "vectors"
ORIGIN = "log.example/evidence"
START = from_rfc3339("2026-12-01T09:00:00+05:00")

Vector = dict[str, Any]


def _key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


KEYS = LogKeys.of(ORIGIN, log=_key(1), clock=_key(2), receipts=_key(3))
WITNESSES = tuple(Signer(f"witness.example/w{n}", _key(10 + n), COSIGNATURE) for n in range(3))


def b64(raw: bytes | str) -> str:
    """Bytes as they stand in a vector."""
    return b64encode(raw.encode() if isinstance(raw, str) else raw).decode()


def entry_id(number: int) -> str:
    """A proper id made from a number."""
    letters, tail = "abcdefghijklmnopqrstuvwxyz234567", ""
    for _ in range(25):
        tail, number = letters[number % 32] + tail, number // 32
    return f"ev_{tail}a"


def entry(number: int, **members: object) -> bytes:
    """A proper entry, with some members replaced."""
    at = START + number * SECOND // 10
    return canonical(
        {"act": "use:person:authorised", "at": at, "facts": {"n": number}, "id": entry_id(number), "v": 1, **members}
    )


# ---- entries -----------------------------------------------------------------------------------------------------


def entries() -> Iterator[Vector]:
    """One entry's bytes."""
    good = entry(1).decode()
    fine = {
        "plain": entry(1),
        "no facts": entry(1, facts={}),
        "two parts": entry(1, act="clock:mark"),
        "negative time": entry(1, at=-1),
        "largest integer": entry(1, facts={"n": 2**53 - 1, "m": -(2**53) + 1}),
        "letters of every length": entry(1, facts={"t": "oʻ ж 漢 😀"}),
        "escapes": entry(1, facts={"t": '\x00\x1f"\\\b\t\n\f\r/\x7f\u2028'}),
        "nested": entry(1, facts={"a": [1, [True, None, {"b": []}]]}),
        "keys in order": entry(1, facts={"B": 1, "a": 1, "aa": 1, "b": 1}),
        "v as a fact": entry(1, facts={"v": 2}),
    }
    wrong: dict[str, bytes | str] = {
        "empty": "",
        "null": "null",
        "a list": "[]",
        "cut": good[:-1],
        "a newline behind": good + "\n",
        "a space": good.replace(",", ", ", 1),
        "BOM": "\ufeff" + good,
        "two documents": good + good,
        "keys out of order": '{"at":1,"act":"a:b","facts":{},"id":"' + entry_id(1) + '","v":1}',
        "a key twice": good.replace('"v":1', '"v":1,"v":1'),
        "a fact twice": good.replace('{"n":1}', '{"n":1,"n":1}'),
        "a member more": good.replace('"v":1', '"v":1,"w":1'),
        "a member less": good.replace(',"v":1', ""),
        "version 2": entry(1, v=2),
        "version true": entry(1, v=True),
        "version as text": entry(1, v="1"),
        "version 1.0": good.replace('"v":1', '"v":1.0'),
        "time as text": entry(1, at="1"),
        "time true": entry(1, at=True),
        "time 1e3": good.replace(f'"at":{START + SECOND // 10}', '"at":1e3'),
        "time -0": good.replace(f'"at":{START + SECOND // 10}', '"at":-0'),
        "time beyond": good.replace(f'"at":{START + SECOND // 10}', f'"at":{2**53}'),
        "time with a zero before": good.replace('"at":1', '"at":01'),
        "a float": good.replace('{"n":1}', '{"n":1.5}'),
        "an integer as a float": good.replace('{"n":1}', '{"n":1.0}'),
        "an exponent": good.replace('{"n":1}', '{"n":1e0}'),
        "an integer too large": good.replace('{"n":1}', '{"n":9007199254740992}'),
        "an integer too small": good.replace('{"n":1}', '{"n":-9007199254740992}'),
        "NaN": good.replace('{"n":1}', '{"n":NaN}'),
        "infinity": good.replace('{"n":1}', '{"n":Infinity}'),
        "a key that isn't ASCII": good.replace('{"n":1}', '{"ж":1}'),
        "facts as a list": entry(1, facts=[]),
        "facts null": entry(1, facts=None),
        "an escape that isn't needed": good.replace('{"n":1}', '{"n":"\\u0061"}'),
        "an escaped slash": good.replace('{"n":1}', '{"n":"\\/"}'),
        "an escape in capitals": good.replace('{"n":1}', '{"n":"\\u001F"}'),
        "a lone surrogate": good.replace('{"n":1}', '{"n":"\\ud800"}'),
        "not UTF-8": good.encode().replace(b'{"n":1}', b'{"n":"\xff"}'),
        "overlong UTF-8": good.encode().replace(b'{"n":1}', b'{"n":"\xc0\x80"}'),
        "a raw control character": good.replace('{"n":1}', '{"n":"\x01"}'),
        "another prefix": entry(1, id=entry_id(1).replace("ev_", "rec_")),
        "an id too short": entry(1, id=entry_id(1)[:-1]),
        "an id too long": entry(1, id=entry_id(1) + "a"),
        "an id in capitals": entry(1, id=entry_id(1).replace("a", "A")),
        "an id's last letter": entry(1, id=entry_id(1)[:-1] + "b"),
        "an id with a newline": entry(1, id=entry_id(1) + "\n"),
        "an act of one part": entry(1, act="use"),
        "an act of four parts": entry(1, act="a:b:c:d"),
        "an act in capitals": entry(1, act="Use:person"),
        "an act with a newline": entry(1, act="use:person\n"),
        "an act with an empty part": entry(1, act="use::x"),
        "an act with a digit first": entry(1, act="use:1x"),
        "a comma too many": good[:-1] + ",}",
    }
    for name, raw in fine.items():
        yield {"name": name, "entry": b64(raw), "expect": "ok"}
    for name, spoiled in wrong.items():
        yield {"name": name, "entry": b64(spoiled), "expect": "entry"}


# ---- checkpoints -------------------------------------------------------------------------------------------------

TEXT = str(Checkpoint(ORIGIN, 12, root_of(leaves_of([entry(n) for n in range(12)]))))


def note(text: str = TEXT, *signers: Signer, now: Instant = START) -> str:
    """A signed note; by log and clock unless others are named."""
    return str(Note.sign(text, signers or (KEYS.log, KEYS.clock), now=now))


def later(line: str) -> str:
    """A cosignature whose time was moved by a second."""
    dash, name, signed = line.split()
    raw = bytearray(b64decode(signed))
    raw[11] += 1
    return f"{dash} {name} {b64(bytes(raw))}\n"


def checkpoints() -> Iterator[Vector]:
    """One checkpoint under pinned keys and witnesses."""
    good, own = note(), (KEYS.log, KEYS.clock)
    log_line, clock_line = good[len(TEXT) + 1 :].splitlines(keepends=True)
    root = TEXT.splitlines()[2]
    stranger = Signer("stranger.example", _key(77))
    raw = urlsafe_b64decode(log_line.split()[2].replace("+", "-").replace("/", "_"))
    fine = {
        "two signatures": good,
        "in the other order": f"{TEXT}\n{clock_line}{log_line}",
        "an unknown signer beside": note(TEXT, *own, stranger),
        "an unknown key of the same name": note(TEXT, Signer(ORIGIN, _key(78)), *own),
        "a witness nobody asked for": note(TEXT, *own, WITNESSES[2]),
        "an empty log": note(str(Checkpoint(ORIGIN, 0, root_of([])))),
        "a large log": note(str(Checkpoint(ORIGIN, 2**63 - 1, bytes(32)))),
    }
    wrong = {
        "nothing": "",
        "text alone": TEXT,
        "no signatures": f"{TEXT}\n",
        "no empty line": TEXT + log_line + clock_line,
        "two empty lines": good.replace("\n\n", "\n\n\n"),
        "without the last newline": good[:-1],
        "a newline too many": good + "\n",
        "a carriage return": good.replace("\n", "\r\n", 1),
        "the log's signature missing": f"{TEXT}\n{clock_line}",
        "the clock's missing": f"{TEXT}\n{log_line}",
        "the log's twice": f"{TEXT}\n{log_line}{log_line}{clock_line}",
        "signed by another key under the name": note(TEXT, Signer(ORIGIN, _key(78)), KEYS.clock),
        "another origin": note(TEXT.replace(ORIGIN, "other.example/log")),
        "an origin with a space": note(TEXT.replace(ORIGIN, ORIGIN + " ")),
        "another size under the signature": good.replace("\n12\n", "\n13\n"),
        "another root under the signature": good.replace(root, b64(bytes(32))),
        "another time under the signature": f"{TEXT}\n{log_line}{later(clock_line)}",
        "a size with a zero before": note(TEXT.replace("\n12\n", "\n012\n")),
        "a size with a sign": note(TEXT.replace("\n12\n", "\n+12\n")),
        "a negative size": note(TEXT.replace("\n12\n", "\n-12\n")),
        "a size that isn't ASCII": note(TEXT.replace("\n12\n", "\n١٢\n")),
        "a size beyond": note(TEXT.replace("\n12\n", f"\n{2**63}\n")),
        "a size in hex": note(TEXT.replace("\n12\n", "\n0xc\n")),
        "a root too short": note(TEXT.replace(root, b64(bytes(31)))),
        "a root too long": note(TEXT.replace(root, b64(bytes(33)))),
        "a root without padding": note(TEXT.replace(root, root.rstrip("="))),
        "a root spelled otherwise": note(TEXT.replace(root, root[:-2] + chr(ord(root[-2]) + 1) + "=")),
        "a root in base64url": note(TEXT.replace(root, urlsafe_b64encode(b"\xff" * 32).decode())),
        "an extension line": note(TEXT + "more\n"),
        "a line too few": note("\n".join(TEXT.splitlines()[:2]) + "\n"),
        "a hyphen for the dash": good.replace("—", "-", 1),
        "two spaces": good.replace("— ", "—  ", 1),
        "a space behind": good.replace(log_line, log_line[:-1] + " \n"),
        "a signature in hex": good.replace(log_line.split()[2], raw.hex()),
        "a signature without padding": good.replace(log_line, log_line.rstrip("=\n") + "\n"),
        "a signature too short": good.replace(log_line.split()[2], b64(raw[:-1])),
        "a signature too long": good.replace(log_line.split()[2], b64(raw + b"\0")),
        "an empty signature": good.replace(log_line.split()[2], b64(raw[:4])),
        "a zero signature": good.replace(log_line.split()[2], b64(raw[:4] + bytes(64))),
        "a tab in the text": note(TEXT.replace(ORIGIN, ORIGIN + "\t")),
        "signed over another text": f"{TEXT}\n" + note(TEXT.replace("12", "13"))[len(TEXT) + 1 :],
        "the log key used as a cosigner": note(TEXT, Signer(ORIGIN, _key(1), COSIGNATURE), KEYS.clock),
        "the clock key used as a signer": note(TEXT, KEYS.log, Signer(f"{ORIGIN}/clock", _key(2))),
        "65 signatures": note(TEXT, *own, *(Signer(f"s{n}.example", _key(100 + n)) for n in range(63))),
    }  # fmt: skip
    for name, text in fine.items():
        yield {"name": name, "note": b64(text), "expect": "ok"}
    for name, text in wrong.items():
        yield {"name": name, "note": b64(text), "expect": "signature"}
    yield {"name": "not UTF-8", "note": b64(good.encode().replace(b"log", b"l\xffg")), "expect": "signature"}
    yield from _witnessed(good)


def _witnessed(good: str) -> Iterator[Vector]:
    pinned = [one.verifier.vkey for one in WITNESSES]
    own = (KEYS.log, KEYS.clock)
    line = note(TEXT, WITNESSES[0])[len(TEXT) + 1 :]
    false = line.replace(line.split()[2][40:50], "A" * 10)
    moved = note(TEXT.replace("12", "13"), WITNESSES[0])[len(TEXT) + 1 :]
    cases: list[tuple[str, str, int | None, str]] = [
        ("all three", note(TEXT, *own, *WITNESSES), None, "ok"),
        ("two of three are enough", note(TEXT, *own, *WITNESSES[:2]), 2, "ok"),
        ("one of three is enough", note(TEXT, *own, WITNESSES[2]), 1, "ok"),
        ("none", good, None, "unwitnessed"),
        ("none of a quorum of one", good, 1, "unwitnessed"),
        ("two, three are needed", note(TEXT, *own, *WITNESSES[:2]), None, "unwitnessed"),
        ("one, two are needed", note(TEXT, *own, WITNESSES[1]), 2, "unwitnessed"),
        ("a stranger's doesn't count", note(TEXT, *own, Signer("w.example", _key(50), COSIGNATURE)), 1, "unwitnessed"),
        ("its name under another key", note(TEXT, *own, Signer(WITNESSES[0].name, _key(50), COSIGNATURE)), 1,
         "unwitnessed"),
        ("its key under another name", note(TEXT, *own, Signer("w.example", WITNESSES[0].key, COSIGNATURE)), 1,
         "unwitnessed"),
        ("its key as a plain signer", note(TEXT, *own, Signer(WITNESSES[0].name, WITNESSES[0].key)), 1, "unwitnessed"),
        ("the same twice", good + line + line, 2, "signature"),
        ("a false line", good + false, 1, "signature"),
        ("a false line beside enough true ones", good + false + note(TEXT, *WITNESSES[1:])[len(TEXT) + 1 :], 2,
         "signature"),
        ("a line from another checkpoint", good + moved, 1, "signature"),
    ]  # fmt: skip
    for name, text, quorum, expect in cases:
        yield {"name": f"witnesses: {name}", "note": b64(text), "witnesses": pinned, "quorum": quorum, "expect": expect}


# ---- proofs ------------------------------------------------------------------------------------------------------


def node_of(hashes: Sequence[bytes]) -> Callable[[int, int], bytes]:
    """Complete subtrees over leaf hashes."""
    return lambda level, index: root_of(hashes[index << level : (index + 1) << level])


def tree_proof(size: int, index: int, bodies: Sequence[bytes] = ()) -> tuple[list[str], str]:
    """The lines of a tlog-proof and the checkpoint under them."""
    bodies = bodies or [entry(n) for n in range(size)]
    hashes = leaves_of(bodies)
    path = prove_inclusion(index, size, node_of(hashes))
    signed = note(str(Checkpoint(ORIGIN, size, root_of(hashes))))
    lines = ["c2sp.org/tlog-proof@v1", f"extra {b64(bodies[index])}", f"index {index}", *map(b64, path)]
    return lines, signed


def printed(lines: Sequence[str], signed: str) -> str:
    """A tlog-proof's text."""
    return "\n".join(lines) + f"\n\n{signed}"


def proofs() -> Iterator[Vector]:
    """One entry's proof under pinned keys."""
    for size, index in [(1, 0), (2, 0), (2, 1), (3, 2), (7, 4), (8, 7), (255, 254), (256, 255), (257, 256), (300, 17)]:
        lines, signed = tree_proof(size, index)
        yield {"name": f"entry {index} of {size}", "proof": b64(printed(lines, signed)), "expect": "ok"}
        for name, spoiled in _wrong_paths(lines, index, size):
            yield {"name": f"entry {index} of {size}: {name}", "proof": b64(printed(spoiled, signed)),
                   "expect": "altered"}  # fmt: skip
    lines, signed = tree_proof(7, 4)
    head, extra, index, *path = lines
    spelled = {
        "another version": (["c2sp.org/tlog-proof@v2", extra, index, *path], "altered"),
        "no extra": ([head, index, *path], "altered"),
        "index before extra": ([head, index, extra, *path], "altered"),
        "two extras": ([head, extra, extra, index, *path], "altered"),
        "an index with a zero before": ([head, extra, "index 04", *path], "signature"),
        "an index with a sign": ([head, extra, "index +4", *path], "signature"),
        "a negative index": ([head, extra, "index -4", *path], "signature"),
        "an index beyond": ([head, extra, f"index {2**63}", *path], "signature"),
        "two spaces before the index": ([head, extra, "index  4", *path], "signature"),
        "a space behind a hash": ([head, extra, index, path[0] + " ", *path[1:]], "signature"),
        "a hash without padding": ([head, extra, index, path[0].rstrip("="), *path[1:]], "signature"),
        "extra spelled otherwise": ([head, extra.rstrip("=") + "=" * 3, index, *path], "signature"),
        "a root leaf for an entry": ([head, f"extra {b64(bytes(64))}", index, *path], "altered"),
    }
    for name, (spoiled, expect) in spelled.items():
        yield {"name": name, "proof": b64(printed(spoiled, signed)), "expect": expect}
    yield {"name": "no checkpoint", "proof": b64("\n".join(lines) + "\n"), "expect": "altered"}
    yield {"name": "an unsigned checkpoint", "proof": b64(printed(lines, signed.split("\n\n")[0] + "\n\n")),
           "expect": "signature"}  # fmt: skip
    bodies = [b"not an entry", *(entry(n) for n in range(1, 4))]
    yield {"name": "a leaf that is no entry", "proof": b64(printed(*tree_proof(4, 0, bodies))), "expect": "entry"}
    inner = b"\x01" + b"".join(leaves_of([entry(0), entry(1)]))
    lines, signed = tree_proof(4, 0)
    forged = [lines[0], f"extra {b64(inner[1:])}", "index 0", lines[4]]
    yield {"name": "a node passed off as a leaf", "proof": b64(printed(forged, signed)), "expect": "altered"}


def _wrong_paths(lines: list[str], index: int, size: int) -> Iterator[tuple[str, list[str]]]:
    head, path = lines[:3], lines[3:]
    yield "another entry", [head[0], f"extra {b64(entry(9_999))}", head[2], *path]
    yield "one hash too many", [*head, *path, b64(bytes(32))]
    yield "the index of nobody", [*head[:2], f"index {size}", *path]
    if path:
        yield "one hash too few", [*head, *path[:-1]]
        yield "a zero hash", [*head, b64(bytes(32)), *path[1:]]
        yield "a short hash", [*head, b64(bytes(31)), *path[1:]]
        yield "the neighbour's index", [*head[:2], f"index {index ^ 1}", *path]
    if len(path) > 1 and path[0] != path[-1]:
        yield "the path upside down", [*head, *path[::-1]]


# ---- receipts ----------------------------------------------------------------------------------------------------


def receipts() -> Iterator[Vector]:
    """One token under the pinned receipt key."""
    for count in (1, 2, 3, 5, 8):
        bodies = [entry(n) for n in range(count)]
        tokens = issue([""] * count, leaves_of(bodies), due=Instant(START + 10 * SECOND), origin=ORIGIN,
                       signer=KEYS.receipts)  # fmt: skip
        for place in sorted({0, count - 1}):
            yield {"name": f"{place} of {count}", "token": tokens[place].token, "expect": "ok"}
    token = tokens[6].token
    raw = bytearray(urlsafe_b64decode(token[5:] + "=" * (-len(token[5:]) % 4)))

    def spoiled(at: int, by: int = 1) -> str:
        changed = bytearray(raw)
        changed[at] ^= by
        return spelled(bytes(changed))

    other = issue([""], leaves_of([entry(1)]), due=START, origin=ORIGIN, signer=KEYS.log)[0].token
    elsewhere = issue([""], leaves_of([entry(1)]), due=START, origin="other.example/log", signer=KEYS.receipts)[0].token
    wrong = {
        "empty": "",
        "no prefix": token[5:],
        "another prefix": "omr2." + token[5:],
        "padding": token + "=",
        "a newline behind": token + "\n",
        "a space before": " " + token,
        "base64 of the other alphabet": token.replace("-", "+").replace("_", "/") + "+",
        "another due": spoiled(7),
        "another size": spoiled(11, 1),
        "another position": spoiled(15),
        "a position outside": spoiled(12, 1),
        "another leaf": spoiled(16),
        "another signature": spoiled(48),
        "another path": spoiled(112),
        "a hash less": spelled(bytes(raw[:-32])),
        "a hash more": spelled(bytes(raw) + bytes(32)),
        "half a hash": spelled(bytes(raw[:-16])),
        "cut inside the head": spelled(bytes(raw[:100])),
        "signed by the log key": other,
        "of another log": elsewhere,
    }
    for name, text in wrong.items():
        yield {"name": name, "token": text, "expect": "receipt"}


def spelled(raw: bytes) -> str:
    """A receipt's token from its bytes."""
    return "omr1." + urlsafe_b64encode(raw).decode().rstrip("=")


# ---- openings ----------------------------------------------------------------------------------------------------


def openings() -> Iterator[Vector]:
    """One opening against its entry's proof."""
    salt, name = bytes(range(32)), entry_id(0)
    told = commit(salt, name, "person", "per_7")
    bodies = [entry(0, facts={"person": told, "list": [told]}), entry(1)]
    proof = b64(printed(*tree_proof(2, 0, bodies)))
    good = {"entry": name, "field": "person", "salt": salt.hex(), "value": "per_7"}
    wrong = {
        "another value": {**good, "value": "per_8"},
        "an empty value": {**good, "value": ""},
        "another salt": {**good, "salt": bytes(32).hex()},
        "a salt too long": {**good, "salt": (salt + b"\0").hex()},
        "a salt too short": {**good, "salt": salt[:-1].hex()},
        "another field": {**good, "field": "case"},
        "a field that isn't a text": {**good, "field": "list"},
        "parts moved": {**good, "field": "perso", "value": "nper_7"},
    }
    yield {"name": "true", "proof": proof, "openings": [good], "expect": "ok"}
    both = [good, {"entry": name, "altered": True}]
    yield {"name": "true, and said to be altered", "proof": proof, "openings": both, "expect": "opening"}
    other = [{**good, "entry": entry_id(1)}]
    yield {"name": "of another entry", "proof": proof, "openings": other, "expect": "cannot tell"}
    for title, one in wrong.items():
        yield {"name": title, "proof": proof, "openings": [one], "expect": "opening"}
    for title, one in {
        "salt in capitals": {**good, "salt": salt.hex().upper()},
        "salt with spaces": {**good, "salt": salt.hex()[:2] + " " + salt.hex()[2:]},
        "value as a number": {**good, "value": 7},
        "no field": {"entry": name, "salt": salt.hex(), "value": "per_7"},
        "said to be altered": {"entry": name, "altered": True},
        "said to be altered, and opened": {**good, "altered": True},
        "said not to be altered": {"entry": name, "altered": False},
    }.items():
        yield {"name": title, "proof": proof, "openings": [one], "expect": "opening"}


# ---- names -------------------------------------------------------------------------------------------------------


def names() -> Iterator[Vector]:
    """Paths of tiles and public keys."""
    for path in ("tile/0/000", "tile/0/999", "tile/0/x001/000", "tile/1/x001/x234/067", "tile/63/000", "tile/0/000.p/1",
                 "tile/0/000.p/255", "tile/entries/000", "tile/entries/x001/234.p/17"):  # fmt: skip
        yield {"name": f"path {path}", "path": path, "expect": "ok"}
    for path in ("", "tile", "tile/0", "tile/0/", "/tile/0/000", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/1000",
                 "tile/0/x000/000", "tile/0/x000", "tile/0/001/000", "tile/00/000", "tile/64/000", "tile/-1/000",
                 "tile/+1/000", "tile/0/-01", "tile/0/000.p", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01",
                 "tile/0/000.p/1/", "tile/0/000/1", "tile/Entries/000", "tile/entry/000", "tile/0/١٢٣", "tile/0/1_0",
                 "tile/0/0x1", " tile/0/000", "tile/0/000\n", "tile/0/../000", "tile//000"):  # fmt: skip
        yield {"name": f"path {path!r}", "path": path, "expect": "usage"}
    vkey = KEYS.log.verifier.vkey
    name, number, rest = vkey.split("+", 2)
    for good in (vkey, KEYS.clock.verifier.vkey, WITNESSES[0].verifier.vkey):
        yield {"name": f"key {good[:24]}", "vkey": good, "expect": "ok"}
    for title, text in {
        "empty": "",
        "a name alone": name,
        "no id": f"{name}+{rest}",
        "another id": f"{name}+00000000+{rest}",
        "an id in capitals": f"{name}+{number.upper()}+{rest}",
        "a short id": f"{name}+{number[:-1]}+{rest}",
        "no name": f"+{number}+{rest}",
        "another name": f"x{vkey}",
        "padding that isn't needed": vkey + "=",
        "an unknown type": f"{name}+{number}+{b64(bytes([2]) + bytes(32))}",
        "a key too short": f"{name}+{number}+{b64(bytes([1]) + bytes(31))}",
        "a newline behind": vkey + "\n",
        "a space before": " " + vkey,
    }.items():
        yield {"name": f"key: {title}", "vkey": text, "expect": "usage"}


# ---- logs --------------------------------------------------------------------------------------------------------


def log_files(bodies: Sequence[bytes], *, size: int | None = None, now: Instant | None = None) -> dict[str, bytes]:
    """Every file of a log of these entries."""
    tree = GrowingTree()
    tree.add(leaves_of(bodies))
    files = {name.path: raw for name, raw in tree.changed.items()}
    for first in range(0, len(bodies), WIDTH):
        part = bodies[first : first + WIDTH]
        files[TileName(ENTRIES, first // WIDTH, len(part)).path] = bundle(part)
    at = Instant(START + len(bodies) * SECOND // 10) if now is None else now
    files["checkpoint"] = note(str(Checkpoint(ORIGIN, size or len(bodies), tree.root())), now=at).encode()
    return files


def honest(count: int) -> list[bytes]:
    """Entries a tenth of a second apart, the last one a time mark."""
    return [*(entry(n) for n in range(count - 1)), entry(count - 1, act="clock:mark", facts={})]


def logs() -> Iterator[Vector]:
    """Whole logs: base files, and what was done to them."""
    for count in (0, 1, 2, 12, 256, 257):
        bodies = honest(count) if count else []
        yield log(f"honest, {count} entries", log_files(bodies), "ok", None)
    base = honest(12)
    true = log_files(base)
    entries_file, tile = "tile/entries/000.p/12", "tile/0/000.p/12"
    for place in (0, 5, 11):
        other = list(base)
        other[place] = entry(place, facts={"n": -1})
        yield log(f"entry {place} edited", true | {entries_file: bundle(other)}, "altered", place)
        both = true | {entries_file: bundle(other), tile: b"".join(leaves_of(other))}
        yield log(f"entry {place} edited with its tile", both, "altered", 0)
        hashes = leaves_of(base)
        hashes[place] = bytes(32)
        yield log(f"hash {place} zeroed", true | {tile: b"".join(hashes)}, "altered", place)
        unsigned = log_files(other) | {"checkpoint": true["checkpoint"]}
        yield log(f"entry {place} edited, all rewritten, old signature", unsigned, "altered", 0)
    moved = {
        "entry 5 deleted": ([*base[:5], *base[6:]], 5),
        "entries 5 and 6 swapped": ([*base[:5], base[6], base[5], *base[7:]], 5),
        "entry 5 repeated": ([*base[:6], base[5], *base[7:]], 6),
        "an entry inserted": ([*base[:5], entry(99), *base[5:]], 5),
        "cut after 5": (base[:5], 5),
        "emptied": ([], 0),
    }
    for name, (bodies, first) in moved.items():
        yield log(name, true | {entries_file: bundle(bodies)}, "altered", first)
    yield log("bundle missing", {k: v for k, v in true.items() if k != entries_file}, "altered", 0)
    yield log("tile missing", {k: v for k, v in true.items() if k != tile}, "altered", 0)
    yield log("bundle cut inside an entry", true | {entries_file: true[entries_file][:-1]}, "altered", 11)
    yield from _something_behind(true)
    yield log("no checkpoint", {k: v for k, v in true.items() if k != "checkpoint"}, "unreadable", None)
    yield log("a checkpoint of more than there is", log_files(base, size=13), "altered", 0)
    yield from _signed_wrong(base)


def _something_behind(true: dict[str, bytes]) -> Iterator[Vector]:
    """Files that hold what was signed, and more than their name says."""
    entries_file, tile = "tile/entries/000.p/12", "tile/0/000.p/12"
    whole = log_files(honest(256))
    grown = {k: v for k, v in true.items() if k != entries_file}
    fourteen = bundle([*honest(12), entry(12), entry(13)])
    yield log("a byte behind a bundle", true | {entries_file: true[entries_file] + b"\0"}, "altered", 11)
    yield log(
        "an entry behind a bundle", true | {entries_file: true[entries_file] + bundle([entry(12)])}, "altered", 11
    )
    yield log(
        "an empty entry behind a bundle", true | {entries_file: true[entries_file] + bundle([b""])}, "altered", 11
    )
    yield log(
        "a byte behind a full bundle", whole | {"tile/entries/000": whole["tile/entries/000"] + b"\0"}, "altered", 255
    )
    yield log("a hash behind a tile", true | {tile: true[tile] + bytes(32)}, "altered", 11)
    yield log("a bundle that has grown since", grown | {"tile/entries/000.p/14": fourteen}, "ok", None)
    yield log("a grown bundle with a byte behind", grown | {"tile/entries/000.p/14": fourteen + b"\0"}, "altered", 11)
    yield log("a grown bundle of one entry less", grown | {"tile/entries/000.p/15": fourteen}, "altered", 11)


def _signed_wrong(base: list[bytes]) -> Iterator[Vector]:
    """What is wrong though whoever has the keys signed it."""

    def replaced(place: int, body: bytes) -> list[bytes]:
        return [*base[:place], body, *base[place + 1 :]]

    twice = replaced(7, entry(7, id=entry_id(3)))
    yield log("an id repeated, signed", log_files(twice), "entry", 7)
    yield log("an entry that is none, signed", log_files(replaced(4, b"{}")), "entry", 4)
    yield log("an empty entry, signed", log_files(replaced(4, b"")), "entry", 4)
    late = [*base, entry(12, at=START - HOUR), entry(13, act="clock:mark", facts={})]
    yield log("backdated behind a mark, signed", log_files(late), "time", 12)
    doubt = entry(20, act="clock:doubt", facts={"entry": entry_id(12), "says": START - HOUR}, at=START + 2 * SECOND)
    told = [*base, doubt, entry(12, at=START - HOUR), entry(14, act="clock:mark", facts={})]
    yield log("backdated and announced", log_files(told), "ok", None)
    early = replaced(3, entry(3, at=START + HOUR))
    yield log("ahead of its mark, signed", log_files(early), "time", 3)
    yield log("no mark at all, signed", log_files([entry(n) for n in range(5)]), "time", 4)
    back = [*base, entry(12, act="clock:mark", facts={}, at=START - MINUTE)]
    yield log("a mark that goes back, signed", log_files(back), "time", 12)
    step = entry(12, act="clock:regress", facts={"seen": START + 11 * SECOND // 10}, at=START - HOUR)
    stepped = [*base, step, entry(13, at=START - HOUR), entry(14, act="clock:mark", facts={}, at=START - HOUR + SECOND)]
    yield log("a clock that stepped back and said so", log_files(stepped), "ok", None)
    lying = entry(12, act="clock:regress", facts={"seen": START}, at=START - HOUR)
    yield log("a clock step that doesn't fit, signed", log_files([*base, lying]), "time", 12)


def log(name: str, files: dict[str, bytes], expect: str, first_bad: int | None) -> Vector:
    """One log as a vector."""
    packed = {path: b64(raw) for path, raw in sorted(files.items())}
    return {"name": name, "files": packed, "expect": expect, "first_bad": first_bad}


KINDS: dict[str, Callable[[], Iterator[Vector]]] = {
    "entries": entries,
    "checkpoints": checkpoints,
    "proofs": proofs,
    "receipts": receipts,
    "openings": openings,
    "names": names,
    "logs": logs,
}


def written() -> dict[str, str]:
    """Every file's text by its name."""
    pinned = [key.vkey for key in KEYS.pinned]
    texts = {}
    for kind, make in KINDS.items():
        made = list(make())
        lines = ",\n".join(json.dumps(one, ensure_ascii=True, sort_keys=True) for one in made)
        texts[f"{kind}.json"] = (
            f'{{"origin": {json.dumps(ORIGIN)}, "keys": {json.dumps(pinned)}, "vectors": [\n{lines}\n]}}\n'
        )
    return texts


def main() -> None:
    """Write them."""
    for name, text in written().items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
