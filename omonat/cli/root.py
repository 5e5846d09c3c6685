"""`omonat root …`: shares of the root key, the drill that proves they work, a new root."""

import os
from pathlib import Path
from typing import Annotated

import typer

from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.base.settings import Settings, load
from omonat.cli._holders import current_root, exists, gather, hand_out, refuse_without_screen
from omonat.cli._house import beside_the_keys
from omonat.database.pool import Database
from omonat.flows.root_keys import REBUILT, note_drill, note_set
from omonat.house import system_clock
from omonat.vault.root import RootKey
from omonat.vault.shares import keep_set, kept_set, make_set
from omonat.vault.sources import gathering
from omonat.vault.vault import Vault, prove_root

app = typer.Typer(help="The root key: shares, drills, rotation.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]
Files = Annotated[list[Path] | None, typer.Argument(help="Files with one share each; asked for when absent.")]
Holders = Annotated[int, typer.Option(help="How many people hold a share.")]
Threshold = Annotated[int, typer.Option(help="How many of them open the vault together.")]
Out = Annotated[Path | None, typer.Option(help="A new folder for the shares; on the screen when absent.")]


@app.command()
def shares(
    files: Files = None, *, holders: Holders = 5, threshold: Threshold = 3, out: Out = None, home: Home = None
) -> None:
    """Divide the root key among holders. Their shares take the place of all earlier ones, from now on.

    Where there are no keys yet, a root is made that exists in the shares alone. FILES are shares of the present set,
    for an installation whose root is nowhere else. The key itself stays: only `omonat root rotate` disarms old shares
    for good.
    """
    settings = _settings(home)
    refuse_without_screen(out)
    root, installation = _root_to_divide(settings, files or [])
    made, pieces = make_set(root, installation, threshold, holders, after=kept_set(settings.home))

    async def keep(database: Database) -> str:
        hand_out(made, pieces, installation, out)
        entry = await note_set(database, made, now=system_clock())
        keep_set(settings.home, made)
        return entry

    entry = beside_the_keys(settings, keep)
    typer.echo(f"set {made.set_id}: {made.count} shares, any {made.threshold} open; evidence {entry}", err=True)
    typer.echo("  now hold a drill: omonat root drill", err=True)


@app.command()
def drill(files: Files = None, home: Home = None) -> None:
    """Prove that holders can rebuild the root key. Nothing is opened; the outcome is kept as evidence.

    Exit codes: 0 rebuilt · 7 not recorded, so it doesn't count · 8 the keys themselves are damaged or missing · 21
    mistyped · 22 another installation's · 23 given twice · 24 of an older set · 25 made or changed by somebody · 26 too
    few · 27 they rebuild another key.
    """
    settings = _settings(home)
    held = gathering(settings.home)
    failure: OmonatError | None = None
    try:
        gather(held, files or [])
        prove_root(settings.home, held.root(), other_copies=settings.key_copies)
    except (BadInput, Refused) as error:
        failure = error
    result = REBUILT if failure is None else failure.code
    entry = beside_the_keys(settings, lambda database: note_drill(database, held, result, now=system_clock()))
    if failure is not None:
        typer.echo(f"the drill failed and is recorded: evidence {entry}", err=True)
        raise failure
    numbers = ", ".join(map(str, held.numbers))
    typer.echo(f"shares {numbers} of set {held.set_id} rebuild the root key; evidence {entry}")


def _settings(home: Path | None) -> Settings:
    os.umask(0o077)  # whatever a command makes in the home is ours alone
    return load(os.environ, home=home)


def _root_to_divide(settings: Settings, files: list[Path]) -> tuple[RootKey, str]:
    """The root and the installation it is of; both made where there are no keys and nothing names a root."""
    if settings.root_key is None and not exists(settings):
        root = RootKey(os.urandom(32))
        created = True
    else:
        root, created = current_root(settings, files), not exists(settings)
    vault = Vault.open(
        settings.home,
        root,
        create=created,
        other_copies=settings.key_copies,
        copying_storage_ok=settings.demo,
    )
    return root, vault.installation
