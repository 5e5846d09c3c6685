"""What a witness may cosign, as a rule of the request and of what it has seen (C2SP tlog-witness 1.0.0).

400  not a request; or the old size lies above the checkpoint's
404  nobody told us to watch this log
403  not signed by the log's key; or a line that names it is false
409  the caller extends another size than the one we saw last: here it is
422  the proof does not lead from what we saw to what we are shown: this log may have two histories
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from omonat.base.errors import BadInput
from omonat.evidence.note import ED25519, Checkpoint, Note, Verifier, strict_base64, strict_number
from omonat.evidence.tree import EMPTY_ROOT, HASH, ProofInvalid, check_consistency

LONGEST: Final = 72 * 1024
"""Bytes of a request: the longest note we read, and 63 hashes."""
_MOST_HASHES: Final = 63


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest checkpoint of a log that we cosigned."""

    size: int
    root: bytes


NOTHING: Final = Seen(0, EMPTY_ROOT)


class DeclinedError(Exception):
    """We don't cosign. `status` is C2SP's; `seen` the size to tell with a 409."""

    def __init__(self, status: int, why: str, *, seen: int | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.seen = seen

    @property
    def contradicts(self) -> bool:
        """Whether the log's own signature stands under something that doesn't fit what it signed before."""
        return self.status == 422


@dataclass(frozen=True, slots=True)
class Request:
    """`old` size, the consistency proof from there, the signed checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint

    def __bytes__(self) -> bytes:
        lines = [f"old {self.old}", *(b64encode(one).decode() for one in self.proof)]
        return ("\n".join(lines) + f"\n\n{self.note}").encode()

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a request; one spelling only. Raises DeclinedError 400."""
        head, gap, signed = raw.partition(b"\n\n")
        try:
            old, *hashes = head.decode("ascii").split("\n")
            if len(raw) > LONGEST or not gap or not old.startswith("old ") or len(hashes) > _MOST_HASHES:
                raise DeclinedError(400, "not an add-checkpoint request")
            note = Note.parse(signed)
            return cls(
                strict_number(old.removeprefix("old ")),
                tuple(_hash(line) for line in hashes),
                note,
                Checkpoint.parse(note.text, extended=True),
            )
        except (BadInput, UnicodeDecodeError) as error:
            raise DeclinedError(400, "not an add-checkpoint request") from error


def _hash(line: str) -> bytes:
    raw = strict_base64(line)
    if len(raw) != HASH:
        raise DeclinedError(400, "a hash isn't 32 bytes")
    return raw


def authenticate(request: Request, trusted: Sequence[Verifier]) -> Note:
    """The note with the lines of the log's own keys alone. `trusted` are those of this origin; none: unknown.

    Raises DeclinedError 404, 403, 400.
    """
    keys = [key for key in trusted if key.name == request.checkpoint.origin and key.kind == ED25519]
    if not keys:
        raise DeclinedError(404, "this log isn't watched here")
    try:
        request.note.check(keys)
    except BadInput as error:
        raise DeclinedError(403, "no trusted signature") from error
    if request.old > request.checkpoint.size:
        raise DeclinedError(400, "the old size lies above the checkpoint's")
    own = {(key.name, key.id) for key in keys}
    return Note(request.note.text, tuple(line for line in request.note.signatures if line[:2] in own))


def judge(request: Request, seen: Seen) -> None:
    """Returns when the checkpoint may follow what was seen. Raises DeclinedError 409, 422."""
    shown = request.checkpoint
    if request.old != seen.size:
        raise DeclinedError(409, "another size was seen last", seen=seen.size)
    if shown.size == 0 and shown.root != EMPTY_ROOT:
        raise DeclinedError(422, "an empty log has one root only")
    if request.old == 0:
        if request.proof:
            raise DeclinedError(422, "nothing can be proved from an empty log")
        return
    try:
        check_consistency(request.old, shown.size, seen.root, shown.root, request.proof)
    except ProofInvalid as error:
        raise DeclinedError(422, "the checkpoint doesn't extend the one seen last") from error
