"""`omonat form`: a service's form as a piece of HTML, as a site gets it from the API (L2, N1)."""

from pathlib import Path
from typing import Annotated

import typer

from omonat.api.service_forms import Returned, Wanted, fragment
from omonat.cli._house import in_house
from omonat.cli.policy import known_language
from omonat.flows import forms
from omonat.house import House

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]
Language = Annotated[str | None, typer.Option(help="uz, ru or en; else that of the terminal.")]
Items = Annotated[str | None, typer.Option(help="The optional items to ask, with commas; all when absent.")]
Offers = Annotated[str | None, typer.Option(help="The consents to offer, likewise.")]
Inside = Annotated[bool, typer.Option("--inside", help="Without the form element and its button.")]


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command()(form)


def form(  # noqa: PLR0917 - options of a command
    service: Annotated[str, typer.Argument(help="A service of the policy.")],
    language: Language = None,
    items: Items = None,
    offers: Offers = None,
    inside: Inside = False,
    home: Home = None,
) -> None:
    """Print the form of a service as HTML: what it asks, why, and which consents it offers. It holds for a day."""
    spoken = known_language(language)
    wanted = Wanted(items=_names(items), offers=_names(offers), whole=not inside)

    async def drawn(house: House) -> str:
        law, grounds = await house.grounds.law.current(), house.grounds
        now = grounds.clock()
        token = forms.issue(grounds.vault, service=law.service(service).id, version=law.version, now=now)
        return fragment(law, service, spoken, token=token, now=now, wanted=wanted, back=Returned())

    typer.echo(in_house(home, drawn))


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())
