"""`omonat policy publish`: a new version, written by one person and approved by another (P1)."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from omonat.base.errors import BadInput
from omonat.base.instants import to_rfc3339
from omonat.cli import policy
from omonat.cli._house import in_house
from omonat.cli._speech import words
from omonat.flows.publish_policy import Proof, Publication
from omonat.house import House, set_up_doors
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.reader import file_bytes, read_policy


def register(_root: typer.Typer) -> None:
    """Add `publish` to the group `policy`."""
    policy.app.command("publish")(publish)


def publish(
    file: Annotated[Path, typer.Argument(help="The policy document.")],
    author: Annotated[str, typer.Option(help="Staff number of who wrote it.")],
    approver: Annotated[str, typer.Option(help="Staff number of who approves it; of the role that owns P1.")],
    packs: Annotated[Path | None, typer.Option(help="Folder of law packs; else `packs` beside the document.")] = None,
    home: Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")] = None,
) -> None:
    """Publish a version. Both people prove themselves with password and code, once there are staff with secrets.

    Exit codes: 0 published · 4 invalid · 5 refused · 7 unavailable · 8 sealed · 9 findings nobody answered.
    """
    document = file_bytes(file).decode("utf-8", "strict")
    folder = packs or file.parent / "packs"
    laws = read_policy(document, name=str(file)).policy.controller.laws
    texts = {law: _pack(folder / f"{law}.yaml") for law in laws}

    async def work(house: House) -> CompiledPolicy:
        proofs = {}
        if await house.staff.anybody_has_secrets():
            proofs = {ref: ask(ref) for ref in (author, approver)}
        publication = Publication(document=document, packs=texts, author=author, approver=approver, proofs=proofs)
        published, _ = await house.publish(publication)
        await set_up_doors(house)
        return published

    published = in_house(home, work)
    about = {"version": published.version, "ordinal": published.ordinal, "at": to_rfc3339(published.policy.effective)}
    typer.echo(words("published version %(version)s (ordinal %(ordinal)s), in force from %(at)s", **about))
    typer.echo(words("digest %(digest)s", digest=published.digest))


def _pack(path: Path) -> str:
    if not path.is_file():
        raise BadInput("policy-pack-unknown", name=path.stem)
    return path.read_text("utf-8")


def ask(ref: str) -> Proof:
    """Password and code of one person, each at their own moment; from the terminal, or two lines of standard input."""
    if not sys.stdin.isatty():
        return Proof(password=sys.stdin.readline().rstrip("\n"), code=sys.stdin.readline().strip())
    password = typer.prompt(words("password of %(ref)s", ref=ref), hide_input=True, err=True)
    return Proof(password=password, code=typer.prompt(words("code of %(ref)s", ref=ref), err=True))
