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
from omonat.cli._speech import ngettext, words
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
from omonat.flows.unanswered import BELIEVED, Day
from omonat.house import House
from omonat.pages.words import N_

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
    hashes = ngettext("%(num)s hash", "%(num)s hashes", len(found.path))
    typer.echo(f"{file}: {words('entry %(index)s', index=found.index)}, {hashes}")


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
        signed_at = to_rfc3339(Instant(max(times)))
        typer.echo("\n" + words("signed %(at)s, %(seconds)s s ago", at=signed_at, seconds=age), err=True)
    for key in keys:
        typer.echo(words("key %(key)s", key=key.vkey), err=True)
    for conflict in folder.conflicts():
        held = words("CONFLICT: a witness holds another history under our signature: %(file)s", file=conflict)
        typer.echo(held, err=True)
    if folder.conflicts():
        raise typer.Exit(8)


@app.command()
def export(target: Annotated[Path, typer.Argument(help="A folder that doesn't exist yet.")], home: Home = None) -> None:
    """Make the bundle for an auditor: the log as of now, the keys, the verifier, and how to use it."""
    folder = LogFolder(load(os.environ, home=home).log)
    if target.exists():
        raise typer.BadParameter(words("%(folder)s exists already", folder=target), param_hint="TARGET")
    exported = export_log(folder, target)
    entries = ngettext("%(num)s entry", "%(num)s entries", exported.size)
    typer.echo(f"{target}: {exported.origin}, {entries}")
    typer.echo(f"  python {target}/verifier.py {target}/log --keys {target}/keys")


@app.command()
def reconcile(
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False, home: Home = None
) -> None:
    """Compare openings with entries, and rows with entries both ways. Exit codes:

    0 all account for each other; 20 a section was opened without an entry; 21 a row has no entry; 22 an entry's row is
    missing; 23 a row was deleted without an entry; 24 a choice says something else than its entry; 25 a standing isn't
    what its choices give; 26 who looked differs from the log; 27 more openings were left without an answer than crashes
    leave. The gravest counts, in that order.
    """

    async def work(house: House) -> tuple[Openings, Day, list[Finding]]:
        flow = Reconcile(house.grounds)
        looked = await flow.openings()
        found = [*await flow.told(), *await flow.rows(), *await flow.doubted()]
        return looked, await flow.unanswered(), found

    looked, day, found = in_house(home, work)
    if as_json:
        counts = {
            "compared": looked.compared, "withheld": day.withheld, "cut-off": day.cut_off, "entries": day.entries,
            "largest": day.largest, "believed": BELIEVED,
        }  # fmt: skip
        told = [{name: getattr(one, name) for name in ("what", "kind", "name", "entry")} for one in found]
        typer.echo(json.dumps({**counts, "waiting": looked.waiting, "findings": told}, indent=2, ensure_ascii=False))
    else:
        _print_reconciled(looked, day, found)
    raise typer.Exit(min((RECONCILE_EXITS[one.what] for one in found), default=0))


@app.command()
def packet(
    person: Annotated[str, typer.Argument(help="The person's id, per_…, as their certificate says it.")],
    *,
    auditor: Annotated[str, typer.Option(help="Staff number of the auditor, who proves it with password and code.")],
    because: Annotated[str, typer.Option(help="The matter: audit:2027-3, claim:…, court:… or regulator:….")],
    recipient: Annotated[str, typer.Option(help="Who reads it: their public key, age1… or ssh-….")],
    out: Annotated[Path, typer.Option(help="A folder that doesn't exist yet.")],
    home: Home = None,
) -> None:
    """Open the sealed proof packets of a person who is gone, into files that the recipient alone opens (age -d) and
    verifier.py --opening reads. It is evidence.

    Exit code 18 when entries of theirs had been altered when the packets were sealed: those are named, the rest holds.
    """

    async def work(house: House) -> Opened:
        proof = ask(auditor)
        wanted = AuditorProof(
            ref=auditor, password=proof.password, code=proof.code, because=because, recipient=recipient
        )
        return await house.packets.open_for(wanted, person)

    opened = in_house(home, work)
    out.mkdir(mode=0o700, parents=True)
    for name, sealed in opened.files.items():
        file = out / f"{name}.json.age"
        file.write_bytes(sealed)
        typer.echo(f"{file}: " + ngettext("%(num)s opening", "%(num)s openings", opened.counts[name]))
    for entry in opened.altered:
        typer.echo(f"  ✗ {words('altered, so nothing of it is opened')}: {entry}")
    typer.echo(words("evidence %(id)s", id=opened.receipt.id))
    if opened.altered:
        raise typer.Exit(verifier.OPENING)


def _print_reconciled(looked: Openings, day: Day, found: list[Finding]) -> None:
    compared = ngettext("%(num)s opening compared", "%(num)s openings compared", looked.compared)
    typer.echo(f"{compared}; {words('too young to tell: %(num)s', num=looked.waiting)}")
    if day.withheld or day.cut_off:
        withheld = words("thrown away for want of an entry: %(num)s", num=day.withheld)
        cut_off = words("cut off with their process: %(num)s", num=day.cut_off)
        typer.echo(f"  {words('within a day')}: {withheld}; {cut_off}; {words('believed: %(num)s', num=BELIEVED)}")
    for one in found[:20]:
        typer.echo(f"  ✗ {words(SAYS[one.what])}: {one.kind} {one.name}" + (f" ({one.entry})" if one.entry else ""))
    if not found:
        typer.echo(words("rows and entries account for each other"))
    else:
        typer.echo(ngettext("%(num)s finding", "%(num)s findings", len(found)))


RECONCILE_EXITS = {
    "opening": 20,
    "row": 21,
    "entry": 22,
    "gone": 23,
    "choice": 24,
    "standing": 25,
    "ledger": 26,
    "doubt": 27,
}
SAYS = {
    "opening": N_("opened without an entry"),
    "row": N_("a row without an entry"),
    "entry": N_("an entry whose row is missing"),
    "gone": N_("a row deleted without an entry"),
    "choice": N_("a choice that differs from its entry"),
    "standing": N_("a standing that its choices don't give"),
    "ledger": N_("who looked differs from the log"),
    "doubt": N_("more openings without an answer than crashes leave"),
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
