"""`omonat mail`: what the company's mail needs outside Omonat: the DNS records of its signatures."""

import os
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from omonat.base.errors import BadInput
from omonat.base.settings import load
from omonat.cli._speech import words
from omonat.mail.dkim import Key, signing_keys

app = typer.Typer(help="The company's mail: the keys that sign it.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]
_BITS = 2048


@app.callback()
def _mail() -> None:
    pass


@app.command()
def dkim(
    home: Home = None,
    new: Annotated[Path | None, typer.Option(help="Make a new key in this file first; it must not exist.")] = None,
    ed25519: Annotated[bool, typer.Option("--ed25519", help="An Ed25519 key; few servers check those yet.")] = False,
) -> None:
    """Print the DNS record of each key that letters are signed with (RFC 6376, RFC 8463)."""
    settings = load(os.environ, home=home)
    if new is not None:
        _make(new, ed25519=ed25519)
        typer.echo(words("made: add it to dkim-keys as selector=%(file)s", file=new), err=True)
    domain = (settings.smtp_from or "").rpartition("@")[2] or "example.uz"
    keys = signing_keys([*settings.dkim_keys, *([f"omonat={new}"] if new is not None else [])])
    if not keys:
        typer.echo(words("no key is set: letters go unsigned. Make one with --new FILE, then set dkim-keys"), err=True)
    for key in keys:
        typer.echo(key.zone_line(domain))


def _make(path: Path, *, ed25519: bool) -> None:
    key: Key = Ed25519PrivateKey.generate() if ed25519 else generate_private_key(public_exponent=65537, key_size=_BITS)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        raise BadInput("dkim-key-not-written", file=str(path)) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
