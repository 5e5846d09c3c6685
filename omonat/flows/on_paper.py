"""On paper: the codes of a file that may leave on sheets, because it is sealed to whoever it is for (S2).

A file tells what it is encrypted to by its form. Without the key nobody tells ciphertext from other noise, so whoever
hides plain data in such a form gets it printed: what is checked is that it has that form and reads as noise.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from omonat.base import paper
from omonat.base.errors import BadInput, Refused
from omonat.base.ids import is_id
from omonat.base.instants import from_rfc3339
from omonat.base.verdict import Allow
from omonat.flows.locking import is_noise, locked_to
from omonat.flows.sealed_forms import Batch, SealedForm, read_batch
from omonat.promises.security.leaving import Seal, decide_paper
from omonat.vault.encoding import bytes_of
from omonat.vault.sealing import SHORTEST

_SERVICE: Final = re.compile(r"[a-z][a-z0-9-]{0,59}")
_TOKEN: Final = re.compile(r"omf1\.([A-Za-z0-9_-]{1,200})\.([A-Za-z0-9_-]{20,100})")
_SIGNATURE: Final = 64


def codes_of(file: bytes) -> Sequence[str]:
    """The codes that stand for a file on paper, in order.

    Raises Refused `paper-unsealed` or `paper-password`, BadInput `paper-too-long`.
    """
    if len(file) > paper.LONGEST:
        raise BadInput("paper-too-long", sheets=str(paper.MOST // paper.PER_SHEET))
    seal, exact = _sealed(file)
    verdict = decide_paper(seal)
    if not isinstance(verdict, Allow):
        raise Refused(verdict.reasons[0].code)
    return paper.codes(exact)


def batches(name: str, raw: bytes) -> list[Batch]:
    """The sealed forms of a file: as a device saved it, or as its sheets were scanned, one code on a line.

    Raises BadInput batch-malformed, and for codes what `omonat.base.paper.joined` raises.
    """
    if raw.lstrip().startswith(b"{"):
        return [read_batch(raw)]
    return [read_batch(file) for file in paper.joined({name: raw}).values()]


def ending(file: bytes) -> str:
    """How the name of such a file ends, so that whoever opens it knows with what."""
    return {Seal.VAULT: ".json", Seal.NOTHING: ".bin"}.get(seal_of(file), ".age")


def seal_of(file: bytes) -> Seal:
    """What a file is encrypted to, by its form."""
    return _sealed(file)[0]


def _sealed(file: bytes) -> tuple[Seal, bytes]:
    """What it is encrypted to, and the bytes of it that are: of a batch just what its format knows."""
    locked = locked_to(file)
    if locked is not None:
        return (Seal.PASSWORD if locked == "password" else Seal.RECIPIENT), file
    try:
        batch = read_batch(file)
    except BadInput:
        return Seal.NOTHING, b""
    if is_id("omk", batch.device) and all(map(_is_sealed, batch.forms)):
        return Seal.VAULT, msgspec.json.encode(batch)
    return Seal.NOTHING, b""


def _is_sealed(form: SealedForm) -> bool:
    """Whether nothing stands in the clear but what the format has there, each in its own spelling."""
    token = _TOKEN.fullmatch(form.form)
    if token is None or not is_id("sfm", form.id) or _SERVICE.fullmatch(form.service) is None:
        return False
    try:
        from_rfc3339(form.made_at)
        sealed, signature = bytes_of(form.sealed), bytes_of(form.signature)
    except (BadInput, ValueError):
        return False
    return len(sealed) >= SHORTEST and is_noise(sealed) and len(signature) in (0, _SIGNATURE)


def scans(raw: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """The sealed files of scanned sheets, by the name each is kept under; see `omonat.base.paper.joined`."""
    return {f"{batch}{ending(file)}": file for batch, file in paper.joined(raw).items()}
