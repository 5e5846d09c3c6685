"""`omonat policy`: check, show, explain, rules, schema. What needs a database has files of its own beside this one:
compare, simulate, publish.

Every command here reads files and nothing else. Exit codes: 0 in order · 2 a name nobody declared · 3 cannot tell (a
law pack is not at hand) · 4 the document is invalid · 5 `explain`: not granted · 6 no file · 9 findings nobody
answered, or answers that don't hold.
"""

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from itertools import zip_longest
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any

import typer

from omonat.cli._speech import spoken, words, words_in
from omonat.pages.words import N_
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.complaints import Complaint, InvalidPolicy
from omonat.policy.explain import explain as explain_use
from omonat.policy.lint import RULES, Finding, Verdict, lint
from omonat.policy.packs import Pack, read_pack
from omonat.policy.printer import digest_of
from omonat.policy.reader import Document, file_bytes, read_policy_file
from omonat.policy.schema import pack_schema, policy_schema
from omonat.policy.words import Status

app = typer.Typer(help="Read, check and explain a policy document.", no_args_is_help=True)

NO_PACK = N_("cannot tell: no law pack `%(name)s` is at hand")
_ANSWERED = {Status.ACCEPTED: N_("accepted"), Status.RESOLVED: N_("resolved")}
CANNOT_TELL, INVALID, REFUSED, UNANSWERED = 3, 4, 5, 9
_WIDEST = 44


class Format(StrEnum):
    """How to print: for a person, one line per finding for editors, or JSON for programs."""

    HUMAN = "human"
    PLAIN = "plain"
    JSON = "json"


class Table(StrEnum):
    """What `show` shows."""

    PURPOSES = "purposes"
    SERVICES = "services"
    ROLES = "roles"
    RETENTION = "retention"
    RECIPIENTS = "recipients"


File = Annotated[Path, typer.Argument(help="The policy document.")]
Packs = Annotated[Path | None, typer.Option("--packs", help="Folder of law packs; else `packs` beside the document.")]
Language = Annotated[str | None, typer.Option("--language", help="uz, ru or en; else that of the terminal.")]
As = Annotated[Format, typer.Option("--format", help="human, plain or json.")]


@app.command()
def check(file: File, packs: Packs = None, language: Language = None, format: As = Format.HUMAN) -> None:
    """Read the document, hold it against every rule, and say what is wrong, where, and what to write instead."""
    speech = known_language(language)
    try:
        document = read_policy_file(file)
        laws = _packs(document, file, packs)
    except InvalidPolicy as invalid:
        _print_complaints(invalid.complaints, speech, format)
        sys.exit(INVALID)
    verdict = lint(document, laws)
    missing = sorted(set(document.policy.controller.laws) - {pack.pack for pack in laws})
    if format is Format.JSON:
        typer.echo(_json(_verdict(document, verdict, speech)))
    else:
        _print_verdict(document, verdict, speech, format)
        for name in missing:
            typer.echo(words_in(speech)(NO_PACK, name=name), err=True)
    if missing:
        sys.exit(CANNOT_TELL)
    sys.exit(0 if verdict.holds else UNANSWERED)


@app.command()
def show(
    file: File,
    what: Annotated[Table, typer.Option("--what", help="Which table.")] = Table.PURPOSES,
    packs: Packs = None,
    language: Language = None,
) -> None:
    """Show what the document grants, as tables: purpose × items × roles, services, retention, recipients."""
    speech = known_language(language)
    compiled = _compiled(file, packs, speech)
    columns, rows = _TABLES[what](compiled, speech)
    headings = [words_in(speech)(column) for column in columns]
    widths = [min(_WIDEST, max(len(row[i]) for row in (headings, *rows))) for i in range(len(headings))]
    for row in (headings, ["─" * width for width in widths], *rows):
        cells = [wrap(cell, width, break_on_hyphens=False) for cell, width in zip(row, widths, strict=True)]
        for line in zip_longest(*cells, fillvalue=""):
            typer.echo("  ".join(part.ljust(width) for part, width in zip(line, widths, strict=True)).rstrip())


@app.command()
def explain(
    file: File,
    *,
    purpose: Annotated[str, typer.Option("--purpose", help="For what.")],
    role: Annotated[str, typer.Option("--role", help="Who.")],
    item: Annotated[str, typer.Option("--item", help="Which item, such as contact.mobile.")],
    packs: Packs = None,
    language: Language = None,
    format: As = Format.HUMAN,
) -> None:
    """Say why a role may or may not see an item for a purpose: the chain of reasons, with promises."""
    speech = known_language(language)
    compiled = _compiled(file, packs, speech)
    found = explain_use(compiled, purpose, role, item, speech)
    if format is Format.JSON:
        steps = [{"holds": s.holds, "code": s.code, "promise": s.promise, "says": s.says(speech)} for s in found.steps]
        typer.echo(_json({"granted": found.granted, "steps": steps}))
    else:
        for step in found.steps:
            typer.echo(f"{'✓' if step.holds else '✗'} {step.says(speech)} [{step.promise}]")
    sys.exit(0 if found.granted else REFUSED)


