"""Paper batches: a file as codes, and the file again, whole or not at all (S2)."""

import shlex
import subprocess
from base64 import b32encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from omonat.base import paper
from omonat.base.errors import BadInput
from omonat.pages.sheets import WITHOUT

FILES = st.integers(0, 3).flatmap(lambda more: st.binary(min_size=1 + 790 * more, max_size=1 + 800 * (more + 1)))
THREE = bytes(range(256)) * 7  # three codes, the last shorter
VECTOR = b"omonat"
VECTOR_CODE = "OMONAT/1/78102F96F5C9B880202744556CF5099D/0001/0001/N5WW63TBOQ======"


def joined(lines: Iterable[str], ends: str = "\n") -> Mapping[str, bytes]:
    return paper.joined({"codes.txt": ends.join(lines).encode()})


@given(FILES, st.randoms(use_true_random=False))
def test_S2_scanned_in_any_order_and_twice_the_file_is_the_same(file: bytes, random: Random) -> None:
    lines = [*paper.codes(file), "", *paper.codes(file)]
    random.shuffle(lines)
    assert joined(lines) == {paper.batch_of(file): file}


def test_S2_batches_that_were_mixed_come_apart() -> None:
    one, other = b"one" * 600, b"other" * 600
    lines = [line for pair in zip(paper.codes(one), reversed(paper.codes(other)), strict=False) for line in pair]
    lines += paper.codes(other)
    assert joined(lines) == {paper.batch_of(one): one, paper.batch_of(other): other}


def test_S2_a_code_fits_what_is_printed_of_it() -> None:
    """Version 30 has 137 points and a margin of four on each side: half a millimetre for each in seventy-four."""
    drawn = [segno.make_qr(paper.codes(bytes(795) + bytes(size))[-1], error="m") for size in (0, 791, 792, 794)]
    assert [(code.version, code.mode) for code in drawn] == [
        (24, "alphanumeric"), (30, "byte"), (30, "byte"), (30, "byte"),
    ]  # fmt: skip


def test_S2_the_vector_of_the_formats_page_is_this() -> None:
    assert paper.codes(VECTOR) == [VECTOR_CODE]
    assert VECTOR_CODE in (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")


def test_S2_what_stands_on_the_sheet_reads_it_without_us(tmp_path: Path) -> None:
    lines = paper.codes(THREE)
    (tmp_path / "codes.txt").write_bytes("\r\n".join([*reversed(lines), lines[1]]).encode() + b"\r\n")
    done = subprocess.run(["sh", "-euc", WITHOUT], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (tmp_path / "file").read_bytes() == THREE
    assert done.stdout.upper().startswith(lines[0].split("/")[2])


def test_S2_what_is_missing_is_named() -> None:
    lines = paper.codes(bytes(795 * 9))
    with pytest.raises(BadInput) as refused:
        joined([lines[0], lines[3], lines[8]])
    assert (refused.value.code, refused.value.about["missing"]) == ("paper-incomplete", "2–3, 5–8")


def test_S2_nothing_scanned_is_no_batch() -> None:
    with pytest.raises(BadInput, match="no code"):
        joined(["", "   "])


@pytest.mark.parametrize(
    "change",
    [
        lambda part: part.replace(part[40], "A" if part[40] != "A" else "B", 1),
        lambda part: b32encode(b"something else".ljust(795, b".")).decode(),
    ],
    ids=["a letter", "a whole part"],
)
def test_S2_a_sheet_that_was_changed_is_noticed(change: Callable[[str], str]) -> None:
    lines = paper.codes(THREE)
    head, _, part = lines[1].rpartition("/")
    with pytest.raises(BadInput) as refused:
        joined([lines[0], f"{head}/{change(part)}", lines[2]])
    assert refused.value.code == "paper-changed"
    with pytest.raises(BadInput) as refused:
        joined([*lines, f"{head}/{change(part)}"])  # beside the true one
    assert refused.value.code == "paper-changed"


def _spellings(line: str) -> list[str]:
    head, batch, number, of, part = line[:8], *line[9:].split("/")
    return [
        line.lower(), line[1:], f"{line}=", f"{line}A", f"{line} x", line.replace("/1/", "/2/"), "x" * 3_000,
        "/".join((head, batch.lower(), number, of, part)), "/".join((head, batch[1:], number, of, part)),
        "/".join((head, batch, "0000", of, part)), "/".join((head, batch, "0002", "0001", part)),
        "/".join((head, batch, "1", of, part)), "/".join((head, batch, number, "1999", part)),
        "/".join((head, batch, "٠٠٠١", of, part)), "/".join((head, batch, number, of, part[:-1])),
        "/".join((head, batch, number, of, "77777777" * 200)),
    ]  # fmt: skip


@pytest.mark.parametrize("at", range(16))
def test_S2_a_code_has_one_spelling(at: int) -> None:
    line = paper.codes(b"omonat" * 20)[0]
    assert joined([line])  # else all below is refused for another reason
    with pytest.raises(BadInput) as refused:
        joined([_spellings(line)[at]])
    assert refused.value.code == "paper-code-malformed"
    assert refused.value.about == {"line": "1", "file": "codes.txt"}


@pytest.mark.parametrize("around", ["\x0b", "\x0c", "\x1f", "\xa0", "\u2003", "\ufeff"])
def test_S2_nothing_but_blanks_stands_around_a_code(around: str) -> None:
    line = paper.codes(b"omonat")[0]
    assert joined([f" \t{line} "])
    with pytest.raises(BadInput):
        joined([line, f"{around}{line}"])


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_S2_the_line_that_is_wrong_is_named_whatever_ends_lines(ends: str) -> None:
    lines = list(paper.codes(THREE))
    assert joined(["\ufeff" + lines[0], *lines[1:]], ends) == {paper.batch_of(THREE): THREE}
    with pytest.raises(BadInput) as refused:
        joined([*lines, "ЩЬЩТФЕ/1/", *lines], ends)
    assert refused.value.about["line"] == "4"


def test_S2_bits_that_mean_nothing_are_another_spelling() -> None:
    assert VECTOR_CODE.endswith("OQ======")
    with pytest.raises(BadInput, match="Line 1"):
        joined([VECTOR_CODE.replace("OQ======", "OR======")])


LINES = st.one_of(
    st.text(max_size=80),
    st.from_regex(r"OMONAT/1/[0-9A-F]{32}/0001/000[12]/[A-Z2-7]{8}", fullmatch=True),
    st.sampled_from([*paper.codes(THREE), *paper.codes(VECTOR), ""]),
)


@settings(max_examples=300)
@given(st.lists(LINES, max_size=8))
def test_S2_whatever_was_scanned_ends_in_a_whole_file_or_a_complaint(lines: list[str]) -> None:
    found: Mapping[str, bytes] = {}
    with suppress(BadInput):
        found = joined(lines)
    assert set(found.values()) <= {THREE, VECTOR}
    if set(lines) == {*paper.codes(THREE)}:
        assert list(found.values()) == [THREE]


def test_S2_more_than_two_hundred_sheets_are_too_many() -> None:
    assert len(paper.codes(bytes(795 * paper.MOST))) == paper.MOST
    with pytest.raises(BadInput, match="more than 200 sheets"):
        paper.codes(bytes(795 * paper.MOST + 1))


def test_S2_the_words_of_the_sheet_are_no_shell_of_ours() -> None:
    """What stands on paper is typed by strangers: plain tools, one file in, one file out."""
    assert {shlex.split(part)[0] for part in WITHOUT.replace(";", "|").split("|")} == {
        "sort", "cut", "tr", "base32", "sha256sum",
    }  # fmt: skip
