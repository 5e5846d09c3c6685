"""`omonat unseal` opens a sealed house with what its holders know; `omonat seal` closes it at once."""

import asyncio
import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
import typer

from omonat.base.codes import registry
from omonat.base.errors import Refused, Unavailable
from omonat.base.settings import Settings, load
from omonat.cli._holders import ask_hidden, needed, read_share
from omonat.cli._house import beside_the_keys
from omonat.cli._speech import spoken, words
from omonat.flows.root_keys import SEALED, note
from omonat.house import system_clock
from omonat.vault.keeper import Keeper, Unsealing

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]
Files = Annotated[list[Path] | None, typer.Argument(help="Files with one share each; asked for when absent.")]
_PATIENCE = 60.0


def register(root: typer.Typer) -> None:
    """Add `unseal` and `seal` to the top of the command line."""
    root.command()(unseal)
    root.command()(seal)


def unseal(
    files: Files = None,
    *,
    passphrase: Annotated[bool, typer.Option("--passphrase", help="Ask for the passphrase instead of shares.")] = False,
    configured: Annotated[
        bool, typer.Option("--configured", help="Open with the root key the settings name; on the machine itself.")
    ] = False,
    url: Annotated[str | None, typer.Option(help="Another address of the service, https://…")] = None,
    home: Home = None,
) -> None:
    """Open a sealed house: shares one by one, or the passphrase. Says how many shares are still needed.

    Exit codes: 0 open · 5 refused · 7 not running, or not open yet · 21 to 27 what is wrong with a share.
    """
    settings = load(os.environ, home=home)
    door = _Door(_address(settings, url))
    if configured:
        Keeper(settings.home).ask_now("configured")
    try:
        found = door.status()
        for file in files or []:
            found = found if not found.sealed else door.give(share=read_share(file))
        if not files:
            found = _ask_for(door, found, passphrase=passphrase)
    except _ToldError as told:
        told.say()
        raise typer.Exit(told.exit) from None
    if found.sealed:
        raise Refused("shares-too-few", given=str(found.given), needed=str(found.threshold or "?"))
    door.wait_until_open()
    typer.echo(words("the house is open"))


def seal(home: Home = None) -> None:
    """Close the house at once: every process that holds a key ends, and nothing is given out until it is unsealed.

    Only for the account the service runs under. Exit codes: 0 sealed, and recorded · 7 not running, or sealed and not
    recorded.
    """
    settings = load(os.environ, home=home)
    keeper = Keeper(settings.home)
    keeper.ask_now("seal")
    end = time.monotonic() + _PATIENCE
    while not _sealed_again(keeper):
        if time.monotonic() > end:
            raise Unavailable("keeper-away")
        time.sleep(0.05)
    typer.echo(words("the house is sealed"))
    beside_the_keys(settings, lambda database: note(database, SEALED, {"by": "operator"}, now=system_clock()))


def _sealed_again(keeper: Keeper) -> bool:
    """The next keeper answers only after everybody who held a key has ended."""
    try:
        return bool(asyncio.run(keeper.status()).sealed)
    except Unavailable:
        return False


class _ToldError(Exception):
    """What the service refused, in its own words."""

    def __init__(self, problem: bytes) -> None:
        told = json.loads(problem)
        known = registry().get(str(told["code"]))
        self.exit = known.exit if known else 1
        self._words = (str(told["detail"]), str(told["next"]))

    def say(self) -> None:
        """To whoever typed it."""
        typer.echo("omonat: {}\n    {}".format(*self._words), err=True)


class _Door:
    """The service as this command speaks with it."""

    def __init__(self, address: str) -> None:
        self._address = address

    def status(self) -> Unsealing:
        """How far unsealing has come."""
        return msgspec.convert(self._ask("/v1/unseal"), Unsealing)

    def give(self, **proof: str) -> Unsealing:
        """Hand over one proof. Raises what the service refuses."""
        return msgspec.convert(self._ask("/v1/unseal", proof), Unsealing)

    def wait_until_open(self) -> None:
        """Until every worker has the key: each connection goes to one of them by chance."""
        end, seen = time.monotonic() + _PATIENCE, 0
        while seen < 8:
            try:
                seen = 0 if self._ask("/v1/health")["sealed"] else seen + 1
            except (Unavailable, _ToldError):
                seen = 0
            if time.monotonic() > end:
                raise Unavailable("sealed")
            time.sleep(0 if seen else 0.1)

    def _ask(self, path: str, body: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(self._address + path)  # noqa: S310 - http and https only, see `_address`
        request.add_header("Accept-Language", spoken())
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=_PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise _ToldError(error.read()) from None
        except (OSError, ValueError, KeyError):
            raise Unavailable("keeper-away") from None


def _ask_for(door: _Door, found: Unsealing, *, passphrase: bool) -> Unsealing:
    """Let holders type until the house opens or an empty line ends it; a terminal lets them try again."""
    while found.sealed:
        wanted = words("the passphrase") if passphrase else words("a share") + needed(found.needed)
        if not (typed := ask_hidden(f"{wanted} {words('(not shown; an empty line ends)')}")):
            break
        try:
            found = door.give(**{"passphrase" if passphrase else "share": typed})
        except _ToldError as told:
            if not sys.stdin.isatty():
                raise
            told.say()
    return found


def _address(settings: Settings, url: str | None) -> str:
    if url is None:
        host = settings.host if settings.host not in ("0.0.0.0", "") else "127.0.0.1"  # noqa: S104 - compared
        return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    if urlsplit(url).scheme not in ("http", "https"):
        raise typer.BadParameter(words("an address begins with https://"), param_hint="--url")
    return url.rstrip("/")
