"""Parts of a backup: one file each, written in one pass, hashed as stored, sealed to a recipient where one is named.

    data.tar[.age]      every table as COPY text, of one snapshot
    log.tar[.age]       the evidence log under its newest checkpoint
    journal.tar[.age]   the control journal
    keys.tar[.age]      key slots and keyring; always in another folder

Sealing is age's (X25519): the plain part never touches the disk, and only the holder of the identity opens it.
"""

import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final, cast

import pyrage
from msgspec import Struct

from omonat.base.errors import BadInput, Fault
from omonat.database.home import sync_folder

SEALED: Final = ".age"
_CHUNK: Final = 1 << 20


class Part(Struct, frozen=True):
    """One stored file: its name, its bytes and their SHA-256 in hex."""

    file: str
    bytes: int
    sha256: str


class _Hashed:
    """A file that hashes what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


class PartWriter:
    """Writes one part as a tar, member by member. Use `part_writer`."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def add(self, name: str, data: bytes) -> None:
        """One member. Names are ours: tables and numbers, never anything of people."""
        about = tarfile.TarInfo(name)
        about.size, about.mode = len(data), 0o600
        self._tar.addfile(about, BytesIO(data))

    def add_file(self, name: str, path: Path) -> None:
        """One member from a file, as long as it is now."""
        with path.open("rb") as file:
            about = tarfile.TarInfo(name)
            about.size, about.mode = os.fstat(file.fileno()).st_size, 0o600
            self._tar.addfile(about, file)


def recipients_of(text: str | None) -> list[Any]:
    """The recipients of a setting, `age1…` separated by commas. Raises BadInput `recipient-malformed`."""
    try:
        return [pyrage.x25519.Recipient.from_str(one.strip()) for one in (text or "").split(",") if one.strip()]
    except pyrage.RecipientError as error:
        raise BadInput("recipient-malformed") from error


def identities_of(path: Path | None) -> list[Any]:
    """The identities in an age key file. Raises BadInput `identity-malformed`."""
    if path is None:
        return []
    try:
        lines = path.read_text("utf-8").splitlines()
        return [pyrage.x25519.Identity.from_str(line.strip()) for line in lines if line.startswith("AGE-SECRET-KEY")]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError) as error:
        raise BadInput("identity-malformed") from error


@contextmanager
def part_writer(folder: Path, name: str, recipients: list[Any], done: list[Part]) -> Iterator[PartWriter]:
    """Write the part `name` into `folder`, durable when the block ends; what it became is appended to `done`."""
    file = folder / (name + SEALED if recipients else name)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as raw:
        hashed = _Hashed(raw)
        with ExitStack() as stack:
            target = stack.enter_context(_sealing(hashed, recipients)) if recipients else hashed
            tar = stack.enter_context(tarfile.open(fileobj=cast(IO[bytes], target), mode="w|", bufsize=_CHUNK))
            yield PartWriter(tar)
        raw.flush()
        os.fsync(raw.fileno())
    sync_folder(folder)
    done.append(Part(file.name, hashed.size, hashed.digest.hexdigest()))


@contextmanager
def _sealing(target: _Hashed, recipients: list[Any]) -> Iterator[IO[bytes]]:
    read, write = os.pipe()

    def seal() -> None:
        with os.fdopen(read, "rb") as pipe:
            pyrage.encrypt_io(pipe, target, recipients)

    with _beside(seal, os.fdopen(write, "wb")) as pipe:
        yield pipe


@contextmanager
def _beside(work: Callable[[], None], pipe: IO[bytes]) -> Iterator[IO[bytes]]:
    """Run `work` in a thread at the other end of `pipe`; its failure is the block's, and explains the block's own."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # handed on below
            failed.append(error)

    thread = threading.Thread(target=run, name="backup-part", daemon=True)
    thread.start()
    try:
        yield pipe
    finally:
        with suppress(BrokenPipeError):
            pipe.close()
        thread.join()
        if failed:
            raise failed[0]


def check_part(folder: Path, part: Part) -> None:
    """The stored bytes are those of the manifest. Raises Fault `backup-part-missing`, `backup-part-altered`."""
    digest, size = sha256(), 0
    try:
        with (folder / part.file).open("rb") as file:
            while data := file.read(_CHUNK):
                digest.update(data)
                size += len(data)
    except FileNotFoundError:
        raise Fault("backup-part-missing", part=part.file) from None
    if size != part.bytes or digest.hexdigest() != part.sha256:
        raise Fault("backup-part-altered", part=part.file)


def members(folder: Path, part: Part, identities: list[Any]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every member, in order. Raises BadInput `backup-sealed` without the right identity, Fault
    `backup-part-altered`."""
    with (folder / part.file).open("rb") as stored, ExitStack() as stack:
        source: IO[bytes] = stored
        if part.file.endswith(SEALED):
            source = stack.enter_context(_opening(stored, identities, part))
        try:
            with tarfile.open(fileobj=source, mode="r|", bufsize=_CHUNK) as tar:
                for member in tar:
                    content = tar.extractfile(member)
                    if content is None:
                        raise Fault("backup-part-altered", part=part.file)
                    yield member.name, content.read()
        except tarfile.TarError as error:
            raise Fault("backup-part-altered", part=part.file) from error


@contextmanager
def _opening(stored: IO[bytes], identities: list[Any], part: Part) -> Iterator[IO[bytes]]:
    read, write = os.pipe()

    def unseal() -> None:
        with suppress(BrokenPipeError), os.fdopen(write, "wb") as pipe:  # broken: the reader has had enough
            try:
                pyrage.decrypt_io(stored, pipe, identities)
            except pyrage.DecryptError as error:
                raise BadInput("backup-sealed", part=part.file) from error

    with _beside(unseal, os.fdopen(read, "rb")) as pipe:
        yield pipe
