"""The evidence bundle for an auditor, a regulator, a court: a log as of one checkpoint, the keys, the verifier.

Everything in it can be checked on a machine that has never heard of Omonat.
"""

import shutil
from pathlib import Path
from typing import Final

from omonat.base.errors import BadInput, Fault
from omonat.evidence import verifier
from omonat.evidence.folder import LogFolder
from omonat.evidence.note import Checkpoint, Note
from omonat.evidence.tiles import ENTRIES, WIDTH, TileName

_AT_ONCE: Final = 64

README: Final = """# Evidence of {origin}

{size} entries under one signed checkpoint: what was done with personal data, in order, unchanged since.
The entries name nobody: persons appear as salted commitments, staff as keyed pseudonyms.

    pip install cryptography
    python verifier.py log --keys keys

Compare `keys` with the ones the company publishes or gave you before: whoever can replace this folder can replace the
file too. `python verifier.py --help` lists what is checked and what each exit code means; the formats are RFC 6962 and
C2SP's tlog-tiles, signed-note, tlog-checkpoint and tlog-cosignature, so other programs can check this log as well.
"""


def export(folder: LogFolder, target: Path) -> Checkpoint:
    """Copy the log as of its newest checkpoint into `target`/log, beside it keys, verifier.py and README.md.

    Safe while the log grows: narrower tiles are cut from wider ones. Raises BadInput `evidence-proof-pending` when
    there is no checkpoint yet, Fault `evidence-altered` when a file is missing, FileExistsError when `target` exists.
    """
    signed = folder.read_checkpoint()
    if signed is None:
        raise BadInput("evidence-proof-pending")
    checkpoint = Checkpoint.parse(Note.parse(signed).text)
    target.mkdir(parents=True)
    copy = LogFolder(target / "log")
    names = all_names(checkpoint.size)
    for first in range(0, len(names), _AT_ONCE):
        copy.write_tiles({name: _require(folder, name) for name in names[first : first + _AT_ONCE]})
    copy.write_checkpoint(signed)
    (target / "keys").write_text("".join(f"{vkey}\n" for vkey in folder.read_keys()), "utf-8")
    shutil.copyfile(verifier.__file__, target / "verifier.py")
    (target / "README.md").write_text(README.format(origin=checkpoint.origin, size=checkpoint.size), "utf-8")
    return checkpoint


def all_names(size: int) -> list[TileName]:
    """Every bundle and tile of a tree of `size`."""
    names = [TileName(ENTRIES, first // WIDTH, min(WIDTH, size - first)) for first in range(0, size, WIDTH)]
    level = 0
    while size:
        names += [TileName(level, first // WIDTH, min(WIDTH, size - first)) for first in range(0, size, WIDTH)]
        size //= WIDTH
        level += 1
    return names


def _require(folder: LogFolder, name: TileName) -> bytes:
    raw = folder.read(name)
    if raw is None:
        raise Fault("evidence-altered", what=f"file {name.path}", index=str(name.number * WIDTH))
    return raw
