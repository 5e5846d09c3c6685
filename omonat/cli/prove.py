"""`omonat prove`: every promise of the policy tried on this installation now (A1); done by `omonat.proving`."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

import omonat.proving
from omonat.base.codes import registry, sentence
from omonat.base.instants import to_rfc3339
from omonat.cli._house import in_house
from omonat.cli._speech import spoken
from omonat.house import House
from omonat.policy.compiled import CompiledPolicy
from omonat.proving.run import Evidence, Proof, Proved, prove

_MARKS: Final = {"kept": "✓", "broken": "✗", "cannot-tell": "?", "not-built": "·"}
_FEW: Final = 4


def register(root: typer.Typer) -> None:
    """`prove`, at the top."""
    root.command(name="prove")(command)


def command(
    only: Annotated[str, typer.Option(help="Promises, separated by commas: C1,R3.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print everything as JSON, inclusion proofs included.")
    ] = False,
    home: Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")] = None,
) -> None:
    """Try every promise of the policy on people made for it, and erase them again.

    Exit code 1: one is broken, or something was left behind; 3: one can't be told; 0: all that is built is kept.
    """
    names = [name.strip() for name in only.split(",") if name.strip()]

    async def work(house: House) -> tuple[Proof, CompiledPolicy]:
        return await prove(house, names), await house.grounds.law.current()

    proof, policy = in_house(home, work)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(_plain(proof))).decode())
    else:
        for line in table(proof, policy, spoken()):
            typer.echo(line)
    raise typer.Exit(proof.exit)


def _plain(proof: Proof) -> dict[str, Any]:
    return {**msgspec.to_builtins(proof), "at": to_rfc3339(proof.at), "exit": proof.exit}


def table(proof: Proof, policy: CompiledPolicy, language: str) -> list[str]:
    """The run as lines for people."""
    words = _words()
    lines = [f"{policy.policy.controller.name} · {proof.policy} · {to_rfc3339(proof.at)}", ""]
    for one in proof.promises:
        lines += _promise(one, policy, language)
    states: list[str] = [one.state for one in proof.promises]
    lines += ["", " · ".join(f"{words['states'][state][language]} {states.count(state)}" for state in _MARKS)]
    lines.append(words["lines"]["seen-off"][language].format(proof.seen_off))
    lines += [words["lines"]["left"][language].format(left) for left in proof.left]
    return lines


def _promise(one: Proved, policy: CompiledPolicy, language: str) -> list[str]:
    words = _words()
    label, state = policy.label("promise", one.promise, language), words["states"][one.state][language]
    lines = [f"{_MARKS[one.state]} {one.promise:<4} {state:<16} {label}"]
    lines += [f"       {does}" for does in one.how[language]]
    if one.why:
        lines.append(f"       {_reason(one.why, language)}")
    if one.built == "part" and one.state == "kept":
        lines.append(f"       {words['lines']['part'][language].format(one.missing)}")
    if one.seen:
        shown = one.seen if one.state == "broken" else one.seen[:_FEW]
        lines.append(f"       → {'; '.join(shown)}{_more(len(one.seen) - len(shown), language)}")
    if one.evidence:
        shown_entries = [_entry(entry, language) for entry in one.evidence[:2]]
        rest = _more(len(one.evidence) - len(shown_entries), language)
        lines.append(f"       {words['lines']['evidence'][language]}: {', '.join(shown_entries)}{rest}")
    return lines


def _entry(entry: Evidence, language: str) -> str:
    place = f"#{entry.index}" if entry.proof is not None else _words()["lines"]["waiting"][language]
    return f"{entry.id} ({place})"


def _more(count: int, language: str) -> str:
    return f" {_words()['lines']['more'][language].format(count)}" if count > 0 else ""


def _reason(why: str, language: str) -> str:
    known = _words()["reasons"].get(why)
    if known is not None:
        return known[language]
    return sentence(why, language, {}) if why in registry() else why


@cache
def _words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return tomllib.loads((Path(omonat.proving.__file__).parent / "words.toml").read_text("utf-8"))
