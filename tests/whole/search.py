"""Looking for values on the disk as a thief would: every file, every way bytes are commonly written."""

import base64
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_SHORTEST = 6  # characters: anything shorter is met by chance


def encodings(value: str) -> Mapping[str, bytes]:
    """The ways one value may lie there, by name. Base64 has three alignments; the characters at its ends are cut."""
    plain = value.encode()
    found = {
        "utf-8": plain,
        "utf-16-le": value.encode("utf-16-le")[:-1],  # of plain letters the same bytes as the other order's
        "utf-16-be": value.encode("utf-16-be")[1:],
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
        "json": value.encode("ascii", "backslashreplace"),
    }
    for shift in range(3):
        inner = base64.b64encode(b"\0" * shift + plain + b"\0" * (2 - (shift + len(plain) - 1) % 3))
        head, tail = -(-8 * shift // 6), (8 * (shift + len(plain))) // 6
        found[f"base64-{shift}"] = inner[head:tail]
        found[f"base64url-{shift}"] = inner[head:tail].translate(bytes.maketrans(b"+/", b"-_"))
    return found


def files_with(places: Sequence[Path], values: Iterable[str]) -> list[str]:
    """Names of the files below `places` that hold any of the values in any encoding."""
    patterns = set()
    for value in values:
        assert len(value) >= _SHORTEST
        patterns |= set(encodings(value).values())
    return [name for name in _all_files(places) if _holds(name, patterns)] if patterns else []


def _all_files(places: Sequence[Path]) -> list[str]:
    found = subprocess.run(["find", *map(str, places), "-type", "f"], capture_output=True, text=True, check=False)
    return found.stdout.split("\n")[:-1]


def _holds(name: str, patterns: set[bytes]) -> bool:
    try:
        content = Path(name).read_bytes()
    except FileNotFoundError:  # a running server removes files
        return False
    if not content.strip(b"\0"):
        return False
    return any(pattern in content for pattern in patterns)
