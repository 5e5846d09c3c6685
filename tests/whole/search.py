"""Looking for values on the disk as a thief would: every file, every way bytes are commonly written."""

import base64
import hashlib
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_SHORTEST = 6  # characters: anything shorter is met by chance
_DIGESTS = ("sha256", "sha1", "md5")


def encodings(value: str | bytes) -> Mapping[str, bytes]:
    """The ways one value may lie there, by name. Base64 has three alignments; the characters at its ends are cut."""
    if isinstance(value, bytes):
        return {"raw": value, **_spelled(value)}
    return {
        "utf-8": value.encode(),
        "utf-16-le": value.encode("utf-16-le")[:-1],  # of plain letters the same bytes as the other order's
        "utf-16-be": value.encode("utf-16-be")[1:],
        "json": value.encode("ascii", "backslashreplace"),
        **_spelled(value.encode()),
    }


def _spelled(plain: bytes) -> Mapping[str, bytes]:
    found = {"hex": plain.hex().encode(), "HEX": plain.hex().upper().encode()}
    for shift in range(3):
        inner = base64.b64encode(b"\0" * shift + plain + b"\0" * (2 - (shift + len(plain) - 1) % 3))
        head, tail = -(-8 * shift // 6), (8 * (shift + len(plain))) // 6
        found[f"base64-{shift}"] = inner[head:tail]
        found[f"base64url-{shift}"] = inner[head:tail].translate(bytes.maketrans(b"+/", b"-_"))
    return found


def digests(value: str) -> Mapping[str, bytes]:
    """What anybody makes of a value without a key or a salt, by name: who guesses the value finds it again by these."""
    return {name: hashlib.new(name, value.encode(), usedforsecurity=False).digest() for name in _DIGESTS}


def files_with(places: Sequence[Path], values: Iterable[str | bytes]) -> list[str]:
    """Names of the files at or below `places` that hold any of the values in any encoding.

    All of them are looked for at once: looking for ten times as many takes hardly longer.
    """
    patterns = {_line(written) for value in values for written in encodings(value).values()}
    assert all(place.exists() for place in places), places
    found = subprocess.run(
        ["grep", "--recursive", "--text", "--fixed-strings", "--files-with-matches", "--file=-", *map(str, places)],
        input=b"\n".join(patterns), capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    trouble = [line for line in found.stderr.splitlines() if not line.endswith(b": No such file or directory")]
    assert not trouble, trouble  # a running server removes files
    return found.stdout.decode().splitlines() if patterns else []


def _line(pattern: bytes) -> bytes:
    """The longest piece of it without an end of line, which is how the patterns are told apart."""
    piece = max(pattern.split(b"\n"), key=len)
    assert len(piece) >= _SHORTEST, pattern
    return piece
