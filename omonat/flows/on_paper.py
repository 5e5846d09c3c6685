"""On paper: the codes of a file that may leave on sheets, because it is sealed to whoever it is for (S2)."""

from collections.abc import Sequence

from omonat.base import paper
from omonat.base.errors import BadInput, Refused
from omonat.base.verdict import Allow
from omonat.flows.locking import is_noise, locked_to
from omonat.flows.sealed_forms import Batch, read_batch
from omonat.promises.security.leaving import Seal, decide_paper
from omonat.vault.encoding import bytes_of
from omonat.vault.sealing import SHORTEST


def codes_of(file: bytes) -> Sequence[str]:
    """The codes that stand for a file on paper, in order.

    Raises Refused `paper-unsealed` or `paper-password`, BadInput `paper-too-long`.
    """
    verdict = decide_paper(seal_of(file))
    if not isinstance(verdict, Allow):
        raise Refused(verdict.reasons[0].code)
    return paper.codes(file)


def batches(raw: bytes) -> list[Batch]:
    """The sealed forms of a file: as a device saved it, or as its sheets were scanned, one code on a line.

    Raises BadInput batch-malformed, and for codes what `omonat.base.paper.joined` raises.
    """
    if not paper.is_codes(raw):
        return [read_batch(raw)]
    return [read_batch(file) for file in paper.joined(paper.lines_of(raw)).values()]


def ending(file: bytes) -> str:
    """How the name of such a file ends, so that whoever opens it knows with what."""
    return {Seal.VAULT: ".json", Seal.NOTHING: ".bin"}.get(seal_of(file), ".age")


def seal_of(file: bytes) -> Seal:
    """What a file is encrypted to, by its form: without the key nobody tells ciphertext from other noise."""
    locked = locked_to(file)
    if locked is not None:
        return Seal.PASSWORD if locked == "password" else Seal.RECIPIENT
    try:
        forms = read_batch(file).forms
    except BadInput:
        return Seal.NOTHING
    return Seal.VAULT if all(_is_sealed(form.sealed) for form in forms) else Seal.NOTHING


def _is_sealed(text: str) -> bool:
    try:
        raw = bytes_of(text)
    except ValueError:
        return False
    return len(raw) >= SHORTEST and is_noise(raw)
