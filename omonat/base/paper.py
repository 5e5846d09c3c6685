"""Paper batches: a sealed file as codes on numbered sheets, and the file again from what was scanned (S2).

A code is one line of capitals and digits, which QR codes hold tightly and scanners don't mangle:

    OMONAT/1/<batch>/<number>/<of>/<part>

The batch is named by its content, so that sheets of two batches never mix; parts are base32, so that `sort`, `cut` and
`base32 -d` put a file together where nothing of ours is. Whether a file may go on paper is not decided here. Said for
everybody in docs/formats.md.
"""

import re
from base64 import b32decode, b32encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from omonat.base.errors import BadInput

PER_SHEET: Final = 6
MOST: Final = 1_200
"""Codes of one batch: two hundred sheets."""
_PART: Final = 795  # bytes; a multiple of five, and with its head a QR code of version 24, half a millimetre a point
LONGEST: Final = MOST * _PART
"""Bytes that two hundred sheets hold: nearly a megabyte."""
LONGEST_SCAN: Final = 8_000_000
"""Bytes of one text of scanned codes: a full batch, scanned five times."""
_CODE: Final = re.compile(r"OMONAT/1/([0-9A-F]{32})/(0\d{3}|1\d{3})/(0\d{3}|1\d{3})/([A-Z2-7]+={0,6})", re.ASCII)
_LONGEST_LINE: Final = 2_000


@dataclass(frozen=True, slots=True)
class _Code:
    batch: str
    number: int
    of: int
    part: bytes


def codes(file: bytes) -> Sequence[str]:
    """The codes of a file, in order. Raises BadInput `paper-too-long`; a file of nothing has no code and is a bug."""
    if not file:
        raise ValueError("nothing to put on paper")
    if len(file) > LONGEST:
        raise BadInput("paper-too-long", sheets=str(MOST // PER_SHEET))
    parts = [file[at : at + _PART] for at in range(0, len(file), _PART)]
    head = f"OMONAT/1/{batch_of(file)}"
    return [f"{head}/{n:04}/{len(parts):04}/{b32encode(part).decode()}" for n, part in enumerate(parts, 1)]


def batch_of(file: bytes) -> str:
    """What a batch is called: half of its file's SHA-256, in capital hex."""
    return sha256(file).hexdigest()[:32].upper()


def joined(scans: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """The files of whole batches by batch, from named texts of scanned codes: in any order, one on a line, however
    often each.

    Raises BadInput `paper-code-malformed` (with text and line), `paper-scan-too-long`, `paper-changed` where codes
    contradict each other or make another file, `paper-incomplete` with the numbers that are missing, and `paper-empty`.
    """
    found: dict[str, dict[int, _Code]] = {}
    for name, raw in scans.items():
        if len(raw) > LONGEST_SCAN:
            raise BadInput("paper-scan-too-long", file=name, megabytes=str(LONGEST_SCAN // 1_000_000))
        for code in _read(name, raw):
            batch = found.setdefault(code.batch, {})
            if batch.setdefault(code.number, code) != code or next(iter(batch.values())).of != code.of:
                raise BadInput("paper-changed", batch=code.batch)
    if not found:
        raise BadInput("paper-empty")
    return {name: _whole(name, batch) for name, batch in found.items()}


def _read(name: str, raw: bytes) -> Iterator[_Code]:
    for at, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        if text := line.strip(b" \t"):
            match = _CODE.fullmatch(text.decode("latin-1")) if len(text) <= _LONGEST_LINE else None
            code = None if match is None else _parts(match)
            if code is None:
                raise BadInput("paper-code-malformed", line=str(at), file=name)
            yield code


def _parts(match: re.Match[str]) -> _Code | None:
    """The code, in the one spelling `codes` writes; None for any other."""
    batch, number, of, text = match[1], int(match[2]), int(match[3]), match[4]
    try:
        part = b32decode(text)
    except ValueError:
        return None
    full = len(part) == _PART or (number == of and len(part) < _PART)
    exact = b32encode(part).decode() == text
    return _Code(batch, number, of, part) if 1 <= number <= of <= MOST and full and exact else None


def _whole(name: str, batch: Mapping[int, _Code]) -> bytes:
    of = next(iter(batch.values())).of
    missing = [number for number in range(1, of + 1) if number not in batch]
    if missing:
        raise BadInput("paper-incomplete", batch=name, missing=_spans(missing), of=str(of))
    file = b"".join(batch[number].part for number in range(1, of + 1))
    if batch_of(file) != name:
        raise BadInput("paper-changed", batch=name)
    return file


def _spans(numbers: Sequence[int]) -> str:
    """1, 3–5: as people write it."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in spans)
