"""The pin: the journal's head, kept beside the keys. Whoever puts back database, log and journal together, but not the
key folder, is found out by it; and it costs one small file a round."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from omonat.backup.frames import Place
from omonat.base.errors import Fault, OmonatError
from omonat.vault.storage import write_new
from omonat.vault.vault import Vault

_NAME: Final = "journal-head"


@dataclass(frozen=True, slots=True)
class Pin:
    """One installation's pin in its key folder."""

    keys: Path
    vault: Vault

    def read(self) -> Place | None:
        """The head pinned last, or None where none ever was. Raises Fault `journal-altered`."""
        try:
            raw = (self.keys / _NAME).read_bytes()
        except FileNotFoundError:
            return None
        try:
            frames, digest = msgspec.json.decode(self.vault.open_value(_NAME, raw), type=tuple[int, bytes])
        except (OmonatError, msgspec.MsgspecError) as error:
            raise Fault("journal-altered", frame="0") from error
        return Place(frames, digest)

    def write(self, place: Place) -> None:
        """Pin a head; durable on return. Raises Unavailable, Fault `keys-not-durable`."""
        sealed = self.vault.seal_value(_NAME, msgspec.json.encode((place.frames, place.digest)))
        write_new(self.keys / _NAME, sealed, replace=True)
