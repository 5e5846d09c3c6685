#!/usr/bin/env python3
"""Checks an Omonat evidence log, a receipt or a proof from its bytes alone.

    python verifier.py LOGFOLDER --key VKEY [--key VKEY …]      the whole log
    python verifier.py LOGFOLDER --key … --receipt TOKEN        … and that what a receipt promises is in it
    python verifier.py LOGFOLDER --key … --seen CHECKPOINT      … and that it extends a checkpoint kept from earlier
    python verifier.py LOGFOLDER --key … --witness VKEY         … and that this witness has cosigned it
    python verifier.py PROOF.tlog-proof --key VKEY              one entry, without the log
    python verifier.py PROOF.tlog-proof --key … --opening FILE  … and about whom, by the salts you were given
    python verifier.py CONSENT.jsonld --key VKEY            a consent receipt: what it says of the choice, and the proof
    python verifier.py CHECKPOINT --key … --seen CHECKPOINT     two checkpoints against each other, without the log

This file needs Python 3.11 and the package `cryptography`, and nothing of Omonat: read it, copy it, run it on another
machine. It was written from the published formats (RFC 6962; C2SP tlog-tiles, signed-note, tlog-checkpoint,
tlog-cosignature, tlog-proof) a second time, on purpose: a mistake in the program that writes the log can't hide in the
one that checks it. It believes nothing it can compute, and it pins keys: pass the ones you were given, not ones found
beside the log. Keys are told apart by their names: `ORIGIN`, `ORIGIN/clock`, `ORIGIN/receipts`.

What is checked: the checkpoint's spelling, origin and signatures · every entry's spelling, id and time · every leaf
hash and tile · the root · time marks and clock steps · receipts · earlier checkpoints · witnesses · openings.

A checkpoint that a witness gives out (`<its address>/<hex SHA-256 of the origin>/checkpoint`) is as good for --seen as
one you kept yourself. Of several --witness keys all must have signed, or --quorum of them; a false line is as bad as a
false signature of the log.

Exit codes:
     0  intact                                   12  an entry isn't in its one agreed form, or its id repeats
     2  used wrongly                             13  an entry's time lies outside its window, unannounced
     3  can't tell: a key, a fact or the package 14  a receipt is false, or its entry is missing though due
     7  a file can't be read                     15  the log doesn't extend a checkpoint seen earlier
    10  signature, key or origin is wrong        16  the checkpoint is older than --max-age, or of the future
    11  entries or tiles differ from what was signed        17  too few witnesses have cosigned the checkpoint
                                                18  an opening doesn't fit its commitment
"""

import argparse
import base64
import binascii
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from struct import Struct
from typing import Any, NoReturn

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    if __name__ != "__main__":
        raise
    sys.stderr.write(
        "cannot tell: signatures are checked with the package `cryptography`, and this Python has none.\n"
        f"Install it, then run this again:  {sys.executable or 'python3'} -m pip install cryptography\n"
    )
    sys.exit(3)

INTACT, USAGE, CANNOT_TELL, UNREADABLE = 0, 2, 3, 7
SIGNATURE, ALTERED, ENTRY, TIME, RECEIPT, FORK, STALE, UNWITNESSED, OPENING = 10, 11, 12, 13, 14, 15, 16, 17, 18
NAMES = {
    INTACT: "intact",
    CANNOT_TELL: "cannot tell",
    UNREADABLE: "unreadable",
    SIGNATURE: "signature",
    ALTERED: "altered",
    ENTRY: "entry",
    TIME: "time",
    RECEIPT: "receipt",
    FORK: "fork",
    STALE: "stale",
    UNWITNESSED: "unwitnessed",
    OPENING: "opening",
}

