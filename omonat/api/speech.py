"""Words: the caller's language, and sentences in which names are the policy's labels.

Only names that the policy declares are printed. A name somebody made up, which may be a value in the wrong place, shows
as an ellipsis, beside the nearest valid one.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from omonat.api.answers import Withheld, encode
from omonat.base.codes import LANGUAGES, sentence
from omonat.base.verdict import Reason
from omonat.policy.compiled import CompiledPolicy

DEFAULT: Final = "en"
"""The language of a caller who asks for none: developers read this door."""
_NAMED: Final = ("item", "purpose", "service", "role")
_UNTOLD: Final = "…"


def language_of(query: str | None, header: bytes) -> str:
    """`?lang`, then Accept-Language, then English. In the header, languages nobody speaks here are passed over."""
    return query or _accepted(header)


@lru_cache(256)
def _accepted(header: bytes) -> str:
    best, best_weight = DEFAULT, 0.0
    for part in header[:500].decode("latin-1").split(","):
        tag, _, parameters = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        try:
            weight = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and best_weight < weight <= 1:
            best, best_weight = language, weight
    return best


def spoken(about: Mapping[str, str], policy: CompiledPolicy | None, language: str) -> dict[str, str]:
    """`about` with labels in place of names; what the policy doesn't declare is not repeated.

    Where an item is named, its label stands for its kind as well: the kind is our word, the label is the reader's.
    """
    said = {key: _label(policy, key, value, language) if key in _NAMED else value for key, value in about.items()}
    if "kind" in said and "item" in said:
        said["kind"] = f"“{said['item']}”" if language == "en" else f"«{said['item']}»"
    return said


def _label(policy: CompiledPolicy | None, kind: str, names: str, language: str) -> str:
    if policy is None:
        return _UNTOLD
    known: Mapping[str, object] = getattr(policy, f"{kind}s")
    listed = names.split(", ")
    return ", ".join(policy.label(kind, name, language) if name in known else _UNTOLD for name in listed)


def withheld(policy: CompiledPolicy, language: str, purpose: str, reason: Reason) -> msgspec.Raw:
    """Why an item isn't in the answer, printed; the same reason is put into words once."""
    return _withheld(policy, language, purpose, (reason.code, reason.promise, *reason.about.items()))


@lru_cache(8192)
def _withheld(policy: CompiledPolicy, language: str, purpose: str, reason: tuple[Any, ...]) -> msgspec.Raw:
    code, promise, *about = reason
    labelled = spoken(dict(about), policy, language)
    if code == "item-not-needed":
        says = policy.purposes[purpose].refuses[language].replace("{item}", labelled["item"])
    else:
        says = sentence(code, language, labelled)
    return msgspec.Raw(encode(Withheld(code=code, promise=promise, says=says)))
