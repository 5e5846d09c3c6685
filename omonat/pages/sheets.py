"""A paper batch as sheets: codes that a scanner reads, and the few words somebody needs who holds one (S2)."""

from collections.abc import Sequence
from typing import Any, Final

from omonat.base.instants import Instant
from omonat.base.paper import PER_SHEET
from omonat.pages.certificate import paper
from omonat.pages.qr import drawing
from omonat.pages.words import N_, Words, words_of

TITLE: Final = N_("Paper batch")
SAYS: Final = N_(
    "What stands in these codes is encrypted to its recipient. Whoever finds this sheet can’t read it, and we neither, "
    "unless we are the recipient."
)
HOW: Final = N_(
    "Scan every code of every sheet into one text file, a code on a line, in any order: omonat paper join reads it, "
    "and omonat offline import where the sheets are of an offline desk. "
    "Without Omonat, where one batch is in the file (the digest begins like the batch’s name):"
)
NUMBERED: Final = N_("Sheet %(number)s of %(of)s")
WITHOUT: Final = "sort -u codes.txt | cut -d/ -f6 | tr -d '\\r\\n' | base32 -d > file; sha256sum file"


def sheets_pdf(batches: Sequence[Sequence[str]], language: str, at: Instant) -> bytes:
    """The sheets of these batches' codes, as PDF, dated `at`. Some 0.1 s for each code: use a thread."""
    words = words_of(language)
    sheets = [sheet for codes in batches for sheet in _sheets(codes, words)]
    return paper("sheets.typ", sheet_words(words) | {"language": language, "sheets": sheets}, at)


def sheet_words(words: Words) -> dict[str, Any]:
    """What stands on every sheet, wherever it is made: `title`, `says`, `how` and `without`."""
    return {"title": words(TITLE), "says": words(SAYS), "how": words(HOW), "without": WITHOUT}


def _sheets(codes: Sequence[str], words: Words) -> list[dict[str, Any]]:
    groups = [codes[at : at + PER_SHEET] for at in range(0, len(codes), PER_SHEET)]
    return [
        {
            "number": words(NUMBERED, number=number, of=len(groups)),
            "batch": codes[0].split("/")[2],
            "codes": [
                {"drawn": drawing(code), "number": f"{(number - 1) * PER_SHEET + place} / {len(codes)}"}
                for place, code in enumerate(group, 1)
            ],
        }
        for number, group in enumerate(groups, 1)
    ]
