"""The root key: the one secret that is not stored with what it protects. Without it the vault stays sealed (S2, S6).

It comes from a passphrase (scrypt, its parameters in a file beside), from a file only we may read, from systemd's
credentials, or from m of n shares (`shares`). Whoever hands over the same 32 bytes makes the same class: a KMS or an
HSM would be one more of the functions in `sources`.
"""

import os
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from hashlib import scrypt
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec

from omonat.base.errors import BadInput, Fault, Refused, Unavailable
from omonat.vault.box import Box, TamperedError, WrongKeyError
from omonat.vault.encoding import derive, frame
from omonat.vault.storage import closed_folder, open_closed, write_new

_LENGTH = 32
_SHORTEST_PASSPHRASE = 12
_Divided = TypeVar("_Divided")
_MEMORY_CEILING = 1 << 30  # bytes; parameters beyond it are refused, they could only come from a changed file


class Stretching(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a passphrase becomes a root: scrypt's parameters (RFC 7914). `n` is memory and time, 128·n·r bytes."""

    salt: str
    n: int = 1 << 17
    r: int = 8
    p: int = 1
    kdf: str = "scrypt"


class RootKey:
    """32 secret bytes and what may be done with them. Shows nothing of itself, and cannot be copied or pickled."""

    __slots__ = ("_secret", "mark")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _LENGTH:
            raise BadInput("root-malformed")
        self._secret = bytes(secret)
        self.mark = derive(self._secret, frame("omonat/root-mark/v1"), 16)
        """16 bytes that tell this root from another and nothing else about it; stored to refuse a wrong one clearly."""

    def __repr__(self) -> str:
        return "RootKey(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a root key is not to be copied")

    @classmethod
    def from_passphrase(cls, passphrase: str, beside: Path, *, n: int = 1 << 17) -> "RootKey":
        """Stretch a passphrase by the parameters in the file `beside`, made with cost `n` when there is none.

        Takes about half a second and 128 MiB by default. Raises BadInput for a new passphrase under 12 characters.
        """
        words = unicodedata.normalize("NFKC", passphrase).encode()
        if not beside.exists():
            if len(passphrase) < _SHORTEST_PASSPHRASE:
                raise BadInput("passphrase-short", least=str(_SHORTEST_PASSPHRASE))
            closed_folder(beside.parent, create=True)
            fresh = Stretching(salt=os.urandom(32).hex(), n=n)
            with suppress(FileExistsError):  # another process was first: its parameters count
                write_new(beside, msgspec.json.format(msgspec.json.encode(fresh)), replace=False)
        how = _read_stretching(beside)
        return cls(
            scrypt(
                words, salt=bytes.fromhex(how.salt), n=how.n, r=how.r, p=how.p, maxmem=_MEMORY_CEILING, dklen=_LENGTH
            )
        )

    @classmethod
    def from_file(cls, path: Path) -> "RootKey":
        """Read exactly 32 bytes from a file that nobody else may read (0600 or 0400). Raises Refused or Unavailable."""
        descriptor = open_closed(path, os.O_RDONLY)
        try:
            return cls(os.read(descriptor, _LENGTH + 1))
        finally:
            os.close(descriptor)

    @classmethod
    def make_file(cls, path: Path) -> "RootKey":
        """Make a fresh random root in a new file, 0600. Raises FileExistsError rather than replace one."""
        closed_folder(path.parent, create=True)
        write_new(path, os.urandom(_LENGTH), replace=False)
        return cls.from_file(path)

    @classmethod
    def from_credential(cls, name: str = "omonat-root") -> "RootKey":
        """Read the 32 bytes systemd put into $CREDENTIALS_DIRECTORY (LoadCredentialEncrypted=). Raises Unavailable."""
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise Unavailable("root-missing", name=name)
        try:
            return cls((Path(folder) / name).read_bytes())
        except OSError:
            raise Unavailable("root-missing", name=name) from None

    def divide(self, by: Callable[[bytes], _Divided]) -> _Divided:
        """What `by` makes of the secret: its shares. The one way the secret itself is handed to anybody."""
        return by(self._secret)

    def subkey(self, context: bytes) -> bytes:
        """32 bytes for one framed context, from which the root can't be had back."""
        return derive(self._secret, context)

    def seal(self, context: bytes, plaintext: bytes) -> bytes:
        """Seal under the root for `context`."""
        return self._box(context).seal(plaintext, context)

    def open(self, context: bytes, sealed: bytes) -> bytes:
        """Open what `seal` made for the same context. Raises Refused root-wrong, or Fault when it was changed."""
        try:
            return self._box(context).open(sealed, context)
        except WrongKeyError:
            raise Refused("root-wrong") from None
        except TamperedError:
            raise Fault("keys-changed", file="") from None

    def _box(self, context: bytes) -> Box:
        return Box(self.subkey(frame("omonat/root-box/v1", context)))


def _read_stretching(path: Path) -> Stretching:
    descriptor = open_closed(path, os.O_RDONLY)
    try:
        how = msgspec.json.decode(os.read(descriptor, 4096), type=Stretching)
        bytes.fromhex(how.salt)
    except ValueError:
        raise Fault("keys-changed", file=str(path)) from None
    finally:
        os.close(descriptor)
    sane = how.n > 1 and how.n & (how.n - 1) == 0 and how.r > 0 and how.p > 0
    if how.kdf != "scrypt" or not sane or 128 * how.n * how.r * how.p > _MEMORY_CEILING // 2:
        raise Fault("keys-changed", file=str(path))
    return how
