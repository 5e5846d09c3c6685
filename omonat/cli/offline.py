"""`omonat offline`: sealed forms from a stick, and the keys they are sealed to (S1)."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from omonat.base.codes import sentence
from omonat.base.errors import BadInput, OmonatError
from omonat.base.instants import to_rfc3339
from omonat.cli._house import in_house
from omonat.cli._speech import spoken, words
from omonat.flows.on_paper import batches
from omonat.flows.sealed_forms import Taken
from omonat.flows.sealing_keys import PublicKey
from omonat.house import House

app = typer.Typer(help="Desks without a network: sealed forms, and their keys.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]
_LARGEST = 32 * 1024 * 1024


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="The file an offline desk saved, or what was scanned of its sheets.")],
    home: Home = None,
) -> None:
    """Take in the sealed forms of a file, or of sheets scanned into one (a code on a line), each once, and print what
    became of each. Ends with 5 when some were refused, with 7 when some have to be handed in again."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(_LARGEST + 1)
    except OSError:
        raise BadInput("batch-malformed") from None
    if len(raw) > _LARGEST:
        raise BadInput("batch-malformed")
    found = batches(str(file), raw)
    states: Counter[str] = Counter()
    failed: list[OmonatError] = []

    async def work(house: House) -> None:
        for batch in found:  # what one sheet in a heap brings on says nothing of the others
            try:
                taken = await house.sealed_forms(batch)
            except OmonatError as error:
                failed.append(error)
                continue
            for each in taken:
                typer.echo("\t".join((each.id, each.state, *_why(each))))
            states.update(each.state for each in taken)

    in_house(home, work)
    for error in failed[1:]:
        typer.echo(f"omonat: {sentence(error.code, spoken(), error.about)}", err=True)
    if failed:
        raise failed[0]
    sys.exit(7 if states["later"] else 5 if states["refused"] else 0)


@app.command()
def keys(home: Home = None) -> None:
    """Print the keys that forms are sealed to: number, fingerprint, since when, until when forms of it are opened."""
    _print(in_house(home, lambda house: house.sealing_keys.every()))


@app.command()
def renew(home: Home = None) -> None:
    """Begin a new key. What is sealed to the one before opens until its term is over; then it is destroyed."""
    _print([in_house(home, lambda house: house.sealing_keys.renew())])


def _print(every: Sequence[PublicKey]) -> None:
    for key in every:
        until = words("in use") if key.until is None else to_rfc3339(key.until)
        typer.echo(f"{key.number}\t{key.fingerprint}\t{to_rfc3339(key.begun_at)}\t{until}")


def _why(each: Taken) -> tuple[str, ...]:
    if each.error is None:
        return (each.entry,)
    return each.error.code, sentence(each.error.code, spoken(), each.error.about)
