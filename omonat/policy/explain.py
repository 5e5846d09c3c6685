"""Why: the chain of reasons from a purpose, a role and an item to the answer, each with the promise it keeps.

The same tables that decide are asked step by step, so an explanation can't say other than what runs.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from omonat.policy.compiled import CompiledPolicy
from omonat.policy.words import Basis, Keep


@dataclass(frozen=True, slots=True)
class Step:
    """One reason: whether it lets the use pass, its promise (or empty), and the names its sentence speaks of."""

    holds: bool
    code: str
    promise: str
    facts: Mapping[str, str]

    def says(self, language: str) -> str:
        """The reason as a sentence."""
        return _sentences()[self.code][language].format_map(self.facts)


@dataclass(frozen=True, slots=True)
class Explanation:
    """All steps in the order the engine asks them; granted when each holds."""

    purpose: str
    role: str
    item: str
    steps: tuple[Step, ...]

    @property
    def granted(self) -> bool:
        """Whether the policy grants the use, before the facts of the person and the case are asked."""
        return all(step.holds for step in self.steps)


def explain(policy: CompiledPolicy, purpose: str, role: str, item: str, language: str) -> Explanation:
    """Why `role` may or may not see `item` under `purpose`. Raises BadInput for names nobody declared."""
    law, actor, thing = policy.purpose(purpose), policy.role(role), policy.item(item)
    names = {
        "purpose": law.says[language],
        "role": actor.says[language],
        "item": thing.says[language],
        "basis": law.basis,
        "cases": ", ".join(policy.label("case", kind, language) for kind in law.cases),
        "rule": actor.cases,
        "source": law.source or "",
        "interest": law.interest[language] if law.interest else "",
    }
    return Explanation(purpose, role, item, tuple(_steps(policy, purpose, role, item, names)))


def _steps(policy: CompiledPolicy, purpose: str, role: str, item: str, names: Mapping[str, str]) -> Iterator[Step]:
    law, thing = policy.purposes[purpose], policy.items[item]
    promise = law.promises[0]
    part = role in law.roles
    yield Step(part, "role-has-part" if part else "role-has-no-part", "S4", names)
    if item not in law.items:
        yield Step(False, "not-needed", "L3", names)
        return
    yield Step(True, "needed" if item in law.needs else "may-use", promise, names)
    if not part:
        return
    sees = item in law.items_for(role)
    yield Step(sees, "role-sees" if sees else "role-does-not-see", "S4", names)
    if thing.keep is Keep.VERIFY_ONLY:
        yield Step(False, "verify-only", policy.policy.categories[thing.category].group or promise, names)
    yield Step(True, f"basis-{law.basis}", "C1" if law.basis is Basis.CONSENT else promise, names)
    yield Step(True, "in-a-case" if law.cases else "without-case", "S4", names)
    if sees:
        ordinal = policy.tables.uses[purpose, item, role].ordinal
        yield Step(True, "since", "P2", {**names, "ordinal": str(ordinal), "version": policy.version})


@cache
def _sentences() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((files(__package__) / "explain.toml").read_text("utf-8"))
