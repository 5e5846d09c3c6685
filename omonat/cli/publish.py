"""`omonat policy publish`: a new version, written by one person and approved by another (P1)."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from omonat.base.instants import to_rfc3339
from omonat.cli import policy
from omonat.cli._differences import exit_of, texts_of
from omonat.cli._foreseen import foreseen, print_foreseen
from omonat.cli._house import in_house
from omonat.cli._speech import spoken, words
from omonat.flows.publish_policy import Proof, Publication
from omonat.house import House, set_up_doors
from omonat.policy.compiled import CompiledPolicy


def register(_root: typer.Typer) -> None:
    """Add `publish` to the group `policy`."""
    policy.app.command("publish")(publish)


def publish(
    file: Annotated[Path, typer.Argument(help="The policy document.")],
    author: Annotated[str, typer.Option(help="Staff number of who wrote it.")],
    approver: Annotated[str, typer.Option(help="Staff number of who approves it; of the role that owns P1.")],
    *,
    packs: Annotated[Path | None, typer.Option(help="Folder of law packs; else `packs` beside the document.")] = None,
    home: Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what it would do, and publish nothing.")] = False,
) -> None:
    """Publish a version. Both people prove themselves with password and code, once there are staff with secrets.

    Before they do, they read what differs from the newest version, how many people have to be told, and what would
    become of the uses of the last days.

    Exit codes: 0 published · 4 invalid · 5 refused · 7 unavailable · 8 sealed · 9 findings nobody answered; with
    `--dry-run` those of `compare`.
    """
    document, texts = texts_of(file, packs)

    async def work(house: House) -> CompiledPolicy:
        print_foreseen(*await foreseen(house, file, packs), language=spoken())
        proofs = {}
        if await house.staff.anybody_has_secrets():
            proofs = {ref: ask(ref) for ref in (author, approver)}
        publication = Publication(document=document, packs=texts, author=author, approver=approver, proofs=proofs)
        published, _ = await house.publish(publication)
        await set_up_doors(house)
        return published

    if dry_run:
        found = in_house(home, lambda house: foreseen(house, file, packs))
        print_foreseen(*found, language=spoken())
        sys.exit(exit_of(found[0], found[1]) if found[0] is not None else 0)
    published = in_house(home, work)
    about = {"version": published.version, "ordinal": published.ordinal, "at": to_rfc3339(published.policy.effective)}
    typer.echo(words("published version %(version)s (ordinal %(ordinal)s), in force from %(at)s", **about))
    typer.echo(words("digest %(digest)s", digest=published.digest))


def ask(ref: str) -> Proof:
    """Password and code of one person, each at their own moment; from the terminal, or two lines of standard input."""
    if not sys.stdin.isatty():
        return Proof(password=sys.stdin.readline().rstrip("\n"), code=sys.stdin.readline().strip())
    password = typer.prompt(words("password of %(ref)s", ref=ref), hide_input=True, err=True)
    return Proof(password=password, code=typer.prompt(words("code of %(ref)s", ref=ref), err=True))
