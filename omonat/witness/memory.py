"""What a witness remembers: its key, the logs it watches, and of each the newest checkpoint it cosigned.

    key                      name and Ed25519 seed; made once, closed to others
    <hex sha256(origin)>/    one folder a log
        logs                 the log's public keys, one vkey a line
        seen                 `time <seconds>`, then the newest checkpoint with the log's signatures; `nothing` at first
        forks/               another root for a size we have seen, signed by the log: both notes together convict it
        unproved/            what came without a proof that it extends `seen`: a fork, or a caller's mistake
        .lock                held from the check to the flush

INVARIANT: a checkpoint is on the disk before it is signed, and nothing is ever signed that isn't in `seen`. A crash
between the two leaves a checkpoint remembered and not cosigned, never one cosigned and forgotten. What can't be read is
never taken for a fresh start: a watched log without `seen` is a Fault until somebody has looked.
"""

import fcntl
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from omonat.base.errors import BadInput, Fault, Unavailable
from omonat.base.instants import SECOND, Instant
from omonat.evidence.note import COSIGNATURE, ED25519, Checkpoint, Note, Signer, Verifier, strict_number
from omonat.witness.rule import NOTHING, DeclinedError, Request, Seen, authenticate, judge

_HEAD: Final = "omonat-witness-key/1"
_MOST_KEPT: Final = 64
"""Pairs of notes kept of one log in each folder: the first convicts it, and nobody can fill our disk."""
_NOTHING: Final = b"nothing\n"


