"""Where the newest keys, log and journal are, and how they come into the home: from the home itself, from copies in
other places, from the parts of the backup. The newest of each wins; it must be of the same history as the others.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from omonat.backup import manifest as manifests
from omonat.backup.frames import Place
from omonat.backup.journal_file import JournalFile
from omonat.backup.log_copy import mirror_log, size_of
from omonat.backup.manifest import Manifest, Signed
from omonat.backup.parts import Part, check_part, members
from omonat.base.errors import Fault, Refused, Unavailable
from omonat.database.home import sync_folder
from omonat.evidence.folder import LogFolder
from omonat.vault.sources import BESIDE_KEYS
from omonat.vault.storage import write_new
from omonat.vault.vault import Vault

_DRAFT: Final = ".bringing"
_KEY_FILES: Final = frozenset({"slots", "keyring", *BESIDE_KEYS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """A backup's folder, and the further places an operator or the settings name."""

    backup: Path
    manifest: Manifest
    signed: Signed
    identities: list[Any]
    keys: Path | None = None
    copies: Sequence[Path] = ()
    """Folders with `journal/` and `log/` in them: `journal-copies`, or another home."""


def bring_keys(home: Path, sources: Sources) -> bool:
    """The keys into `home`, unless it has them; whether they were brought. Raises Unavailable `keys-missing`, Fault
    `backup-part-*`."""
    target = home / "keys"
    if (target / "keyring").exists():
        return False
    if sources.keys is None:
        raise Unavailable("keys-missing", file=str(target))
    about, _ = manifests.read_keys(sources.keys)
    (part,) = about.parts
    check_part(sources.keys, part)
    draft = _draft(target)
    for name, data in members(sources.keys, part, sources.identities):
        if name not in _KEY_FILES:
            raise Fault("backup-part-altered", part=part.file)
        write_new(draft / name, data, replace=False)
    write_new(draft / "lock", b"", replace=False)
    _settle(draft, target)
    return True


def bring_journal(home: Path, sources: Sources, vault: Vault) -> Place:
    """The newest journal into `home`; where it ends. Raises Refused `restore-journal-missing`, Fault `journal-*`."""
    ours = JournalFile(home / "journal", vault.installation)
    draft = _unpacked(home / "journal", sources, sources.manifest.part("journal"))
    try:
        found = [ours, JournalFile(draft, vault.installation)]
        found += [JournalFile(copy / "journal", vault.installation) for copy in sources.copies]
        newest = max(found, key=lambda journal: journal.tail().place.frames)
        end = newest.tail().place
        if end.frames == 0 and (sources.manifest.frames or not any(journal.segments() for journal in found)):
            raise Refused("restore-journal-missing")
        for journal in found:
            place = journal.tail().place
            if place.frames:
                next(newest.boxes(place), None)  # raises when they are not of one history
        if newest is not ours:
            newest.mirror(ours.folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return end


def bring_log(home: Path, sources: Sources) -> int:
    """The newest log into `home`; how many entries it has. Whether it is true is checked by whoever has the keys."""
    ours = LogFolder(home / "log")
    draft = _unpacked(home / "log", sources, sources.manifest.part("log"))
    try:
        found = [ours, LogFolder(draft), *(LogFolder(copy / "log") for copy in sources.copies)]
        newest = max(found, key=size_of)
        if newest is not ours and size_of(newest) > size_of(ours):
            mirror_log(newest, ours.path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return size_of(ours)


def _unpacked(beside: Path, sources: Sources, part: Part) -> Path:
    """A part's files in a draft folder; names that aren't ours are an alteration, never a path."""
    check_part(sources.backup, part)
    draft = _draft(beside)
    for name, data in _safe(members(sources.backup, part, sources.identities), part):
        file = draft / name
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
    return draft


def _safe(found: Iterator[tuple[str, bytes]], part: Part) -> Iterator[tuple[str, bytes]]:
    for name, data in found:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or str(path) != name:
            raise Fault("backup-part-altered", part=part.file)
        yield name, data


def _draft(target: Path) -> Path:
    draft = target.with_name(f"{_DRAFT}-{target.name}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    return draft


def _settle(draft: Path, target: Path) -> None:
    """Everything in the draft is durable: give it its name."""
    if (target / "slots").exists():  # the newest slots may be what is left of the keys: nobody takes them away unseen
        raise Unavailable("keys-missing", file=str(target / "keyring"))
    if target.exists():
        shutil.rmtree(target)
    draft.rename(target)
    sync_folder(target.parent)
