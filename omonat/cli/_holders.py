"""Holders of shares at the command line: what they type is never shown, and never stands among the arguments."""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from omonat.base.codes import sentence
from omonat.base.errors import BadInput, Refused
from omonat.base.settings import Settings
from omonat.cli._speech import ngettext, spoken, words
from omonat.vault.root import RootKey
from omonat.vault.shares import Gathering, Share, ShareSet
from omonat.vault.sources import gathering, root_key, standing
from omonat.vault.storage import closed_folder, write_new

_WIPE = "\033[H\033[2J\033[3J"  # the screen, and what was scrolled off it
_LARGEST = 4096  # bytes of a share's file


def gather(held: Gathering, files: Sequence[Path]) -> None:
    """Take the shares in `files`; without any, those holders type, until there are enough or one gives an empty line.

    Raises what is wrong with a share; in a terminal that is said, and the holder tries again.
    """
    for file in files:
        held.add(read_share(file))
    while not files and held.needed != 0:
        typed = _typed(held)
        if not typed:
            return
        try:
            share = held.add(typed)
        except (BadInput, Refused) as error:
            if not sys.stdin.isatty():
                raise
            typer.echo(f"  {sentence(error.code, spoken(), error.about)}", err=True)
        else:
            typer.echo("  " + words("share %(number)s taken", number=share.number) + needed(held.needed), err=True)


def current_root(settings: Settings, files: Sequence[Path] = ()) -> RootKey:
    """The root key in force: from where the settings say, else from the holders of its shares."""
    if settings.root_key is not None and not files:
        return root_key(settings.root_key, settings.home, _where(settings))
    held = gathering(settings.home, _where(settings))
    gather(held, files)
    return held.root()


def _where(settings: Settings) -> Path:
    """The folder of the home's keys, or of the first copy where those are lost."""
    folders = (settings.keys, *settings.key_copies)
    return next((folder for folder in folders if (folder / "slots").exists()), settings.keys)


def exists(settings: Settings) -> bool:
    """Whether there are keys at all."""
    return standing(settings.home) is not None


def hand_out(made: ShareSet, shares: Sequence[Share], installation: str, folder: Path | None) -> None:
    """Give each holder their share: a file of its own in `folder`, else on the screen, one after the other."""
    if folder is not None:
        closed_folder(folder, create=True)
        for share in shares:
            text = share.print_out(installation, made.count)
            write_new(folder / f"share-{share.number}.txt", text.encode(), replace=False)
        return
    for share in shares:
        holder = words("holder %(number)s of %(count)s: Enter shows your share", number=share.number, count=made.count)
        typer.prompt(holder, default="", show_default=False)
        typer.echo(_WIPE, nl=False)
        typer.echo(share.print_out(installation, made.count))
        typer.prompt(words("written down and compared? Enter hides it"), default="", show_default=False)
        typer.echo(_WIPE, nl=False)


def refuse_without_screen(folder: Path | None) -> None:
    """Shares go into files or onto a screen, never into a pipe where nobody sees them."""
    if folder is None and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise typer.BadParameter(words("name a folder for the shares, or use a terminal"), param_hint="--out")
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise typer.BadParameter(words("%(folder)s is not empty", folder=folder), param_hint="--out")


def ask_hidden(question: str) -> str:
    """A line that is not shown while it is typed; from a pipe, its next line."""
    if sys.stdin.isatty():
        answer: str = typer.prompt(question, hide_input=True, default="", show_default=False, err=True)
        return answer.strip()
    return sys.stdin.readline().strip()


def _typed(held: Gathering) -> str:
    return ask_hidden(words("a share") + needed(held.needed) + " " + words("(not shown; an empty line ends)"))


def needed(shares: int | None) -> str:
    """How many more open the house, where that is known already."""
    return "" if shares is None else ", " + ngettext("%(num)s more needed", "%(num)s more needed", shares)


def read_share(file: Path) -> str:
    """What stands in a holder's file."""
    try:
        return file.read_bytes()[:_LARGEST].decode()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="FILES") from None
    except UnicodeDecodeError:
        raise BadInput("share-malformed") from None