def origin_hash(origin: str) -> str:
    """C2SP's name of a log in an address: SHA-256 in lower-case hex."""
    return sha256(origin.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Remembered:
    """A log's newest checkpoint as it lies on the disk, and the second of its newest cosignature; None at first."""

    seconds: int
    note: Note | None

    @property
    def seen(self) -> Seen:
        """Its size and root."""
        if self.note is None:
            return NOTHING
        checkpoint = Checkpoint.parse(self.note.text, extended=True)
        return Seen(checkpoint.size, checkpoint.root)

    def __bytes__(self) -> bytes:
        return _NOTHING if self.note is None else f"time {self.seconds}\n{self.note}".encode()

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read the file; one spelling only. Raises BadInput."""
        if raw == _NOTHING:
            return cls(0, None)
        head, _, note = raw.partition(b"\n")
        found = cls(strict_number(head.decode("latin-1").removeprefix("time ")), Note.parse(note))
        if bytes(found) != raw:
            raise BadInput("evidence-note-malformed", why="spelling")
        return found


class Memory:
    """One witness's folder. Several threads and processes may use it at once.

    `reached` hears the name of every step just done: the place for failpoints.
    """

    def __init__(self, path: Path, *, reached: Callable[[str], None] = lambda _step: None) -> None:
        self.path = path
        self._reached = reached
        self.signer = self._read_key()

    @classmethod
    def create(cls, path: Path, name: str) -> Self:
        """Begin a witness of this name. Raises BadInput for a name no key can have, Unavailable when one is there."""
        seed = Ed25519PrivateKey.generate().private_bytes_raw()
        signer = Signer(name, Ed25519PrivateKey.from_private_bytes(seed), COSIGNATURE)
        Verifier.parse(signer.verifier.vkey)  # the name must be one that notes can carry
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (path / "key").exists():
            raise BadInput("witness-exists", folder=str(path))
        with _disk_trouble():
            _put(path / "key", f"{_HEAD}\n{name}\n{b64encode(seed).decode()}\n".encode())
        return cls(path)

    def _read_key(self) -> Signer:
        try:
            head, name, seed = (self.path / "key").read_text("utf-8").splitlines()
        except FileNotFoundError:
            raise BadInput("witness-missing", folder=str(self.path)) from None
        except ValueError:
            raise Fault("witness-state-damaged", log="key") from None
        if head != _HEAD:
            raise Fault("witness-state-damaged", log="key")
        return Signer(name, Ed25519PrivateKey.from_private_bytes(b64decode(seed, validate=True)), COSIGNATURE)

    # -- the logs that are watched -------------------------------------------------------------------------------

    def trust(self, vkey: str) -> str:
        """Watch a log from now on, or take one more key of it; returns its origin. Raises BadInput for a wrong key."""
        key = Verifier.parse(vkey)
        if key.kind != ED25519:
            raise BadInput("evidence-note-malformed", why="vkey")
        folder = self.path / origin_hash(key.name)
        fresh = not folder.exists()
        with _disk_trouble():
            folder.mkdir(mode=0o700, exist_ok=True)
            if fresh:  # before its keys: a log that is known always has a `seen`
                _put(folder / "seen", _NOTHING)
            known = [one.vkey for one in self._keys_in(folder)]
            if vkey not in known:
                _put(folder / "logs", "".join(f"{one}\n" for one in (*known, vkey)).encode())
            _flush(self.path)
        return key.name

    def trusted(self, origin: str) -> tuple[Verifier, ...]:
        """The keys of a log; none for one nobody told us to watch."""
        return self._keys_in(self.path / origin_hash(origin))

    def watched(self) -> list[tuple[str, Remembered]]:
        """Every log by its origin, with what was seen of it."""
        folders = sorted(file.parent for file in self.path.glob("*/logs"))
        return [(self._keys_in(folder)[0].name, self._remembered(folder)) for folder in folders]

    @staticmethod
    def _keys_in(folder: Path) -> tuple[Verifier, ...]:
        try:
            return tuple(Verifier.parse(line) for line in (folder / "logs").read_text("utf-8").splitlines())
        except FileNotFoundError:
            return ()

    def _remembered(self, folder: Path) -> Remembered:
        """What was seen, with the log's signature under it checked again: a flipped bit is no memory."""
        try:
            found = Remembered.parse((folder / "seen").read_bytes())
            if found.note is not None:
                found.note.check(self._keys_in(folder))
                Checkpoint.parse(found.note.text, extended=True)
            return found
        except (FileNotFoundError, BadInput):
            raise Fault("witness-state-damaged", log=folder.name) from None

    # -- cosigning -----------------------------------------------------------------------------------------------

    def cosign(self, request: Request, *, now: Instant) -> bytes:
        """The signature line, once the checkpoint is on the disk. Blocks: use a thread.

        Raises DeclinedError, Fault `witness-state-damaged`, Unavailable `witness-unwritable`.
        """
        origin = request.checkpoint.origin
        note = authenticate(request, self.trusted(origin))
        folder = self.path / origin_hash(origin)
        with self._alone(folder):
            before = self._remembered(folder)
            try:
                judge(request, before.seen)
            except DeclinedError as declined:
                if declined.contradicts:
                    _keep_contradiction(folder, before, note)
                raise
            self._reached("judged")
            after = Remembered(max(now // SECOND, before.seconds, 1), note)
            if after != before:
                with _disk_trouble():
                    _put(folder / "seen", bytes(after), reached=self._reached)
            self._reached("kept")
            return self._line(after.seconds, note)

    def checkpoint(self, name: str) -> bytes | None:
        """The newest checkpoint of the log with this hash, under our cosignature; None before the first."""
        folder = self.path / name
        if not (folder / "logs").is_file():
            return None
        found = self._remembered(folder)
        return None if found.note is None else str(found.note).encode() + self._line(found.seconds, found.note)

    def _line(self, seconds: int, note: Note) -> bytes:
        """Ed25519 is deterministic: what was returned once is returned the same again, without having been stored."""
        signature = self.signer.sign(note.text, now=Instant(seconds * SECOND))
        return str(Note("", ((self.signer.name, self.signer.verifier.id, signature),)))[1:].encode()

    @contextmanager
    def _alone(self, folder: Path) -> Iterator[None]:
        """One at a time per log, in every process: each call opens the lock anew, so threads exclude each other too."""
        with _disk_trouble():
            lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _keep_contradiction(folder: Path, before: Remembered, shown: Note) -> None:
    """Two notes under the log's own signature. Of one size with two roots, they convict it without any word of ours."""
    seen, checkpoint = before.note, Checkpoint.parse(shown.text, extended=True)
    if seen is None or before.seen == Seen(checkpoint.size, checkpoint.root):
        return
    place = folder / ("forks" if before.seen.size == checkpoint.size else "unproved")
    with _disk_trouble():
        place.mkdir(mode=0o700, exist_ok=True)
        name = sha256(f"{seen.text}\n{shown.text}".encode()).hexdigest()[:16]
        if sum(1 for _ in place.iterdir()) < 2 * _MOST_KEPT and not (place / f"{name}.shown").exists():
            _put(place / f"{name}.seen", str(seen).encode())
            _put(place / f"{name}.shown", str(shown).encode())


def _put(file: Path, raw: bytes, *, reached: Callable[[str], None] = lambda _step: None) -> None:
    """Replace a file whole and durably. A flush that fails leaves the old one; its draft is never trusted again."""
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(raw)
        while view:
            view = view[os.write(descriptor, view) :]
        reached("written")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    reached("flushed")
    draft.rename(file)
    reached("renamed")
    _flush(file.parent)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_trouble() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable("witness-unwritable") from error
