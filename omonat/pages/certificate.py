"""The erasure certificate on paper: the same facts as its JSON, in the reader's words, with the star of its checkpoint.

Typst sets it; data goes in as data, so nothing a policy or a name says can become markup.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import typst

from omonat.base.instants import Instant, from_rfc3339
from omonat.evidence.note import Checkpoint, Note
from omonat.pages.formats import day, day_and_clock
from omonat.pages.girih import girih
from omonat.pages.words import N_, Words, words_of
from omonat.policy.compiled import CompiledPolicy

_VERDICTS: Final[Mapping[str, str]] = {
    "hidden": N_("Hidden. The keys are still to be destroyed."),
    "key-destroyed": N_("The keys are destroyed. What hangs on the data is still being removed."),
    "content-final-look-up-pending": N_("What was erased is gone for good. The look-up is pending until its key ends."),
    "final": N_("Final. Nobody, with any copy, can bring back what was erased."),
}
_STAGES: Final[Mapping[str, str]] = {
    "hidden": N_("hidden"),
    "key-destroyed": N_("key destroyed"),
    "swept": N_("swept"),
    "final": N_("final"),
}
_SCOPES: Final[Mapping[str, str]] = {
    "person": N_("Everything held about one person"),
    "record": N_("One record of a person"),
    "items": N_("Some items of a person"),
    "due": N_("Records that were no longer needed"),
    "evidence": N_("The proofs about people erased before"),
}
_REASONS: Final[Mapping[str, str]] = {
    "obligation": N_("a legal obligation"),
    "norm": N_("a legal or industry norm"),
    "contract": N_("an open contract"),
    "dispute": N_("a dispute"),
    "consent": N_("a consent"),
    "interest": N_("a legitimate interest"),
    "relevance": N_("it is still needed"),
    "at-most": N_("an open order or request"),
    "hold": N_("a legal hold"),
    "unknown": N_("the policy in force does not say"),
}

_PROVED: Final = N_(
    "The entries named above stand in the evidence log under the checkpoint below. Their inclusion proofs are in the "
    "JSON of this certificate; the stand-alone verifier checks them without us."
)
_PENDING: Final = N_("The checkpoint over the entries is still to come: ask again in a minute.")


def certificate_pdf(told: Mapping[str, Any], language: str, policy: CompiledPolicy) -> bytes:
    """The PDF of a certificate (`omonat.flows.certify`) in uz, ru or en. Takes half a second: use a thread."""
    return paper("certificate.typ", _page(told, words_of(language), policy), _instant(told["as-of"]))


def paper(template: str, told: Mapping[str, Any], at: Instant) -> bytes:
    """A page of ours as PDF, dated `at`; `told` goes in as data. Use a thread."""
    source = files("omonat.pages").joinpath(template).read_bytes()
    inputs = {"told": json.dumps(told, ensure_ascii=False)}
    made: bytes = typst.compile(source, sys_inputs=inputs, ignore_system_fonts=True, timestamp=at // 1_000_000)
    return made


def _page(told: Mapping[str, Any], words: Words, policy: CompiledPolicy) -> dict[str, Any]:
    language = words.language
    checkpoint = told["checkpoint"]
    as_of = day_and_clock(words, _instant(told["as-of"]), policy.zone)
    scope, verdict = told["scope"], told["says"]
    about = [words(_SCOPES[scope]), words("Certificate %(id)s, as of %(when)s", id=told["erasure"], when=as_of)]
    if told["items"]:
        about.append(", ".join(policy.label("item", item, language) for item in told["items"]))
    return {
        "language": language,
        "controller": told["controller"],
        "title": words("Erasure certificate"),
        "verdict": words(_VERDICTS[verdict]),
        "about": about,
        "foot": f"{told['erasure']} · {told['installation']}",
        "star": None if checkpoint is None else girih(_root(checkpoint), 200),
        "stages": {
            "title": words("What was reached when"),
            "rows": [_stage(row, words, policy) for row in told["stages"]],
        },
        "keys": _keys(told, words),
        "stays": {
            "title": words("What stays, and why"),
            "none": words("Nothing stays."),
            "rows": [_stay(row, words, policy) for row in told["stays"]],
        },
        "systems": {
            "title": words("Other systems of the company"),
            "none": words("No other system holds a copy."),
            "rows": [_system(row, words, policy) for row in told["systems"]],
        },
        "proof": {
            "title": words("Proof"),
            "says": words(_PENDING if checkpoint is None else _PROVED),
            "checkpoint": checkpoint or "",
        },
    }


def _root(checkpoint: str) -> bytes:
    """The root the checkpoint signs: what every star of ours is drawn from."""
    return Checkpoint.parse(Note.parse(checkpoint.encode()).text).root


def _stage(row: Mapping[str, Any], words: Words, policy: CompiledPolicy) -> list[str]:
    at, stage = row["at"], row["stage"]
    when = words("not yet") if at is None else day_and_clock(words, _instant(at), policy.zone)
    return [words(_STAGES[stage]), when, row["evidence"] or ""]


def _keys(told: Mapping[str, Any], words: Words) -> str:
    if told["key-copies"] is None:
        return words("No key has been destroyed yet.")
    return words.ngettext(
        "The keys were destroyed on %(num)s registered copy.",
        "The keys were destroyed on all %(num)s registered copies.",
        told["key-copies"],
    )


def _stay(row: Mapping[str, Any], words: Words, policy: CompiledPolicy) -> list[str]:
    language, named = words.language, row["reason"]
    reason = words(_REASONS[named])
    if row["source"]:
        reason += f" ({row['source']})"
    until = words("no date yet") if row["until"] is None else day(words, _instant(row["until"]), policy.zone)
    if row["waits-for"]:
        until = words("when the order or request ends, at the latest %(day)s", day=until)
    item, service = policy.label("item", row["item"], language), policy.label("service", row["service"], language)
    return [f"{item} · {service}", reason, until]


def _system(row: Mapping[str, Any], words: Words, policy: CompiledPolicy) -> list[str]:
    name = policy.label("system", row["system"], words.language)
    if row["state"] == "open":
        return [name, words("told, has not confirmed yet")]
    when = day_and_clock(words, _instant(row["acknowledged-at"]), policy.zone)
    return [name, words("confirmed its deletion: %(when)s", when=when)]


def _instant(text: str) -> Instant:
    return from_rfc3339(text)
