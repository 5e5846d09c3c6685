"""`omonat evidence …`: verify a log, take a proof, look at the checkpoint, make the bundle for an auditor."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from omonat.base.errors import BadInput, Fault
from omonat.base.instants import SECOND, Instant, to_rfc3339
from omonat.base.settings import Settings, load
from omonat.cli._house import in_house
from omonat.cli.publish import ask
from omonat.database.home import address
from omonat.database.pool import Database
from omonat.evidence import verifier
from omonat.evidence.export import export as export_log
from omonat.evidence.folder import LogFolder
from omonat.evidence.note import Note, Verifier
from omonat.evidence.proofs import TlogProof
from omonat.evidence.reader import Reader
from omonat.flows.proof_packets import AuditorProof, Opened
from omonat.flows.reconcile import Finding, Openings, Reconcile
from omonat.house import House

app = typer.Typer(help="Evidence: what was done with personal data, and that nobody changed it since.")

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
def verify(context: typer.Context) -> None:
    """Check a log folder or a .tlog-proof from its bytes: the same as running verifier.py alone; see its --help."""
    raise typer.Exit(verifier.main(context.args))


@app.command()
def proof(
    entry: Annotated[str, typer.Argument(help="The entry's id, ev_…")],
    out: Annotated[Path | None, typer.Option(help="The file to write; <id>.tlog-proof when absent.")] = None,
    home: Home = None,
) -> None:
    """Write the proof that an entry is in the log: one file, to keep and to check without us."""
    settings = load(os.environ, home=home)
    found = asyncio.run(_proof(settings, entry))
    file = out or Path(f"{entry}.tlog-proof")
    file.write_bytes(bytes(found))
    typer.echo(f"{file}: entry {found.index}, {len(found.path)} hashes")


@app.command()
def checkpoint(home: Home = None) -> None:
    """Print the newest signed checkpoint, how old it is, and the public keys."""
    folder = LogFolder(load(os.environ, home=home).log)
    raw = folder.read_checkpoint()
    if raw is None:
        raise BadInput("evidence-proof-pending")
    typer.echo(raw.decode(), nl=False)
    keys = _keys(folder)
    signed = Note.parse(raw).check(keys)
    times = [at for at in signed.values() if at is not None]
    if times:
        age = (time.time_ns() // 1000 - max(times)) // SECOND
        typer.echo(f"\nsigned {to_rfc3339(Instant(max(times)))}, {age} s ago", err=True)
    for key in keys:
        typer.echo(f"key {key.vkey}", err=True)
    for conflict in folder.conflicts():
        typer.echo(f"CONFLICT a witness holds another history under our signature: {conflict}", err=True)
    if folder.conflicts():
        raise typer.Exit(8)


@app.command()
def export(target: Annotated[Path, typer.Argument(help="A folder that doesn't exist yet.")], home: Home = None) -> None:
    """Make the bundle for an auditor: the log as of now, the keys, the verifier, and how to use it."""
    folder = LogFolder(load(os.environ, home=home).log)
    if target.exists():
        raise typer.BadParameter(f"{target} exists already", param_hint="TARGET")
    exported = export_log(folder, target)
    typer.echo(
        f"{target}: {exported.size} entries of {exported.origin}; python {target}/verifier.py {target}/log "
        f"--keys {target}/keys"
    )


@app.command()
def reconcile(
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False, home: Home = None
) -> None:
    """Compare openings with entries, and rows with entries both ways. Exit codes:

    0 all account for each other; 20 a section was opened without an entry; 21 a row has no entry; 22 an entry's row is
    missing; 23 a row was deleted without an entry; 24 a choice says something else than its entry; 25 a standing isn't
    what its choices give. The gravest counts, in that order.
    """

    async def work(house: House) -> tuple[Openings, list[Finding]]:
        flow = Reconcile(house.grounds)
        looked = await flow.openings()
        return looked, [*await flow.told(), *await flow.rows()]

    looked, found = in_house(home, work)
    if as_json:
        counts = {"compared": looked.compared, "withheld": looked.withheld, "cut-off": looked.cut_off}
        told = [{name: getattr(one, name) for name in ("what", "kind", "name", "entry")} for one in found]
        typer.echo(json.dumps({**counts, "waiting": looked.waiting, "findings": told}, indent=2, ensure_ascii=False))
    else:
        typer.echo(f"{looked.compared} openings compared, {looked.waiting} too young to tell")
        if looked.withheld or looked.cut_off:
            typer.echo(
                f"  {looked.withheld} thrown away for want of an entry, {looked.cut_off} cut off with their process"
            )
        for one in found[:20]:
            typer.echo(f"  ✗ {SAYS[one.what]}: {one.kind} {one.name}" + (f" ({one.entry})" if one.entry else ""))
        typer.echo(
            "everything accounts for each other" if not found else f"{len(found)} findings; the first is named first"
        )
    raise typer.Exit(min((RECONCILE_EXITS[one.what] for one in found), default=0))


@app.command()
def packet(
    person: Annotated[str, typer.Argument(help="The person's id, per_…, as their certificate says it.")],
    auditor: Annotated[str, typer.Option(help="Staff number of the auditor, who proves it with password and code.")],
    because: Annotated[str, typer.Option(help="The matter: audit:2027-3, claim:…, court:… or regulator:….")],
    out: Annotated[Path, typer.Option(help="A folder that doesn't exist yet.")],
    home: Home = None,
) -> None:
    """Open the sealed proof packets of a person who is gone, into files for verifier.py --opening. It is evidence."""

    async def work(house: House) -> Opened:
        proof = ask(auditor)
        wanted = AuditorProof(ref=auditor, password=proof.password, code=proof.code, because=because)
        return await house.packets.open_for(wanted, person)

    opened = in_house(home, work)
    out.mkdir(mode=0o700, parents=True)
    for name, rows in opened.openings.items():
        (out / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
        typer.echo(f"{out / f'{name}.json'}: {len(rows)} openings")
    typer.echo(f"evidence {opened.receipt.id}")


RECONCILE_EXITS = {"opening": 20, "row": 21, "entry": 22, "gone": 23, "choice": 24, "standing": 25}
SAYS = {
    "opening": "opened without an entry",
    "row": "a row without an entry",
    "entry": "an entry whose row is missing",
    "gone": "a row deleted without an entry",
    "choice": "a choice that differs from its entry",
    "standing": "a standing that its choices don't give",
}


async def _proof(settings: Settings, entry: str) -> TlogProof:
    folder = LogFolder(settings.log)
    keys = _keys(folder)
    dsn = settings.database or address(settings.home).dsn()
    database = await Database.connect(dsn, size=1)
    try:
        return await Reader(database, folder, origin=keys[0].name, pinned=keys).proof(entry)
    finally:
        await database.close()


def _keys(folder: LogFolder) -> list[Verifier]:
    """The keys written beside the log. Enough to read our own; whoever checks us pins his own copy."""
    keys = [Verifier.parse(vkey) for vkey in folder.read_keys()]
    if not keys:
        raise Fault("evidence-altered", what="keys", index="0")
    return keys
