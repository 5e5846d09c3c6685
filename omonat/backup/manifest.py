"""The manifest: what a backup holds and of which moment, signed by the installation it is of.

A folder without one is a backup that was cut off, and is none. Data, log and journal stand in one folder, the keys in
another with a manifest of their own: whoever finds the one can't open it with what lies beside it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from msgspec import Struct

from omonat.backup.frames import Place
from omonat.backup.parts import Part
from omonat.base.canonical import canonical
from omonat.base.errors import BadInput, Fault
from omonat.base.instants import Instant
from omonat.vault.history import KeyState
from omonat.vault.storage import write_new
from omonat.vault.vault import Vault

DATA: Final = "manifest.json"
KEYS: Final = "keys.json"
_SIGNER: Final = "backups"
_VERSION: Final = 1


class Table(Struct, frozen=True):
    """One table: how many rows, which columns, in the order they are stored."""

    name: str
    rows: int
    columns: tuple[str, ...]


class Manifest(Struct, frozen=True, kw_only=True):
    """Of data, log and journal. `taken` is when the snapshot began; `checkpoint` is the log's newest, as issued."""

    version: int
    id: str
    installation: str
    origin: str
    program: str
    taken: Instant
    ended: Instant
    schema: int
    policy: int
    placed: int
    frames: int
    digest: bytes
    keys: KeyState
    checkpoint: str
    tables: tuple[Table, ...]
    parts: tuple[Part, ...]

    @property
    def place(self) -> Place:
        """The journal's head as the snapshot knows it: what follows is to be replayed."""
        return Place(self.frames, self.digest)

    def part(self, name: str) -> Part:
        """The part whose file begins with this name. Raises Fault `backup-part-missing`."""
        for part in self.parts:
            if part.file.startswith(f"{name}.tar"):
                return part
        raise Fault("backup-part-missing", part=name)


class KeysManifest(Struct, frozen=True, kw_only=True):
    """Of the keys: which backup they were copied with, and how far they had come."""

    version: int
    backup: str
    installation: str
    taken: Instant
    keys: KeyState
    parts: tuple[Part, ...]


_Kind = TypeVar("_Kind", Manifest, KeysManifest)


@dataclass(frozen=True, slots=True)
class Signed:
    """A manifest as read, and whether its signature holds once the keys are open."""

    raw: bytes
    signature: bytes

    def check(self, vault: Vault) -> None:
        """Raises Fault `backup-foreign` for a signature of another installation, or none of ours."""
        key = vault.signing_key(_SIGNER).public_key()
        try:
            key.verify(self.signature, _statement(self.raw))
        except InvalidSignature:
            raise Fault("backup-foreign") from None


def write(folder: Path, manifest: Manifest | KeysManifest, vault: Vault) -> None:
    """Sign and write the manifest, last of all: from then on the backup is whole. Durable on return."""
    raw = canonical(msgspec.to_builtins(manifest))
    signature = vault.signing_key(_SIGNER).sign(_statement(raw))
    whole = msgspec.json.encode({"manifest": msgspec.Raw(raw), "signature": signature})
    write_new(folder / _name(type(manifest)), msgspec.json.format(whole) + b"\n", replace=False)


def read(folder: Path) -> tuple[Manifest, Signed]:
    """The manifest of data, log and journal. Raises BadInput `backup-incomplete`, Fault `backup-manifest-altered`."""
    return _read(folder, Manifest)


def read_keys(folder: Path) -> tuple[KeysManifest, Signed]:
    """The keys' manifest; raises as `read` does."""
    return _read(folder, KeysManifest)


def newest(folder: Path) -> Path | None:
    """The newest whole backup in a folder of backups, by its name, which is its time; or the folder itself."""
    if (folder / DATA).is_file():
        return folder
    return _newest(folder, DATA)


def newest_keys(folder: Path) -> Path | None:
    """The same for the copies of the keys."""
    return folder if (folder / KEYS).is_file() else _newest(folder, KEYS)


def _newest(folder: Path, name: str) -> Path | None:
    whole = sorted(path.parent for path in folder.glob(f"*/{name}") if not path.parent.name.startswith("."))
    return whole[-1] if whole else None


def _read(folder: Path, kind: type[_Kind]) -> tuple[_Kind, Signed]:
    try:
        raw = (folder / _name(kind)).read_bytes()
    except OSError:
        raise BadInput("backup-incomplete", folder=str(folder)) from None
    try:
        outer = msgspec.json.decode(raw, type=_Outer)
        body = canonical(msgspec.json.decode(outer.manifest))
        found = msgspec.json.decode(body, type=kind, strict=True)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Fault("backup-manifest-altered", folder=str(folder)) from error
    if found.version != _VERSION:
        raise BadInput("backup-other-version", found=str(found.version))
    return found, Signed(body, outer.signature)


class _Outer(Struct, frozen=True, forbid_unknown_fields=True):
    manifest: msgspec.Raw
    signature: bytes


def _name(kind: type[Manifest] | type[KeysManifest]) -> str:
    return DATA if kind is Manifest else KEYS


def _statement(raw: bytes) -> bytes:
    return b"omonat-backup/v1\n" + raw
