"""A copy of the evidence log in another place, a few seconds behind: only what is new is written."""

from pathlib import Path
from typing import Final

from omonat.base.errors import BadInput, Fault
from omonat.evidence.export import all_names
from omonat.evidence.folder import LogFolder
from omonat.evidence.note import Checkpoint, Note
from omonat.evidence.tiles import ENTRIES, WIDTH, TileName

_AT_ONCE: Final = 64


def size_of(folder: LogFolder) -> int:
    """How many entries the checkpoint of a folder stands for; 0 without one. Whether it is true is another question.

    Raises Fault `evidence-altered`.
    """
    raw = folder.read_checkpoint()
    if raw is None:
        return 0
    try:
        return Checkpoint.parse(Note.parse(raw).text).size
    except BadInput as error:
        raise Fault("evidence-altered", what="checkpoint", index="0") from error


def mirror_log(source: LogFolder, target: Path) -> int:
    """Bring a copy up to the log's newest checkpoint; durable on return. Gives the copy's size.

    The checkpoint is written last, so the copy is whole at every moment. Raises Fault `evidence-log-rolled-back` when
    the copy is longer, `evidence-altered` for a missing tile, Unavailable `evidence-log-unwritable`.
    """
    signed = source.read_checkpoint()
    copy = LogFolder(target)
    if signed is None or signed == copy.read_checkpoint():
        return size_of(copy)
    size, has = size_of(source), size_of(copy)
    if has > size:
        raise Fault("evidence-log-rolled-back", log=str(size), database=str(has))
    names = [name for name in all_names(size) if _grew(name, has)] if size > has else []
    for first in range(0, len(names), _AT_ONCE):
        copy.write_tiles({name: _read(source, name) for name in names[first : first + _AT_ONCE]})
    copy.write_keys(source.read_keys())
    copy.write_checkpoint(signed)
    copy.drop_superseded(has, size)
    return size


def _grew(name: TileName, has: int) -> bool:
    level = 0 if name.level == ENTRIES else int(name.level)
    return (name.number * WIDTH + name.width) << 8 * level > (has >> 8 * level) << 8 * level


def _read(source: LogFolder, name: TileName) -> bytes:
    raw = source.read(name)
    if raw is None:
        raise Fault("evidence-altered", what=f"file {name.path}", index=str(name.number * WIDTH))
    return raw
