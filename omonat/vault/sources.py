"""Where the root key comes from, and what can be told of the keys before there is one.

A source is one function from its setting to a `RootKey`. A KMS or an HSM that hands over the 32 bytes is one more case
here and one more kind in `RootSource`; nothing above this file knows the difference.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from omonat.base.errors import Fault, Unavailable
from omonat.base.settings import RootSource
from omonat.vault.header import LENGTH, PAGE, unproved
from omonat.vault.root import RootKey
from omonat.vault.shares import SHARES, Gathering, kept_set
from omonat.vault.storage import open_closed, write_new

STRETCHING: Final = "passphrase.scrypt"
"""Beside the keys: how a passphrase becomes the root, so that it can also be typed. No secret."""
BESIDE_KEYS: Final = (STRETCHING, SHARES)
"""What lies beside the keys and helps to open them. It goes into every backup of them: without the first a passphrase
gives another root, without the second shares of a set that was ended open again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the head of the slot file says in the clear; proved only once a root fits."""

    installation: str
    mark: bytes


def root_key(source: RootSource, home: Path | None = None, folder: Path | None = None) -> RootKey:
    """The root key from where the settings say, to open the keys under `home`, or a copy of them in `folder`; a new one
    where there is no `home`.

    Raises what reading it raises, Refused or Unavailable or BadInput; Unavailable `keys-missing` where keys are and
    nothing tells how a passphrase is stretched: new parameters would give another root.
    """
    match source.kind:
        case "key-file":
            return RootKey.from_file(source.path)
        case "credential":
            return RootKey.from_credential(source.path.name)
        case "passphrase-file":
            parameters = beside(source.path)
            if home is not None and not parameters.exists() and standing(home, folder) is not None:
                return typed_passphrase(home, passphrase_in(source.path), folder)
            return RootKey.from_passphrase(passphrase_in(source.path), parameters)


def passphrase_in(file: Path) -> str:
    """The passphrase of a file, without the line's end. Raises Unavailable keys-missing."""
    try:
        return file.read_text("utf-8").strip()
    except OSError:
        raise Unavailable("keys-missing", file=str(file)) from None


def beside(file: Path) -> Path:
    """Where the parameters of a passphrase file lie."""
    return file.with_suffix(".scrypt")


def keep_stretching(home: Path, parameters: Path) -> None:
    """Let the passphrase be typed from now on: its parameters are put beside the keys, unless they are there."""
    with suppress(OSError):
        write_new(home / "keys" / STRETCHING, parameters.read_bytes(), replace=False)


def typed_passphrase(home: Path, passphrase: str, folder: Path | None = None) -> RootKey:
    """The root of a passphrase that somebody typed. Raises Unavailable keys-missing where none was ever used."""
    parameters = (folder or home / "keys") / STRETCHING
    if not parameters.exists():
        raise Unavailable("keys-missing", file=str(parameters))
    return RootKey.from_passphrase(passphrase, parameters)


def standing(home: Path, folder: Path | None = None) -> Standing | None:
    """What the keys under `home` say of themselves without a root, or a copy of them in `folder`; None when there are
    no keys yet.

    Raises Fault keys-changed, Unavailable, Refused key-file-open.
    """
    path = (folder or home / "keys") / "slots"
    if not path.exists():
        return None
    descriptor = open_closed(path, os.O_RDONLY)
    try:
        found = [unproved(os.pread(descriptor, LENGTH, page)) for page in (0, PAGE)]
    finally:
        os.close(descriptor)
    heads = sorted((head for head in found if head is not None), key=lambda head: head[0])
    if not heads:
        raise Fault("keys-changed", file=str(path))
    _, mark, installation = heads[-1]
    return Standing(installation, mark)


def gathering(home: Path, folder: Path | None = None) -> Gathering:
    """An empty table for the shares of these keys, or of a copy of them in `folder`.

    Raises Unavailable keys-missing when there are none.
    """
    keys = folder or home / "keys"
    found = standing(home, keys)
    if found is None:
        raise Unavailable("keys-missing", file=str(keys / "slots"))
    return Gathering(found.installation, found.mark, kept_set(home, keys))
