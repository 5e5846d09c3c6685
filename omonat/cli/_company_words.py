"""What the company says, from a file: a title and a text in each language; and whoever says it proves who they are."""

import tomllib
from pathlib import Path

from omonat.base.errors import BadInput
from omonat.cli.publish import ask
from omonat.house import House
from omonat.promises.notice.words import Said, Words

_PARTS = {"title", "text"}


def said_in(file: Path) -> Said:
    """The words of a TOML file with the tables uz, ru and en. Raises BadInput `words-malformed`."""
    try:
        read = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        raise BadInput("words-malformed") from None
    for words in read.values():
        shaped = isinstance(words, dict) and set(words) == _PARTS
        if not shaped or not all(isinstance(part, str) for part in words.values()):
            raise BadInput("words-malformed")
    return {
        language: Words(title=words["title"].strip(), text=words["text"].strip()) for language, words in read.items()
    }


async def proved(house: House, ref: str) -> None:
    """Whoever acts proves themselves with password and code, once there are staff with secrets. Raises Refused."""
    proof = ask(ref) if await house.staff.anybody_has_secrets() else None
    await house.announce.officers.proved(ref, proof)