@app.command()
def rules(language: Language = None, format: As = Format.HUMAN) -> None:
    """List the rules `check` holds a document against; names in braces are filled in by a finding."""
    speech = known_language(language)
    if format is Format.JSON:
        known = RULES.values()
        typer.echo(_json([{"id": r.id, "explains": r.explains[speech], "proposes": r.proposes[speech]} for r in known]))
        return
    for rule in RULES.values():
        typer.secho(rule.id, bold=True)
        typer.echo(f"  {rule.explains[speech]}\n  → {rule.proposes[speech]}")


@app.command()
def schema(pack: Annotated[bool, typer.Option("--pack", help="Of law packs instead of policies.")] = False) -> None:
    """Print the JSON Schema for editors."""
    typer.echo(_json(pack_schema() if pack else policy_schema()))


def _compiled(file: Path, packs: Path | None, language: str) -> CompiledPolicy:
    """Read and compile; on any fault print it and exit."""
    try:
        document = read_policy_file(file)
        return compile_policy(document, _packs(document, file, packs))
    except InvalidPolicy as invalid:
        _print_complaints(invalid.complaints, language, Format.PLAIN)
        sys.exit(INVALID)


def _packs(document: Document, file: Path, folder: Path | None) -> list[Pack]:
    """The packs the document names, as far as they are at hand. Raises InvalidPolicy when one is malformed."""
    folder = folder or file.parent / "packs"
    paths = [folder / f"{name}.yaml" for name in document.policy.controller.laws]
    return [read_pack(file_bytes(path), str(path)) for path in paths if path.exists()]


def known_language(language: str | None) -> str:
    """The language to speak: the one asked for, else that of the terminal."""
    if language not in {None, "uz", "ru", "en"}:
        raise typer.BadParameter(words("uz, ru or en"))
    return language or spoken()


def _print_complaints(complaints: Sequence[Complaint], language: str, format: Format) -> None:
    if format is Format.JSON:
        typer.echo(_json({"valid": False, "complaints": [_complaint(c, language) for c in complaints]}))
        return
    for complaint in complaints:
        if format is Format.PLAIN:
            typer.echo(complaint.line(language), err=True)
            continue
        place = f"{complaint.file}:{complaint.place.line}:{complaint.place.column}"
        typer.secho(place, bold=True, err=True)
        typer.echo(f"  {complaint.says(language)}\n  → {complaint.fix(language)}\n", err=True)
    typer.echo(words_in(language).ngettext("%(num)s fault", "%(num)s faults", len(complaints)), err=True)


def _print_verdict(document: Document, verdict: Verdict, language: str, format: Format) -> None:
    words = words_in(language)
    for finding in verdict.open:
        place = f"{finding.file}:{finding.place.line}:{finding.place.column}"
        if format is Format.PLAIN:
            typer.echo(
                f"{place}: {finding.rule.id}: {finding.explains(language)} {finding.proposes(language)}", err=True
            )
            continue
        typer.secho(f"{place}  {finding.rule.id}", bold=True, err=True)
        typer.echo(f"  {finding.explains(language)}\n  → {finding.proposes(language)}", err=True)
        typer.echo(f"  {words('or answer it under `contradictions`:')}\n    {finding.entry()}\n", err=True)
    if verdict.complaints:
        _print_complaints(verdict.complaints, language, format)
    if format is Format.HUMAN:
        for finding in verdict.answered:
            assert finding.answer is not None
            typer.echo(
                f"{words(_ANSWERED[finding.answer.status]):9} {finding.rule.id}: {finding.answer.because[language]}"
            )
    policy = document.policy
    counts = (
        words.ngettext("%(num)s item", "%(num)s items", len(policy.items)),
        words.ngettext("%(num)s purpose", "%(num)s purposes", len(policy.purposes)),
        words.ngettext("%(num)s service", "%(num)s services", len(policy.services)),
        words.ngettext("%(num)s promise", "%(num)s promises", len(policy.promises)),
    )
    typer.echo(f"{policy.policy} {policy.version}: {', '.join(counts)}; {digest_of(policy)}")
    answered = words.ngettext("%(num)s finding answered", "%(num)s findings answered", len(verdict.answered))
    typer.echo(f"{answered}, {words.ngettext('%(num)s open', '%(num)s open', len(verdict.open))}")


