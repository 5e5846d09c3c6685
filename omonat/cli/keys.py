"""`omonat keys …`: the registered copies of the keys, on other disks."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from omonat.base.errors import OmonatError, Unavailable
from omonat.base.settings import Settings, load
from omonat.cli._holders import current_root
from omonat.cli._house import beside_the_keys
from omonat.cli._speech import ngettext, words
from omonat.flows.root_keys import COPIES, note
from omonat.house import system_clock
from omonat.vault import copies
from omonat.vault.keeper import refuse_while_running
from omonat.vault.root import RootKey
from omonat.vault.storage import check_storage, closed_folder
from omonat.vault.vault import Vault

app = typer.Typer(help="Copies of the keys on other disks.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]
Folder = Annotated[Path, typer.Argument(help="The copy's folder, as `key-copies` names it.")]
Files = Annotated[list[Path] | None, typer.Option("--share", help="A file with a share of the root key; repeat it.")]


@app.command("list")
def list_(home: Home = None, files: Files = None) -> None:
    """Say of every copy whether it is there, in its place, and of these keys. Exit codes: 0 all are · 8 one isn't."""
    settings = _settings(home)
    root, paths, failure = current_root(settings, files or []), _slot_files(settings), None
    for at, path in enumerate(paths):
        try:
            head = copies.proved(path, root)
            if (head.copy, head.copies) != (at, len(paths)):
                raise Unavailable("key-copies-missing", expected=str(head.copies), found=str(len(paths)))
            typer.echo(f"{path.parent}  {words('copy %(number)s of %(count)s', number=at + 1, count=len(paths))}")
        except OmonatError as error:
            typer.echo(f"{path.parent}  {error.code}")
            failure = failure or error
    if failure is not None:
        raise failure


@app.command()
def add(folder: Folder, home: Home = None, files: Files = None) -> None:
    """Register FOLDER, best on another disk: from then on a key counts as destroyed when it is destroyed there too."""
    settings, root = _stopped(home, files)
    new = folder.absolute()
    folders = list(dict.fromkeys((*settings.key_copies, new)))
    if new in settings.key_copies or (new / "slots").exists():  # an earlier try got that far
        vault = _opened(settings, root, folders)
    else:
        vault = _opened(settings, root, settings.key_copies)
        closed_folder(new, create=True)
        check_storage(new, copying_ok=settings.demo)
        _noted(settings, "add", vault.copies + 1)
        vault.register_copy(new / "slots")
    _say(vault, folders)


@app.command()
def mend(home: Home = None, files: Files = None) -> None:
    """Begin anew what is gone, the home's keys or a copy, from the copies that are there.

    Mount an empty disk where the lost copy was. Where every copy is there, nothing happens.
    """
    settings, root = _stopped(home, files)
    paths = _slot_files(settings)
    gone = copies.mend(paths, root, before=lambda: _noted(settings, "mend", len(paths)))
    for path in gone:
        typer.echo(f"{path.parent}  {words('begun anew from another copy')}")
    _say(_opened(settings, root, settings.key_copies), None)
    if any(path in gone for path in paths[1:]):
        _advise()


@app.command()
def drop(
    folder: Folder,
    *,
    lost: Annotated[bool, typer.Option("--lost", help="It is gone for good and can't be overwritten.")] = False,
    home: Home = None,
    files: Files = None,
) -> None:
    """Let a copy go; what it held is overwritten.

    With `--lost` also one that can't be: whoever finds that disk, and the root key, can read what is destroyed from
    now on. So rotate the root key then.
    """
    settings, root = _stopped(home, files)
    gone = folder.absolute()
    left = [one for one in settings.key_copies if one != gone]
    what = "drop-lost" if lost else "drop"
    copies.drop(
        _slot_files(settings), gone / "slots", root, lost=lost, before=lambda: _noted(settings, what, len(left) + 1)
    )
    _say(_opened(settings, root, left), left)
    if lost:
        _advise()


def _settings(home: Path | None) -> Settings:
    os.umask(0o077)
    return load(os.environ, home=home)


def _stopped(home: Path | None, files: list[Path] | None) -> tuple[Settings, RootKey]:
    settings = _settings(home)
    refuse_while_running(settings.home)
    return settings, current_root(settings, files or [])


def _slot_files(settings: Settings) -> list[Path]:
    return [settings.keys / "slots", *settings.slot_copies]


def _opened(settings: Settings, root: RootKey, folders: Sequence[Path]) -> Vault:
    """The vault, after all its copies were brought level."""
    others = [folder / "slots" for folder in folders]
    return Vault.open(settings.home, root, other_copies=others, copying_storage_ok=settings.demo)


def _noted(settings: Settings, what: str, left: int) -> None:
    """Evidence that the copies change: before it is done, so that none is ever added or let go unseen."""
    facts = {"what": what, "copies": left}
    beside_the_keys(settings, lambda database: note(database, COPIES, facts, now=system_clock()))


def _advise() -> None:
    advice = words("and rotate the root key (omonat root rotate): the lost disk still holds what it opens")
    typer.echo(f"  {advice}", err=True)


def _say(vault: Vault, folders: Sequence[Path] | None) -> None:
    typer.echo(ngettext("the keys lie in %(num)s place", "the keys lie in %(num)s places", vault.copies))
    if folders:
        named = ",".join(map(str, folders))
        typer.echo("  " + words("now set OMONAT_KEY_COPIES=%(folders)s, and start", folders=named), err=True)
    elif folders is not None:
        typer.echo("  " + words("now take OMONAT_KEY_COPIES out of the settings, and start"), err=True)
