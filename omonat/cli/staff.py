"""`omonat staff`: register people who work with personal data, and what they prove themselves with (S4, B2)."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import pyotp
import typer

from omonat.base.errors import BadInput
from omonat.base.instants import Instant, from_rfc3339
from omonat.cli._house import in_house
from omonat.cli._speech import words
from omonat.database.codecs import FOREVER
from omonat.flows.staff import Registration

app = typer.Typer(help="Staff: roles, training, sign-in.", no_args_is_help=True)

Ref = Annotated[str, typer.Argument(help="The staff number source systems use.")]
Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.command("set")
def set_(
    ref: Ref,
    *,
    name: Annotated[str, typer.Option(help="The person's name; kept sealed.")],
    role: Annotated[str, typer.Option(help="A role of the policy.")],
    trained_until: Annotated[str, typer.Option(help="When the training lapses: 2027-11-30T00:00:00+05:00.")],
    role_until: Annotated[str | None, typer.Option(help="When the role ends; no end when absent.")] = None,
    login: Annotated[str | None, typer.Option(help="The sign-in name for the Desk.")] = None,
    home: Home = None,
) -> None:
    """Register somebody, or change role, end or training; it holds from the next request."""
    registration = Registration(
        ref=ref,
        name=name,
        role=role,
        trained_until=_instant(trained_until),
        role_until=FOREVER if role_until is None else _instant(role_until),
        login=login,
    )
    in_house(home, lambda house: house.staff.put(registration, by="operator"))
    typer.echo(words("%(ref)s acts as %(role)s", ref=ref, role=role))


@app.command()
def secrets(ref: Ref, home: Home = None) -> None:
    """Set a password (asked for, or one line of standard input) and make a new code secret, shown once."""
    if sys.stdin.isatty():
        wanted, again = words("new password, 12 characters or more"), words("the same once more")
        password = typer.prompt(wanted, hide_input=True, confirmation_prompt=again, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    secret = in_house(home, lambda house: house.staff.set_secrets(ref, password))
    typer.echo(pyotp.TOTP(secret).provisioning_uri(name=ref, issuer_name="Omonat"))


def _instant(text: str) -> Instant:
    try:
        return from_rfc3339(text)
    except ValueError:
        example = datetime.now().astimezone().replace(microsecond=0).isoformat()
        raise BadInput("instant-malformed", example=example) from None
