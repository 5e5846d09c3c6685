"""Errors: four kinds, because an operator treats them differently.

    OmonatError
    ├── BadInput      the data handed in is wrong: the caller mends it
    ├── Refused       the policy forbids it: nobody mends it by trying again
    ├── Unavailable   the world outside failed (disk, database, log): try again, nothing was done
    └── Fault         a promise of our own code does not hold: a bug, or tampering

Each carries a stable code of `omonat.base.codes`; nobody tells errors apart by their text. `about` holds names and
places (items, purposes, files, lines), never a value of personal data.
"""

from collections.abc import Mapping

from omonat.base.codes import sentence


class OmonatError(Exception):
    """An error with a stable code. `about` fills the placeholders of the code's sentences."""

    def __init__(self, code: str, **about: str) -> None:
        super().__init__(code)
        self.code = code
        self.about: Mapping[str, str] = about

    def __str__(self) -> str:
        return sentence(self.code, "en", self.about)


class BadInput(OmonatError):
    """What was handed in is wrong; saying it again unchanged will fail again."""


class Refused(OmonatError):
    """The policy forbids it."""


class Unavailable(OmonatError):
    """Something we depend on failed; nothing was released and nothing half done."""


class Fault(OmonatError):
    """An invariant is broken: a bug of ours, or somebody changed what must not change."""
