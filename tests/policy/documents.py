"""Documents for the tests of the law: a small one, the shipped one, and any number of made-up ones."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from ruamel.yaml import YAML

from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.packs import Pack, read_pack
from omonat.policy.printer import print_policy
from omonat.policy.reader import Document, read_policy

HERE = Path(__file__).parent
SHIPPED = HERE.parents[1] / "policies" / "beshqozon.yaml"
SMALL = HERE / "small.yaml"


@cache
def small() -> Document:
    """One of everything."""
    return read_policy(SMALL.read_bytes(), "small.yaml")


@cache
def small_packs() -> tuple[Pack, ...]:
    """The packs of the small policy."""
    return (read_pack((HERE / "pack-uz.yaml").read_bytes(), "pack-uz.yaml"),)


@cache
def shipped() -> Document:
    """The first policy this software runs."""
    return read_policy(SHIPPED.read_bytes(), "policies/beshqozon.yaml")


@cache
def shipped_packs() -> tuple[Pack, ...]:
    """The packs beside the shipped policy."""
    return tuple(read_pack(p.read_bytes(), p.name) for p in sorted((SHIPPED.parent / "packs").glob("*.yaml")))


@cache
def small_compiled() -> CompiledPolicy:
    """The small policy, compiled."""
    return compile_policy(small(), small_packs())


@cache
def shipped_compiled() -> CompiledPolicy:
    """The shipped policy, compiled."""
    return compile_policy(shipped(), shipped_packs())


def raw(path: Path) -> dict[str, Any]:
    """A document as another reader sees it: plain dicts and lists, no model of ours."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    return found


def changed(old: str, new: str, count: int = 1) -> str:
    """The small document with a piece of its text replaced, which must be there."""
    text = SMALL.read_text("utf-8")
    assert old in text, f"the small policy has no {old!r}"
    return text.replace(old, new, count)


def reread(text: str) -> Document:
    """A changed document, read again."""
    return read_policy(text, "small.yaml")


_LETTERS = st.characters(codec="utf-8", categories=("L", "N", "P", "Zs", "S"), exclude_characters="\u2028\u2029")
_TEXT = st.text(_LETTERS, min_size=1, max_size=30).map(str.strip).filter(bool)
_PERIODS = st.sampled_from(["P1D", "P30D", "P1M", "P6M", "P1Y", "P5Y", "PT72H", "P2W"])
_ITEMS = [f"thing.i{n}" for n in range(6)]
_ROLES = [f"r{n}" for n in range(4)]


@st.composite
def _words(draw: st.DrawFn) -> dict[str, str]:
    return {language: draw(_TEXT) for language in ("uz", "ru", "en")}


def _some(draw: st.DrawFn, of: list[str], least: int = 0) -> list[str]:
    return draw(st.lists(st.sampled_from(of), unique=True, min_size=least, max_size=len(of)))


@st.composite
def _purpose(draw: st.DrawFn) -> dict[str, Any]:
    needs = _some(draw, _ITEMS, 1)
    may_use = [item for item in _some(draw, _ITEMS) if item not in needs]
    basis = draw(st.sampled_from(["contract", "consent", "legitimate-interest"]))
    roles: Any = _some(draw, _ROLES, 1)
    if draw(st.booleans()):
        roles = {role: draw(st.just("all") | st.just(_some(draw, needs + may_use, 1))) for role in roles}
    found = {name: draw(_words()) for name in ("says", "tells", "refuses")}
    found |= {"promises": ["U1"], "basis": basis, "roles": roles, "needs": needs}
    if may_use:
        found["may-use"] = may_use
    if basis == "legitimate-interest":
        found["interest"] = draw(_words())
    return found


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """One retention rule other than an interest's, in the document's own words."""
    rule: dict[str, Any] = {"factor": draw(st.sampled_from(["relevance", "contract", "consent", "norm", "dispute"]))}
    anchor = draw(st.sampled_from(["collected", "last-complaint", "account-closed", "last-seen", "consent-withdrawn"]))
    rule |= {"keep-until": anchor} if draw(st.booleans()) else {"after": anchor, "keep": draw(_PERIODS)}
    if draw(st.booleans()):
        rule["items"] = _some(draw, _ITEMS, 1)
    return rule


@st.composite
def raw_policies(draw: st.DrawFn) -> dict[str, Any]:
    """A made-up valid document as plain values."""
    purposes = [f"p{n}" for n in range(draw(st.integers(1, 4)))]
    named = {"says": draw(_words())}
    item = {"kind": "text", "says": named["says"]}
    return {
        "policy": "made-up",
        "version": draw(_TEXT),
        "effective": "2026-12-01T00:00:00+05:00",
        "controller": {
            "name": "X",
            "country": "uz",
            "mailbox": "x@x.test",
            "laws": ["uz"],
            "time-zone": "Asia/Tashkent",
        },
        "promises": {"U1": {"section": "s", "owner": "r0", "keeping": ["enforced"], **named, "tells": draw(_words())}},
        "sections": {"s": named},
        "categories": {"thing": {**named, "items": {name.partition(".")[2]: item for name in _ITEMS}}},
        "sources": {"site": named},
        "roles": {role: {**named, "cases": draw(st.sampled_from(["none", "open", "assigned"]))} for role in _ROLES},
        "purposes": {name: draw(_purpose()) for name in purposes},
        "services": {"s1": {**named, "for": _some(draw, purposes, 1), "keeps": "k", "sources": ["site"]}},
        "retention": {
            "k": {
                **named,
                "rules": draw(st.lists(rules(), min_size=1, max_size=4)),
                "at-most": {"after": draw(st.sampled_from(["collected", "last-seen"])), "keep": draw(_PERIODS)},
            }
        },
        "children": {"under": "13", "images-under": "16"},
    }


def yaml_of(document: dict[str, Any]) -> str:
    """Plain values as YAML text (JSON is YAML)."""
    return json.dumps(document, ensure_ascii=False)


def printed(document: Document) -> str:
    """The canonical text of a document."""
    return print_policy(document.policy)
