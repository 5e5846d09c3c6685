"""`omonat root …`: shares of the root key, the drill that proves they work, a new root."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from omonat.base.errors import BadInput, OmonatError, Refused, Unavailable
from omonat.base.settings import RootSource, Settings, load
from omonat.cli._holders import current_root, exists, gather, hand_out, refuse_without_screen
from omonat.cli._house import beside_the_keys
from omonat.cli._speech import ngettext, words
from omonat.database.pool import Database
from omonat.flows.root_keys import REBUILT, note_drill, note_rotation, note_set
from omonat.house import system_clock
from omonat.vault import rotation, switch
from omonat.vault.beside import forget_beside, level_beside
from omonat.vault.keeper import Keeper
from omonat.vault.root import RootKey
from omonat.vault.shares import ShareSet, keep_set, kept_set, make_set
from omonat.vault.sources import STRETCHING, beside, gathering, root_key
from omonat.vault.storage import write_new
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
        level_beside(_slot_files(settings))
        return entry

    entry = beside_the_keys(settings, keep)
    count = ngettext("%(num)s share", "%(num)s shares", made.count)
    opens = words("of which any %(threshold)s open", threshold=made.threshold)
    noted = words("evidence %(id)s", id=entry)
    typer.echo(f"{words('set %(set)s', set=made.set_id)}: {count}, {opens}; {noted}", err=True)
    typer.echo("  " + words("now hold a drill: omonat root drill"), err=True)


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
        prove_root(settings.home, held.root(), other_copies=settings.slot_copies)
    except (BadInput, Refused) as error:
        failure = error
    result = REBUILT if failure is None else failure.code
    entry = beside_the_keys(settings, lambda database: note_drill(database, held, result, now=system_clock()))
    if failure is not None:
        typer.echo(words("the drill failed and is recorded: evidence %(id)s", id=entry), err=True)
        raise failure
    numbers = ", ".join(map(str, held.numbers))
    rebuilt = words("shares %(numbers)s of set %(set)s rebuild the root key", numbers=numbers, set=held.set_id)
    typer.echo(f"{rebuilt}; {words('evidence %(id)s', id=entry)}")


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
        other_copies=settings.slot_copies,
        copying_storage_ok=settings.demo,
    )
    return root, vault.installation


@app.command()
def rotate(
    files: Files = None,
    *,
    to: Annotated[str, typer.Option(help="key-file:/path (made when absent), passphrase-file:/path, or shares.")],
    holders: Holders = 5,
    threshold: Threshold = 3,
    out: Out = None,
    home: Home = None,
) -> None:
    """Seal every key anew under another root, while the house goes on working. Afterwards the old root opens nothing.

    FILES are shares of the present root, where it is in no file. Cut off at any moment, the same command carries on;
    with `shares` it makes new ones, and those of the first try are worth nothing.
    """
    settings = _settings(home)
    target = _target(to)
    finished = _finish_earlier(settings)
    if target is None and finished is None:
        refuse_without_screen(out)
    new = RootKey(os.urandom(32)) if target is None else root_key(target)
    if finished is not None and (target is None or finished.new == new.mark.hex()):
        _keep_what_opens(settings, target, None)
        done_now = words("the rotation that was begun earlier is finished")
        typer.echo(f"{done_now}; {words('evidence %(id)s', id=finished.entry)}")
        return
    old = current_root(settings, files or [])
    prove_root(settings.home, old, other_copies=settings.slot_copies)
    made = None
    if target is None:
        installation = gathering(settings.home).installation
        made, pieces = make_set(new, installation, threshold, holders, after=kept_set(settings.home))
        hand_out(made, pieces, installation, out)

    async def turn(database: Database) -> str | None:
        done = rotation.rotate(
            settings.home,
            old,
            new,
            other_copies=settings.slot_copies,
            before_switch=lambda: _tell_the_keeper(settings, new),
        )
        _keep_what_opens(settings, target, made)
        with suppress(OmonatError):  # it finds out by itself, a little later
            Keeper(settings.home).ask_now("rotated")
        sealed = ngettext("%(num)s slot sealed anew", "%(num)s slots sealed anew", done.slots)
        damaged = words("damaged before: %(num)s", num=done.damaged)
        typer.echo(f"{sealed}; {words('epoch %(epoch)s', epoch=done.epoch)}; {damaged}", err=True)
        return await note_rotation(database, settings.home, now=system_clock()) or done.entry

    entry = beside_the_keys(settings, turn)
    typer.echo(f"{words('the root key is rotated')}; {words('evidence %(id)s', id=entry)}")
    last = words("now set OMONAT_ROOT_KEY=%(root)s, and destroy the old root with all its copies", root=to)
    typer.echo(f"  {last}", err=True)


def _target(to: str) -> RootSource | None:
    """Where the new root will come from; None for shares. A key file that isn't there yet is made."""
    kind, _, path = to.partition(":")
    if to == "shares":
        return None
    if kind not in ("key-file", "passphrase-file") or not path.startswith("/"):
        raise typer.BadParameter(words("key-file:/path, passphrase-file:/path or shares"), param_hint="--to")
    file = Path(path)
    if kind == "key-file" and not file.exists():
        RootKey.make_file(file)
    return RootSource("key-file" if kind == "key-file" else "passphrase-file", file)


def _finish_earlier(settings: Settings) -> switch.Rotation | None:
    """A rotation that was decided earlier and cut off then; finished now, with its evidence."""
    switch.settle(_slot_files(settings))
    found = switch.state(settings.home / "keys")
    if found is None or found.phase is not switch.Phase.DONE:
        return None
    beside_the_keys(settings, lambda database: note_rotation(database, settings.home, now=system_clock()))
    return found


def _tell_the_keeper(settings: Settings, new: RootKey) -> None:
    """Whoever works with open keys must be able to follow. Where nothing runs, or it is sealed, nobody has to."""
    keeper = Keeper(settings.home)
    try:
        running = not keeper.ask_now("status")["sealed"]
    except Unavailable:
        return
    if running:
        keeper.ask_now("next", root=new.divide(bytes.hex))


def _keep_what_opens(settings: Settings, target: RootSource | None, made: ShareSet | None) -> None:
    """Beside the keys stays only what helps to open them now: a list of shares, how a passphrase is stretched."""
    if target is not None and target.kind == "passphrase-file":
        write_new(settings.keys / STRETCHING, beside(target.path).read_bytes(), replace=True)
    else:
        forget_beside(_slot_files(settings), STRETCHING)
    if made is not None:
        keep_set(settings.home, made)
    level_beside(_slot_files(settings))


def _slot_files(settings: Settings) -> list[Path]:
    return [settings.keys / "slots", *settings.slot_copies]
