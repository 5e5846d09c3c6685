"""A log on the disk, made from chosen bytes: as an honest sequencer writes it, or a dishonest one that has the keys."""

from collections.abc import Sequence
from pathlib import Path

from omonat.base.canonical import canonical
from omonat.base.instants import SECOND, Instant
from omonat.evidence import publishing, verifier
from omonat.evidence.entry import Entry, encode
from omonat.evidence.folder import LogFolder
from omonat.evidence.keys import LogKeys
from omonat.evidence.publishing import Head
from omonat.evidence.tiles import ENTRIES, WIDTH, GrowingTree, TileName, bundle, leaves_of
from tests.evidence.conftest import START


def entry_id(number: int) -> str:
    """A proper id made from a number."""
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    tail = ""
    for _ in range(25):
        tail = letters[number % 32] + tail
        number //= 32
    return f"ev_{tail}a"


def honest(count: int, *, at: Instant = START) -> list[bytes]:
    """`count` entries a tenth of a second apart, with the marks a sequencer would have set, the last one included."""
    bodies = []
    for number in range(count):
        now = Instant(at + number * SECOND // 10)
        marks = number % 100 == 99 or number == count - 1
        act, facts = ("clock:mark", {}) if marks else ("use:person:authorised", {"purpose": "deliver-order"})
        bodies.append(encode(Entry(entry_id(number), now, act, facts)))
    return bodies


def raw_entry(number: int, **members: object) -> bytes:
    """An entry with some members replaced, also by nonsense."""
    good = {"act": "use:person:authorised", "at": START, "facts": {}, "id": entry_id(number), "v": 1}
    return canonical({**good, **members})


def write(path: Path, bodies: Sequence[bytes], keys: LogKeys, *, now: Instant | None = None) -> LogFolder:
    """A complete log of these entries, signed at `now`: START and a tenth of a second per entry unless given."""
    folder = LogFolder(path)
    tree = GrowingTree()
    tree.add(leaves_of(bodies))
    files = dict(tree.changed)
    for first in range(0, len(bodies), WIDTH):
        part = bodies[first : first + WIDTH]
        files[TileName(ENTRIES, first // WIDTH, len(part))] = bundle(part)
    folder.write_tiles(files)
    signed_at = Instant(START + len(bodies) * SECOND // 10) if now is None else now
    folder.write_checkpoint(publishing.sign(Head(tree.size, tree.root()), keys, now=signed_at))
    return folder


def pinned(keys: LogKeys) -> verifier.Pinned:
    """What a reader of this log pins."""
    return verifier.Pinned.of([key.vkey for key in keys.pinned])


def verify(path: Path, keys: LogKeys, **more: object) -> verifier.Report:
    """The stand-alone verifier's report."""
    return verifier.verify_log(path, pinned(keys), **more)  # type: ignore[arg-type]