WIDTH = 256
SECOND = 1_000_000
GRACE = 60 * SECOND  # an entry may lie so far outside the time marks around it; two clocks may differ by so much
MARK_EVERY = 10 * SECOND
_SAFE = 2**53 - 1
_ID = re.compile(r"ev_[a-z2-7]{25}[aeimquy4]")
_ACT = re.compile(r"[a-z][a-z0-9-]*(?::[a-z][a-z0-9-]*){1,2}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_MEMBERS = {"act", "at", "facts", "id", "v"}
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_LONGEST_NOTE, _MOST_SIGNATURES = 64 * 1024, 64
_TOKEN_HEAD = Struct(">QII32s64s")


class Wrong(Exception):
    """Something that was handed in is not what it should be. `kind` is the exit code."""

    def __init__(self, kind: int, what: str) -> None:
        super().__init__(what)
        self.kind = kind
        self.what = what


# ---- signed notes ------------------------------------------------------------------------------------------------


def strict_base64(text: str) -> bytes:
    """Canonical base64 only."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Wrong(SIGNATURE, "not base64") from None
    if base64.b64encode(raw).decode() != text:
        raise Wrong(SIGNATURE, "a second spelling of the same base64")
    return raw


def strict_number(text: str) -> int:
    """Decimal digits without sign, space or leading zero, below 2^63."""
    if not text.isascii() or not _NUMBER.fullmatch(text) or int(text) >= 2**63:
        raise Wrong(SIGNATURE, "not a plain number")
    return int(text)


@dataclass(frozen=True)
class Key:
    """A pinned public key: 0x01 signs, 0x04 signs with a time."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that stand for it in a signature line."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @classmethod
    def parse(cls, vkey: str) -> "Key":
        """`name+id+base64`."""
        try:
            name, number, key = vkey.split("+", 2)
        except ValueError:
            raise Wrong(USAGE, f"`{vkey}` is no verifier key") from None
        raw = strict_base64(key)
        found = cls(name, raw[0] if raw else 0, raw[1:])
        if len(raw) != 33 or found.kind not in (1, 4) or found.id.hex() != number:
            raise Wrong(USAGE, f"`{vkey}` is no verifier key")
        return found

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises Wrong."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise Wrong(SIGNATURE, f"the signature of {self.name} is false") from None


@dataclass(frozen=True)
class Checkpoint:
    """What a log signed. `signed_at` is the clock key's newest word, `witnessed` each witness's, in microseconds."""

    origin: str
    size: int
    root: bytes
    signed_at: int | None
    witnessed: dict[Key, int] = field(default_factory=dict)


def open_checkpoint(raw: bytes, pinned: "Pinned", *, all_keys: bool = True) -> Checkpoint:
    """A checkpoint of the pinned origin that every pinned key of the log signed, the log key among them. Raises Wrong.

    Without `all_keys` the log key is enough: so witnesses give checkpoints back. How many witnesses signed is for the
    caller to judge; that one of them signed falsely is not.
    """
    origin, keys = pinned.origin, pinned.note_keys
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Wrong(SIGNATURE, "the checkpoint isn't UTF-8") from None
    text, gap, tail = whole.rpartition("\n\n")
    lines = text.split("\n")
    if not gap or not tail.endswith("\n") or len(lines) != 3 or len(raw) > _LONGEST_NOTE or _CONTROL.search(whole):
        raise Wrong(SIGNATURE, "the checkpoint isn't a signed note of three lines")
    if tail.count("\n") > _MOST_SIGNATURES:
        raise Wrong(SIGNATURE, "the checkpoint has too many signatures")
    root = strict_base64(lines[2])
    if len(root) != 32:
        raise Wrong(SIGNATURE, "the root isn't 32 bytes")
    if lines[0] != origin:
        raise Wrong(SIGNATURE, f"the checkpoint is of `{lines[0]}`, not of `{origin}`")
    signers: dict[Key, int] = {}
    for line in tail[:-1].split("\n"):
        key, signature = _signature_line(line, (*keys, *pinned.witnesses))
        if key is None:
            continue
        if key in signers:
            raise Wrong(SIGNATURE, f"{key.name} signed twice")
        message, seconds = f"{text}\n".encode(), 0
        if key.kind == 4:
            seconds = int.from_bytes(signature[:8], "big")
            message = b"cosignature/v1\ntime %d\n" % seconds + message
            signature = signature[8:]
        key.verify(signature, message)
        signers[key] = seconds * SECOND
    if not any(key.kind == 1 and key.name == origin for key in signers):
        raise Wrong(SIGNATURE, "the pinned log key didn't sign the checkpoint")
    if all_keys and any(key not in signers for key in keys):
        raise Wrong(SIGNATURE, "a pinned key didn't sign the checkpoint")
    times = [signers[key] for key in keys if key in signers and key.kind == 4]
    witnessed = {key: signers[key] for key in pinned.witnesses if key in signers}
    return Checkpoint(origin, strict_number(lines[1]), root, max(times, default=None), witnessed)


def _signature_line(line: str, keys: Sequence[Key]) -> tuple[Key | None, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—" or not _NAME.fullmatch(parts[1]):
        raise Wrong(SIGNATURE, "a signature line is malformed")
    raw = strict_base64(parts[2])
    if len(raw) < 5:
        raise Wrong(SIGNATURE, "a signature line is malformed")
    known = (key for key in keys if key.name == parts[1] and key.id == raw[:4])
    return next(known, None), raw[4:]


# ---- the tree ----------------------------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962, 2.1."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962, 2.1."""
    return sha256(b"\x01" + left + right).digest()


def subtree(hashes: bytes) -> bytes:
    """The root over concatenated hashes, any number of them; of none, SHA-256 of nothing."""
    if not hashes:
        return sha256(b"").digest()
    level = hashes
    while len(level) > 32:
        whole = len(level) // 64 * 64
        above = [sha256(b"\x01" + level[i : i + 64]).digest() for i in range(0, whole, 64)]
        level = b"".join(above) + level[whole:]
    return level


class Levels:
    """Hashes of every tile level, recomputed from leaves: `of[l]` are the roots of complete runs of 256^l leaves."""

    def __init__(self) -> None:
        self.of: list[bytearray] = [bytearray()]

    def add(self, leaves: bytes) -> None:
        """Leaf hashes of one bundle, in order."""
        self.of[0] += leaves
        level = 0
        while len(self.of[level]) % (WIDTH * 32) == 0 and self.of[level]:
            if len(self.of) == level + 1:
                self.of.append(bytearray())
            self.of[level + 1] += subtree(bytes(self.of[level][-WIDTH * 32 :]))
            level += 1

    def root(self, size: int) -> bytes:
        """The root of the first `size` leaves."""
        return root_of_tails([self.tail(level, size) for level in range(len(self.of))]) if size else subtree(b"")

    def tail(self, level: int, size: int) -> bytes:
        """What the rightmost tile of a level holds in the tree of `size`."""
        count = size >> 8 * level
        return bytes(self.of[level][(count - count % WIDTH) * 32 : count * 32])


def root_of_tails(tails: Sequence[bytes]) -> bytes:
    """The root from the rightmost tiles, lowest level first: each is a run of complete subtrees, larger ones left."""
    root = b""
    for tail in tails:
        count = len(tail) // 32
        end = count
        while end:
            width = end & -end
            part = subtree(tail[(end - width) * 32 : end * 32])
            root = node_hash(part, root) if root else part
            end -= width
    return root or subtree(b"")


def path_root(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root an inclusion path leads to. Raises Wrong when its length is not that of this place and size."""
    inner = (index ^ (size - 1)).bit_length()
    if not 0 <= index < size or len(path) != inner + (index >> inner).bit_count():
        raise Wrong(ALTERED, "the proof has the wrong length for its place")
    for level, sibling in enumerate(path):
        right = level >= inner or index >> level & 1
        leaf = node_hash(sibling, leaf) if right else node_hash(leaf, sibling)
    return leaf


# ---- files -------------------------------------------------------------------------------------------------------


def tile_path(kind: str, number: int) -> str:
    """`tile/0/x001/234`."""
    digits = str(number)
    digits = "0" * (-len(digits) % 3) + digits
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    return f"tile/{kind}/" + "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])


def read_tile(folder: Path, kind: str, number: int, width: int) -> tuple[bytes | None, int]:
    """A tile or bundle at least `width` wide: the exact one, else one that has grown since; None when there is none.

    With it how wide its own name says it is, and that is how much it must hold: no less, and nothing behind.
    """
    full = folder / tile_path(kind, number)
    partial = full.with_name(full.name + ".p")
    candidates = [] if width == WIDTH else [(partial / str(width), width)]
    if width < WIDTH:
        files = partial.glob("*") if partial.is_dir() else ()
        present = [int(file.name) for file in files if _NUMBER.fullmatch(file.name)]
        candidates += [(partial / str(wider), wider) for wider in sorted(present) if width < wider < WIDTH]
    for file, wide in [*candidates, (full, WIDTH)]:
        try:
            return file.read_bytes(), wide
        except (FileNotFoundError, NotADirectoryError):
            continue
    return None, width


def split_bundle(raw: bytes, width: int) -> list[bytes]:
    """The first `width` entries; fewer when the bundle ends early or inside an entry."""
    entries: list[bytes] = []
    at = 0
    while len(entries) < width and at + 2 <= len(raw):
        end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
        if end > len(raw):
            break
        entries.append(raw[at + 2 : end])
        at = end
    return entries


# ---- entries -----------------------------------------------------------------------------------------------------


def _refuse(_text: str) -> NoReturn:
    raise ValueError("a number that isn't an integer")


_decode = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse).decode
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def open_entry(raw: bytes) -> dict[str, Any]:
    """An entry in its one spelling: RFC 8785 bytes of {act, at, facts, id, v}. Raises Wrong."""
    try:
        text = raw.decode("utf-8")
        entry = _decode(text)
        same = _encode(entry) == text  # also rules out repeated keys, spaces, other escapes, lone surrogates
    except (ValueError, RecursionError):
        raise Wrong(ENTRY, "isn't canonical JSON") from None
    if not same:
        raise Wrong(ENTRY, "isn't canonical JSON")
    if type(entry) is not dict or entry.keys() != _MEMBERS or type(entry["v"]) is not int or entry["v"] != 1:
        raise Wrong(ENTRY, "doesn't have the members of an entry")
    if type(entry["id"]) is not str or not _ID.fullmatch(entry["id"]):
        raise Wrong(ENTRY, "has no proper id")
    if type(entry["act"]) is not str or not _ACT.fullmatch(entry["act"]):
        raise Wrong(ENTRY, "has no proper act")
    if type(entry["at"]) is not int or type(entry["facts"]) is not dict or not _plain([entry["at"], entry["facts"]]):
        raise Wrong(ENTRY, "has a time or facts of the wrong kind")
    return entry


def _plain(value: Any) -> bool:
    """Integers within ±(2^53 − 1), ASCII keys."""
    if type(value) is dict:
        return all(key.isascii() and _plain(member) for key, member in value.items())
    if type(value) is list:
        return all(map(_plain, value))
    return type(value) is not int or -_SAFE <= value <= _SAFE


# ---- what was found ----------------------------------------------------------------------------------------------


@dataclass
class Finding:
    """One thing that is wrong. `index` is the entry, or the first of the range up to `until` that can't be narrowed."""

    kind: str
    code: int
    what: str
    index: int | None = None
    until: int | None = None


@dataclass
class Report:
    """The result: `code` is the exit code, `first_bad` the lowest index anything is wrong at."""

    origin: str = ""
    size: int = 0
    root: str = ""
    signed_at: int | None = None
    last_mark: int | None = None
    verdict: str = ""
    code: int = INTACT
    first_bad: int | None = None
    findings: list[Finding] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    suppressed: int = 0

    def add(self, code: int, what: str, index: int | None = None, until: int | None = None) -> None:
        """Note a finding; the first hundred in full."""
        if index is not None and (self.first_bad is None or index < self.first_bad):
            self.first_bad = index
        if len(self.findings) < 100:
            self.findings.append(Finding(NAMES[code], code, what, index, until))
        else:
            self.suppressed += 1

    def conclude(self) -> "Report":
        """The verdict: what breaks trust outweighs what can't be told; the gravest kind gives the code."""
        found = {finding.code for finding in self.findings}
        order = (
            *(SIGNATURE, FORK, ALTERED, ENTRY, RECEIPT, TIME, OPENING),
            *(UNREADABLE, UNWITNESSED, STALE, CANNOT_TELL),
        )
        self.code = next((code for code in order if code in found), INTACT)
        self.verdict = NAMES[self.code]
        return self


class Times:
    """Whether entries' times fit the log's own marks. See `clock:mark`, `clock:regress`, `clock:doubt`."""

    def __init__(self) -> None:
        self.wrong: list[tuple[int, str]] = []
        self.notices: list[str] = []
        self._floor: int | None = None
        self._latest: tuple[int, int] | None = None  # (time, index) of the latest claim since the last mark
        self._doubted: set[tuple[Any, Any]] = set()

    def see(self, index: int, entry: dict[str, Any]) -> None:
        """The next entry."""
        at, act = entry["at"], entry["act"]
        if act == "clock:mark":
            self._mark(index, at)
        elif act == "clock:regress":
            self._close()
            if self._floor is None or at >= self._floor or entry["facts"].get("seen") != self._floor:
                self.wrong.append((index, "a clock step that doesn't fit the marks"))
            self.notices.append(f"entry {index}: the clock stepped back to {_when(at)}")
            self._floor = at
        elif act == "clock:doubt":
            self._doubted.add((entry["facts"].get("entry"), entry["facts"].get("says")))
        elif (entry["id"], at) in self._doubted:
            self.notices.append(f"entry {index}: its time was doubted when it was placed")
        else:
            if self._floor is not None and at < self._floor - GRACE:
                self.wrong.append((index, f"claims {_when(at)}, but was placed after {_when(self._floor)}"))
            if self._latest is None or at > self._latest[0]:
                self._latest = (at, index)

    def end(self) -> int | None:
        """No more entries; the last mark."""
        self._close()
        return self._floor

    def _mark(self, index: int, at: int) -> None:
        if self._floor is not None and at < self._floor:
            self.wrong.append((index, "a time mark lies before the one before it"))
        self._check_latest(at + GRACE)
        self._floor = at

    def _close(self) -> None:
        """Without a further mark, everything was placed within `MARK_EVERY` of the last one."""
        if self._floor is not None:
            self._check_latest(self._floor + MARK_EVERY + GRACE)
        elif self._latest is not None:
            self.wrong.append((self._latest[1], "no time mark bounds these entries"))

    def _check_latest(self, ceiling: int) -> None:
        if self._latest is not None and self._latest[0] > ceiling:
            at, index = self._latest
            self.wrong.append((index, f"claims {_when(at)}, but was placed before {_when(ceiling)}"))
        self._latest = None


def _when(instant: int) -> str:
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(instant // SECOND))
    except (ValueError, OverflowError, OSError):
        return str(instant)


# ---- the whole log -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pinned:
    """What the reader trusts: an origin, its public keys, and witnesses, of whom `quorum` must have signed."""

    origin: str
    keys: tuple[Key, ...]
    witnesses: tuple[Key, ...] = ()
    quorum: int = 0

    @classmethod
    def of(
        cls,
        vkeys: Sequence[str],
        origin: str | None = None,
        *,
        witnesses: Sequence[str] = (),
        quorum: int | None = None,
    ) -> "Pinned":
        """Keys by their names; the origin is the log key's name unless it is given. Raises Wrong.

        Without a quorum every witness must have signed. A witness is told by its key: named twice it counts once.
        """
        keys = tuple(Key.parse(vkey) for vkey in vkeys)
        logs = [key.name for key in keys if key.kind == 1 and not key.name.endswith("/receipts")]
        if origin is None and len(set(logs)) != 1:
            raise Wrong(USAGE, "pin exactly one log key, or name the --origin")
        others = tuple({key.public: key for key in map(Key.parse, witnesses)}.values())
        if any(key.kind != 4 for key in others):
            raise Wrong(USAGE, "a witness's key is one for cosignatures (type 0x04)")
        if {key.public for key in others} & {key.public for key in keys}:
            raise Wrong(USAGE, "the log can't be its own witness")
        if quorum is not None and not 0 < quorum <= len(others):
            raise Wrong(USAGE, f"a quorum of {quorum} needs as many --witness keys")
        return cls(origin or logs[0], keys, others, len(others) if quorum is None else quorum)

    @property
    def note_keys(self) -> list[Key]:
        """Keys that may sign checkpoints."""
        return [key for key in self.keys if key.name in (self.origin, f"{self.origin}/clock")]

    @property
    def receipt_keys(self) -> list[Key]:
        """Keys that may sign receipts."""
        return [key for key in self.keys if key.kind == 1 and key.name == f"{self.origin}/receipts"]


def verify_log(
    folder: Path,
    pinned: Pinned,
    *,
    receipts: Sequence[str] = (),
    seen: Sequence[bytes] = (),
    max_age: int | None = None,
    openings: Sequence["Opening"] = (),
) -> Report:
    """Everything about a log folder. Never raises for what lies in it: whatever is wrong becomes a finding."""
    report = Report(origin=pinned.origin)
    try:
        raw = (folder / "checkpoint").read_bytes()
    except OSError as error:
        report.add(UNREADABLE, f"checkpoint: {error.strerror}")
        return report.conclude()
    try:
        checkpoint = open_checkpoint(raw, pinned)
    except Wrong as wrong:
        report.add(SIGNATURE, wrong.what)
        return report.conclude()
    report.size, report.root, report.signed_at = checkpoint.size, checkpoint.root.hex(), checkpoint.signed_at
    times = Times()
    kept: dict[str, tuple[int, dict[str, Any]]] = {}
    levels = _read_entries(folder, checkpoint.size, times, report, ({one.entry for one in openings}, kept))
    report.last_mark = times.end()
    if levels.root(checkpoint.size) == checkpoint.root:
        _check_tiles(folder, levels, checkpoint.size, report)
        for index, what in times.wrong:
            report.add(TIME, what, index)
    else:  # whose times fit is no question while it isn't known whose entries these are
        _locate(folder, levels, checkpoint, report)
    for earlier in seen:
        _check_seen(earlier, pinned, levels, checkpoint, report)
    for opening in openings:
        if opening.entry in kept:
            index, entry = kept[opening.entry]
            _check_opening(opening, entry, index, report)
        else:
            altered = ", and was altered where it was kept" if opening.altered else ""
            report.add(OPENING, f"the opened entry {opening.entry} isn't in the log{altered}")
    for token in receipts:
        _check_receipt(token, pinned, levels, checkpoint, report)
    _check_age(checkpoint, max_age, report)
    _check_witnesses(checkpoint, pinned, report)
    return report.conclude()


def _read_entries(
    folder: Path,
    size: int,
    times: "Times",
    report: Report,
    keep: tuple[set[str], dict[str, tuple[int, dict[str, Any]]]],
) -> Levels:
    """Every entry in order: its form, its id, its time, its hash. Where a bundle is short, zeros keep the places.

    `keep`: ids, and where their entries go.
    """
    wanted, kept = keep
    levels = Levels()
    ids: set[str] = set()
    for number, start in enumerate(range(0, size, WIDTH)):
        width = min(WIDTH, size - start)
        raw, wide = read_tile(folder, "entries", number, width)
        held = split_bundle(raw or b"", wide)
        entries = held[:width]
        if len(entries) < width:
            report.add(ALTERED, "entries are missing", start + len(entries), start + width)
        elif len(raw or b"") != sum(map(len, held)) + 2 * wide:
            report.add(ALTERED, f"{tile_path('entries', number)} isn't exactly its {wide} entries", start + width - 1)
        hashes = b"".join(map(leaf_hash, entries))
        levels.add(hashes + bytes(32 * (width - len(entries))))
        for index, body in enumerate(entries, start):
            try:
                entry = open_entry(body)
            except Wrong as wrong:
                report.add(ENTRY, wrong.what, index)
                continue
            if entry["id"] in ids:
                report.add(ENTRY, f"repeats the id {entry['id']}", index)
            ids.add(entry["id"])
            if entry["id"] in wanted:
                kept.setdefault(entry["id"], (index, entry))
            times.see(index, entry)
    report.notices += times.notices
    return levels


def _tiles(size: int) -> Iterator[tuple[int, int, int]]:
    """(level, number, width) of every tile of a tree."""
    level = 0
    while size:
        for number in range(-(-size // WIDTH)):
            yield level, number, min(WIDTH, size - number * WIDTH)
        size //= WIDTH
        level += 1


def _check_tiles(folder: Path, levels: Levels, size: int, report: Report) -> None:
    """The entries are the signed ones; now every tile must be what they give."""
    for level, number, width in _tiles(size):
        wanted = bytes(levels.of[level][number * WIDTH * 32 : (number * WIDTH + width) * 32])
        stored, wide = read_tile(folder, str(level), number, width)
        kept = (stored or b"")[: width * 32]
        if kept != wanted or len(stored or b"") != wide * 32:
            position = _first_difference(kept, wanted)
            index = (number * WIDTH + min(position, width - 1)) << 8 * level
            state = "is missing" if stored is None else "is wrong"
            report.add(ALTERED, f"{tile_path(str(level), number)} {state}; the entries are as signed", index)


def _first_difference(one: bytes, other: bytes) -> int:
    """The first hash at which they differ, or where the shorter ends."""
    for i in range(0, max(len(one), len(other)), 32):
        if one[i : i + 32] != other[i : i + 32]:
            return i // 32
    return len(other) // 32


def _locate(folder: Path, levels: Levels, checkpoint: Checkpoint, report: Report) -> None:
    """The entries don't give the signed root. Follow the stored tiles down from it as far as they prove themselves."""
    size = checkpoint.size
    tails = []
    level = 0
    while size >> 8 * level:
        count = size >> 8 * level
        raw = read_tile(folder, str(level), count // WIDTH, count % WIDTH)[0] if count % WIDTH else b""
        tails.append((raw or b"")[: count % WIDTH * 32])
        level += 1
    if not size or root_of_tails(tails) != checkpoint.root:
        report.add(ALTERED, "neither entries nor tiles lead to the signed root", 0, size)
        return
    for level in reversed(range(len(tails))):
        _descend(folder, levels, (level, (size >> 8 * level) // WIDTH), tails[level], report)


def _descend(folder: Path, levels: Levels, tile: tuple[int, int], proven: bytes, report: Report) -> None:
    """`proven` is a tile (level, number) known to be as signed; compare what the entries give with it, hash by hash."""
    level, number = tile
    given = levels.of[level][number * WIDTH * 32 : number * WIDTH * 32 + len(proven)]
    for position in range(len(proven) // 32):
        wanted = proven[position * 32 : position * 32 + 32]
        if given[position * 32 : position * 32 + 32] == wanted:
            continue
        child = number * WIDTH + position
        if level == 0:
            report.add(ALTERED, "isn't the entry that was signed", child)
            continue
        below = read_tile(folder, str(level - 1), child, WIDTH)[0] or b""
        if len(below) == WIDTH * 32 and subtree(below) == wanted:
            _descend(folder, levels, (level - 1, child), below, report)
        else:
            start, span = child << 8 * level, 1 << 8 * level
            report.add(ALTERED, "entries and their tile were changed together", start, start + span)


def _check_seen(raw: bytes, pinned: Pinned, levels: Levels, checkpoint: Checkpoint, report: Report) -> None:
    try:
        earlier = open_checkpoint(raw, pinned, all_keys=False)
    except Wrong as wrong:
        report.add(CANNOT_TELL, f"the earlier checkpoint is no witness: {wrong.what}")
        return
    if earlier.size > checkpoint.size:
        report.add(FORK, f"the log was rolled back: it had {earlier.size} entries", checkpoint.size)
    elif levels.root(earlier.size) != earlier.root:
        report.add(FORK, f"the first {earlier.size} entries aren't those of the earlier checkpoint", 0, earlier.size)


def _check_receipt(token: str, pinned: Pinned, levels: Levels, checkpoint: Checkpoint, report: Report) -> None:
    try:
        leaf, due = open_receipt(token, pinned)
    except Wrong as wrong:
        report.add(wrong.kind, f"receipt: {wrong.what}")
        return
    index = _index_of(leaf, levels.of[0])
    if index is not None:
        report.notices.append(f"receipt: its entry is at index {index}")
        return
    known_time = checkpoint.signed_at if checkpoint.signed_at is not None else report.last_mark
    if known_time is not None and known_time >= due:
        report.add(RECEIPT, f"receipt: the entry with leaf {leaf.hex()} was due {_when(due)} and is missing")
    else:
        report.add(CANNOT_TELL, f"receipt: the entry with leaf {leaf.hex()} isn't due before {_when(due)}")


def _index_of(leaf: bytes, leaves: bytearray) -> int | None:
    """Where a hash stands among concatenated ones, on a boundary of 32."""
    place = leaves.find(leaf)
    while place >= 0 and place % 32:
        place = leaves.find(leaf, place + 1)
    return place // 32 if place >= 0 else None


def open_receipt(token: str, pinned: Pinned) -> tuple[bytes, int]:
    """The leaf hash and the due instant of a receipt signed by the pinned receipt key. Raises Wrong."""
    body = token.removeprefix("omr1.")
    try:
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        raise Wrong(RECEIPT, "isn't a receipt") from None
    spelled = "omr1." + base64.urlsafe_b64encode(raw).decode().rstrip("=")
    if spelled != token or len(raw) < _TOKEN_HEAD.size or (len(raw) - _TOKEN_HEAD.size) % 32:
        raise Wrong(RECEIPT, "isn't a receipt")
    due, size, position, leaf, signature = _TOKEN_HEAD.unpack_from(raw)
    path = [raw[i : i + 32] for i in range(_TOKEN_HEAD.size, len(raw), 32)]
    try:
        root = path_root(position, size, leaf, path)
    except Wrong:
        raise Wrong(RECEIPT, "its path has the wrong length") from None
    if not pinned.receipt_keys:
        raise Wrong(CANNOT_TELL, f"pin the key `{pinned.origin}/receipts`")
    message = f"omonat-receipt/v1\n{pinned.origin}\n{due}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
    for key in pinned.receipt_keys:
        try:
            key.verify(signature, message)
        except Wrong:
            continue
        return leaf, due
    raise Wrong(RECEIPT, "its signature is false")


def _check_witnesses(checkpoint: Checkpoint, pinned: Pinned, report: Report) -> None:
    for key, at in checkpoint.witnessed.items():
        report.notices.append(f"cosigned by {key.name} {_when(at)}")
    found = len(checkpoint.witnessed)
    if found < pinned.quorum:
        report.add(UNWITNESSED, f"{found} of {len(pinned.witnesses)} witnesses cosigned, {pinned.quorum} are needed")


def _check_age(checkpoint: Checkpoint, max_age: int | None, report: Report) -> None:
    if max_age is None:
        return
    if checkpoint.signed_at is None:
        report.add(CANNOT_TELL, f"pin the key `{checkpoint.origin}/clock` to tell the checkpoint's age")
        return
    age = time.time_ns() // 1000 - checkpoint.signed_at
    if age > max_age * SECOND:
        report.add(STALE, f"the checkpoint was signed {_when(checkpoint.signed_at)}: the log is silent")
    elif age < -GRACE:  # or it would be fresh until then, however long the log stays silent
        report.add(STALE, f"the checkpoint was signed {_when(checkpoint.signed_at)}, which is still to come here")


# ---- openings: what an entry says about whom, for those who were given the salt --------------------------------------


@dataclass(frozen=True)
class Opening:
    """One commitment opened: in this field of this entry stands this value under this salt.

    Or, `altered`: whoever gave the openings away found this entry changed, and opens nothing of it.
    """

    entry: str
    field: str
    value: str
    salt: bytes
    altered: bool = False

    @property
    def commitment(self) -> str:
        """SHA-256 over label, salt, entry, field and value, each behind its length in four bytes; base64url."""
        texts = (self.entry.encode(), self.field.encode(), self.value.encode())
        parts = (b"omonat/commitment/v1", self.salt, *texts)
        framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return base64.urlsafe_b64encode(sha256(framed).digest()).decode().rstrip("=")


def read_openings(text: str) -> list[Opening]:
    """A JSON list of {"entry", "field", "salt", "value"}, salts in hex, or {"entry", "altered": true}. Raises Wrong."""
    try:
        rows = _decode(text)
        found = [_opening(row) for row in rows]
        if type(rows) is list and all(one.commitment for one in found):
            return found
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise Wrong(OPENING, "isn't a list of openings")


def _opening(row: dict[str, Any]) -> Opening:
    if "altered" in row:
        if row["altered"] is not True or row.keys() != {"entry", "altered"}:
            raise ValueError
        return Opening(row["entry"], "", "", b"", altered=True)
    if (salt := bytes.fromhex(row["salt"])).hex() != row["salt"]:
        raise ValueError
    return Opening(row["entry"], row["field"], row["value"], salt)


def _check_opening(opening: Opening, entry: dict[str, Any], index: int, report: Report) -> None:
    if opening.altered:
        report.add(OPENING, f"entry {opening.entry} was altered where it was kept: nothing of it is opened", index)
    elif len(opening.salt) == 32 and entry["facts"].get(opening.field) == opening.commitment:
        report.notices.append(f"entry {index}: {opening.field} is {opening.value}")
    else:
        report.add(OPENING, f"the opening of `{opening.field}` doesn't fit entry {opening.entry}", index)


# ---- one proof ---------------------------------------------------------------------------------------------------


def verify_proof(
    raw: bytes,
    pinned: Pinned,
    *,
    openings: Sequence["Opening"] = (),
    seen: Sequence[bytes] = (),
    max_age: int | None = None,
) -> Report:
    """A `.tlog-proof` that carries its entry, what the openings of that entry say, and its checkpoint beside others."""
    report = Report(origin=pinned.origin)
    try:
        index, entry, checkpoint = _open_proof(raw, pinned)
    except Wrong as wrong:
        report.add(wrong.kind, wrong.what)
        return report.conclude()
    report.size, report.root, report.signed_at = checkpoint.size, checkpoint.root.hex(), checkpoint.signed_at
    report.notices.append(f"entry {index}: {entry['id']} {entry['act']} at {_when(entry['at'])}")
    mine = [opening for opening in openings if opening.entry == entry["id"]]
    for opening in mine:
        _check_opening(opening, entry, index, report)
    if openings and not mine:
        report.add(CANNOT_TELL, "none of the openings is of this entry", index)
    _check_alone(checkpoint, pinned, seen, max_age, report)
    return report.conclude()


_RECORD, _STATUS = "dpv:hasRecordOfActivity", "dpv:hasConsentStatus"
_STATES = {
    "dpv:ConsentGiven": ("given",),
    "dpv:ConsentWithdrawn": ("withdrawn", "refused"),
    "dpv:ConsentRefused": ("withdrawn", "refused"),
    "dpv:ConsentRequestDeferred": ("refused",),
}


def verify_consent(raw: bytes, pinned: Pinned, *, seen: Sequence[bytes] = (), max_age: int | None = None) -> Report:
    """A consent receipt: the proof it carries, and that purpose, state, time, version and person are the entry's.

    The entry commits to nothing else of a receipt: the rest is what the policy of that version says.
    """
    report = Report(origin=pinned.origin)
    try:
        told = json.loads(raw.decode(), object_pairs_hook=_once)
        carried = told["omonat:proof"]
        if carried is None:
            raise Wrong(CANNOT_TELL, "this receipt was saved before its proof stood; save it again")
        index, entry, checkpoint = _open_proof(carried["tlog-proof"].encode(), pinned)
        openings = read_openings(json.dumps([carried["opening"]]))
        record = told[_RECORD]
        claims = _claims(record, carried)
    except Wrong as wrong:
        report.add(wrong.kind, wrong.what)
        return report.conclude()
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        report.add(RECEIPT, "isn't a consent receipt")
        return report.conclude()
    report.size, report.root, report.signed_at = checkpoint.size, checkpoint.root.hex(), checkpoint.signed_at
    report.notices.append(f"entry {index}: {entry['id']} {entry['act']} at {_when(entry['at'])}")
    _check_claims(claims, entry, index, report)
    for opening in openings:
        mine = opening.entry == entry["id"] and opening.field == "person" and opening.value == claims["person"]
        if mine:
            _check_opening(opening, entry, index, report)
        else:
            report.add(OPENING, "the opening isn't that of the person the receipt names", index)
    report.notices.append("not in the entry, so not proved: everything else; the policy of that version says it")
    _check_alone(checkpoint, pinned, seen, max_age, report)
    return report.conclude()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are said once: of two, another reader might believe the other. Raises ValueError."""
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ValueError("a name is said twice")
    return told


def _claims(record: dict[str, Any], carried: dict[str, Any]) -> dict[str, Any]:
    """What a receipt says of the choice itself. Raises KeyError and its like for what is no receipt, Wrong for two."""
    (status,), (process,) = record[_STATUS], record["dpv:hasProcess"]
    person = record["dpv:hasDataSubject"]["@id"].removeprefix("urn:omonat:person:")
    if status["dpv:isIndicatedBy"] != f"urn:omonat:person:{person}":
        raise Wrong(RECEIPT, "the receipt names two people")
    return {
        "entry": carried["entry"],
        "policy-in-force": carried["policy-in-force"],
        "purpose": process["dpv:hasPurpose"]["dct:identifier"],
        "state": _STATES[status["@type"][0]],
        "time": status["dpv:isIndicatedAtTime"],
        "version-shown": record["dpv:hasNotice"]["dct:hasVersion"],
        "person": person,
    }


def _check_claims(claims: dict[str, Any], entry: dict[str, Any], index: int, report: Report) -> None:
    """The claims against the entry: of a choice by itself, or of a form that carried it."""
    facts = entry["facts"]
    at_form = entry["act"] == "collect:record:accepted"
    if not at_form and entry["act"] not in ("choice:consent:given", "choice:consent:withdrawn"):
        report.add(RECEIPT, "its entry is about no consent", index)
        return
    choices = facts.get("consents", {}) if at_form else {facts.get("purpose"): facts.get("state")}
    at = facts.get("collected-at", entry["at"])
    exact = f"{_when(at)[:-1]}.{at % SECOND:06d}Z"
    holds = {
        "entry": claims["entry"] == entry["id"],
        "policy-in-force": claims["policy-in-force"] == facts.get("policy"),
        "purpose": claims["purpose"] in choices,
        "state": choices.get(claims["purpose"]) in claims["state"],
        "time": claims["time"] == exact,
        "version-shown": "shown" not in facts or claims["version-shown"] == facts["shown"],
    }
    for name in (name for name, held in holds.items() if not held):
        report.add(RECEIPT, f"the receipt's {name} isn't what the entry says", index)
    if "shown" not in facts:
        report.notices.append("the entry doesn't say which version was shown, so that isn't proved")


def verify_note(raw: bytes, pinned: Pinned, *, seen: Sequence[bytes] = (), max_age: int | None = None) -> Report:
    """A checkpoint alone: its signatures, age and witnesses; of two of one size with two roots, the fork."""
    report = Report(origin=pinned.origin)
    try:
        checkpoint = open_checkpoint(raw, pinned, all_keys=False)
    except Wrong as wrong:
        report.add(wrong.kind, wrong.what)
        return report.conclude()
    report.size, report.root, report.signed_at = checkpoint.size, checkpoint.root.hex(), checkpoint.signed_at
    _check_alone(checkpoint, pinned, seen, max_age, report)
    return report.conclude()


def _check_alone(
    checkpoint: Checkpoint, pinned: Pinned, seen: Sequence[bytes], max_age: int | None, report: Report
) -> None:
    """What can be told of a checkpoint without its log: against others, its age, its witnesses."""
    for other in seen:
        try:
            earlier = open_checkpoint(other, pinned, all_keys=False)
        except Wrong as wrong:
            report.add(CANNOT_TELL, f"the other checkpoint is no witness: {wrong.what}")
            continue
        if earlier.size != checkpoint.size:
            report.add(CANNOT_TELL, "checkpoints of two sizes are compared over the log, not alone")
        elif earlier.root != checkpoint.root:
            report.add(FORK, f"the log signed two histories of {checkpoint.size} entries", 0, checkpoint.size)
    _check_age(checkpoint, max_age, report)
    _check_witnesses(checkpoint, pinned, report)


def _open_proof(raw: bytes, pinned: Pinned) -> tuple[int, dict[str, Any], Checkpoint]:
    head, _, signed = raw.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Wrong(ALTERED, "isn't a proof") from None
    if len(lines) < 3 or lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("extra "):
        raise Wrong(ALTERED, "isn't a proof that carries its entry")
    if not lines[2].startswith("index "):
        raise Wrong(ALTERED, "isn't a proof")
    body = strict_base64(lines[1][6:])
    index = strict_number(lines[2][6:])
    path = [strict_base64(line) for line in lines[3:]]
    if any(len(one) != 32 for one in path):
        raise Wrong(ALTERED, "a hash isn't 32 bytes")
    checkpoint = open_checkpoint(signed, pinned)
    if path_root(index, checkpoint.size, leaf_hash(body), path) != checkpoint.root:
        raise Wrong(ALTERED, "the proof doesn't lead to the signed root")
    return index, open_entry(body), checkpoint


# ---- command line ------------------------------------------------------------------------------------------------


def show(report: Report, *, as_json: bool) -> str:
    """The report for a program or a person."""
    if as_json:
        return json.dumps(asdict(report), indent=2, ensure_ascii=False)
    lines = [f"{report.origin}: {report.verdict.upper()}"]
    if report.size:
        lines.append(f"  {report.size} entries, root {report.root}")
    if report.signed_at is not None:
        lines.append(f"  signed {_when(report.signed_at)}")
    if report.first_bad is not None:
        lines.append(f"  first bad entry: index {report.first_bad}")
    for finding in report.findings:
        place = "" if finding.index is None else f" [{finding.index}]"
        if finding.until is not None:
            place = f" [{finding.index} to {finding.until - 1}]"
        lines.append(f"  ✗ {finding.kind}{place}: {finding.what}")
    if report.suppressed:
        lines.append(f"  … and {report.suppressed} more")
    lines += [f"  · {notice}" for notice in report.notices[:50]]
    return "\n".join(lines)


def run(arguments: argparse.Namespace) -> Report:
    """What the command line asked for. Raises Wrong, OSError."""
    vkeys = list(arguments.key)
    for file in arguments.keys:
        vkeys += [line for line in Path(file).read_text("utf-8").splitlines() if line and not line.startswith("#")]
    if not vkeys:
        raise Wrong(CANNOT_TELL, "pin the log's key with --key: without it anybody could have written this log")
    pinned = Pinned.of(vkeys, arguments.origin, witnesses=arguments.witness, quorum=arguments.quorum)
    target = Path(arguments.target)
    seen = [Path(file).read_bytes() for file in arguments.seen]
    openings = [one for file in arguments.opening for one in read_openings(Path(file).read_text("utf-8"))]
    if target.is_file():
        raw = target.read_bytes()
        is_proof = raw.startswith(b"c2sp.org/tlog-proof@")
        if arguments.receipt:  # what was asked for is checked, or refused: never passed over
            raise Wrong(USAGE, "--receipt is looked for in a log folder; a file alone can't tell")
        if openings and not is_proof:
            raise Wrong(USAGE, "--opening goes with a log folder or a proof")
        if is_proof:
            return verify_proof(raw, pinned, openings=openings, seen=seen, max_age=arguments.max_age)
        verify = verify_consent if raw.startswith(b"{") else verify_note
        return verify(raw, pinned, seen=seen, max_age=arguments.max_age)
    tokens = [_token(text) for text in arguments.receipt]
    return verify_log(target, pinned, receipts=tokens, seen=seen, max_age=arguments.max_age, openings=openings)


def _token(text: str) -> str:
    """A token as it is, or from a file: alone or as `token` of a JSON object."""
    if text.startswith("omr1."):
        return text
    inside = Path(text).read_text("utf-8").strip()
    return str(json.loads(inside).get("token", "")) if inside.startswith("{") else inside


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, verify, print; returns the exit code."""
    about = argparse.ArgumentParser(
        "verifier.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    about.add_argument("target", help="a log folder, a .tlog-proof file, a consent receipt, or a checkpoint")
    about.add_argument("--key", action="append", default=[], metavar="VKEY", help="a pinned key; repeat for more")
    about.add_argument("--keys", action="append", default=[], metavar="FILE", help="pinned keys, one a line")
    about.add_argument("--origin", help="the log's origin; the log key's name unless given")
    about.add_argument("--receipt", action="append", default=[], metavar="TOKEN", help="a token, or a file with one")
    about.add_argument("--seen", action="append", default=[], metavar="FILE", help="a checkpoint kept from earlier")
    about.add_argument("--witness", action="append", default=[], metavar="VKEY", help="a witness's key; may repeat")
    about.add_argument("--quorum", type=int, metavar="N", help="how many witnesses must have signed; all unless given")
    about.add_argument("--opening", action="append", default=[], metavar="FILE", help="openings you were given")
    about.add_argument(
        "--max-age", type=int, metavar="SECONDS", help="how old the checkpoint may be; a minute ahead at most"
    )
    about.add_argument("--json", action="store_true", help="print the report as JSON")
    arguments = about.parse_args(argv)
    try:
        report = run(arguments)
    except Wrong as wrong:
        print(wrong.what, file=sys.stderr)  # noqa: T201
        return wrong.kind
    except (OSError, json.JSONDecodeError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return UNREADABLE
    print(show(report, as_json=arguments.json))  # noqa: T201
    return report.code


if __name__ == "__main__":
    sys.exit(main())
