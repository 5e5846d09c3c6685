"""The log as somebody outside reads it: the folder's bytes, public keys kept elsewhere, the stand-alone verifier."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.whole.serving import ROOT, Installation

VERIFIER = ROOT / "omonat" / "evidence" / "verifier.py"


@dataclass(frozen=True)
class Log:
    """What the folder holds under its newest checkpoint."""

    entries: Mapping[str, Mapping[str, Any]]
    leaves: Mapping[str, str]
    checkpoint: bytes

    def acts(self) -> Counter[str]:
        """How many entries of each act."""
        return Counter(entry["act"] for entry in self.entries.values())


def read(of: Installation) -> Log:
    """All entries, read from the bundles without any of Omonat's code."""
    folder = of.home / "log"
    checkpoint = (folder / "checkpoint").read_bytes()
    size = int(checkpoint.split(b"\n")[1])
    entries, leaves = {}, {}
    for number in range((size + 255) // 256):
        for raw in _bundle(folder, number, min(256, size - 256 * number)):
            entry = json.loads(raw)
            entries[entry["id"]] = entry
            leaves[entry["id"]] = sha256(b"\0" + raw).hexdigest()
    return Log(entries, leaves, checkpoint)


def _bundle(folder: Path, number: int, width: int) -> Iterable[bytes]:
    digits = f"{number:03d}"
    full = folder / "tile" / "entries" / digits
    assert number < 1000, "names of a thousand bundles and more have another form"
    candidates = [full] if full.is_file() else []
    partial = full.with_name(f"{digits}.p")
    if partial.is_dir():
        candidates += sorted((f for f in partial.iterdir() if f.name.isdigit()), key=lambda f: -int(f.name))
    raw = candidates[0].read_bytes()
    at = 0
    for _ in range(width):
        length = int.from_bytes(raw[at : at + 2], "big")
        yield raw[at + 2 : at + 2 + length]
        at += 2 + length


def verify(of: Installation, *, receipts: Sequence[str] = (), seen: Sequence[Path] = ()) -> tuple[int, str]:
    """The verifier's exit status and words, over the log folder as it lies there."""
    return _run(of, str(of.home / "log"), receipts, seen)


def verify_proof(of: Installation, proof: str, file: Path) -> tuple[int, str]:
    """The same over one proof alone, without the log."""
    file.write_text(proof)
    return _run(of, str(file), (), ())


def _run(of: Installation, target: str, receipts: Sequence[str], seen: Sequence[Path]) -> tuple[int, str]:
    more = [word for key in of.keys for word in ("--key", key)]
    more += [word for receipt in receipts for word in ("--receipt", receipt)]
    more += [word for file in seen for word in ("--seen", str(file))]
    done = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), target, *more], capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout + done.stderr