def _complaint(complaint: Complaint, language: str) -> dict[str, Any]:
    place = {"file": complaint.file, "line": complaint.place.line, "column": complaint.place.column}
    words = {"says": complaint.says(language), "fix": complaint.fix(language), "nearest": complaint.nearest}
    return {**place, "code": complaint.code, **words}


def _finding(finding: Finding, language: str) -> dict[str, Any]:
    place = {"file": finding.file, "line": finding.place.line, "column": finding.place.column}
    names = {"promises": finding.found.promises, "about": finding.found.about}
    words = {"explains": finding.explains(language), "proposes": finding.proposes(language)}
    status = finding.answer.status if finding.answer else "open"
    return {**place, "finding": finding.rule.id, "status": status, **names, **words}


def _verdict(document: Document, verdict: Verdict, language: str) -> dict[str, Any]:
    return {
        "valid": True,
        "policy": document.policy.policy,
        "version": document.policy.version,
        "digest": digest_of(document.policy),
        "findings": [_finding(finding, language) for finding in verdict.findings],
        "complaints": [_complaint(complaint, language) for complaint in verdict.complaints],
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


Rows = tuple[tuple[str, ...], list[list[str]]]
"""Headings, not yet translated, and what stands below them."""


def _purposes(policy: CompiledPolicy, _: str) -> Rows:
    rows = []
    for purpose in policy.purposes.values():
        for role in purpose.roles:
            seen = purpose.items_for(role)
            needs = ", ".join(item for item in seen if item in purpose.needs)
            may = ", ".join(item for item in seen if item in purpose.may_use)
            rows.append([purpose.id, purpose.basis, role, ", ".join(purpose.cases) or "–", needs or "–", may or "–"])
    return (N_("purpose"), N_("basis"), N_("role"), N_("cases"), N_("needs"), N_("may use")), rows


def _services(policy: CompiledPolicy, _: str) -> Rows:
    rows = []
    for service in policy.services.values():
        form = policy.form(service.id)
        waits = ", ".join(item for item in form.offered if item not in (*form.required, *form.optional))
        cells = [", ".join(form.required), ", ".join(form.optional), waits, ", ".join(form.offers)]
        rows.append([service.id, form.case or "–", *(cell or "–" for cell in cells), service.keeps])
    asked = (N_("required"), N_("optional"), N_("waits for consent"), N_("offers"))
    return (N_("service"), N_("case"), *asked, N_("keeps")), rows


def _roles(policy: CompiledPolicy, language: str) -> Rows:
    rows = []
    for role in policy.roles.values():
        purposes = [p for p in policy.purposes.values() if role.id in p.roles]
        items = sorted({item for p in purposes for item in p.items_for(role.id)})
        rows.append([role.id, role.says[language], role.kind, role.cases, str(len(purposes)), ", ".join(items) or "–"])
    return (N_("role"), N_("called"), N_("kind"), N_("cases"), N_("purposes"), N_("items")), rows


def _retention(policy: CompiledPolicy, language: str) -> Rows:
    words, rows = words_in(language), []

    def after(span: Any, event: Any) -> str:
        return words("%(span)s after %(event)s", span=span, event=event)

    for schedule in policy.policy.retention.values():
        for rule in schedule.rules:
            until = words("until %(at)s", at=rule.keep_until) if rule.keep_until else None
            end = until or after(rule.keep or rule.source, rule.after)
            rows.append([schedule.id, rule.factor, end, ", ".join(rule.items) or words("all"), rule.source or "–"])
        longest = after(schedule.at_most.keep, schedule.at_most.after)
        rows.append([schedule.id, words("at most"), longest, words("all"), "–"])
    return (N_("schedule"), N_("factor"), N_("kept for"), N_("items"), N_("source")), rows


def _recipients(policy: CompiledPolicy, language: str) -> Rows:
    rows = []
    for r in policy.policy.recipients.values():
        cells = [", ".join(r.purposes) or "–", ", ".join(r.items) or "–"]
        rows.append([r.id, r.says[language], r.kind, r.country, r.ground, *cells])
    where = (N_("kind"), N_("country"), N_("ground"))
    return (N_("recipient"), N_("called"), *where, N_("purposes"), N_("items")), rows


_TABLES = {
    Table.PURPOSES: _purposes,
    Table.SERVICES: _services,
    Table.ROLES: _roles,
    Table.RETENTION: _retention,
    Table.RECIPIENTS: _recipients,
}
