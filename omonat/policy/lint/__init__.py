"""The linter: contradictions, dead rules and missing words, found by rule, explained, with the change to make.

    verdict = lint(document, packs)         every finding, each answered by the document or not
    verdict.open                            what nobody has answered
    verdict.complaints                      answers that don't hold: to findings no longer found, or not resolved
    verdict.holds                           neither: else `omonat policy check` exits 9, and nothing is published

A rule is a small pure function in `claims` (words against tables), `tables` (tables against each other and the law)
or `texts` (the words themselves). A document answers a finding under `contradictions`: `accepted` with a reason, or
`resolved`, which the rule itself checks where tables can show it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from omonat.policy.complaints import Complaint, Place, nearest
from omonat.policy.lint import claims, tables, texts
from omonat.policy.lint.registry import RULES, Finding, Found, LintRule
from omonat.policy.model import Answer
from omonat.policy.packs import Pack
from omonat.policy.reader import Document
from omonat.policy.words import Status

__all__ = ["RULES", "Finding", "Found", "LintRule", "Verdict", "lint"]

_ = (claims, tables, texts)  # importing them registers their rules


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the linter found, in the order of the document, and how the document answers."""

    findings: tuple[Finding, ...]
    complaints: tuple[Complaint, ...]

    @property
    def open(self) -> tuple[Finding, ...]:
        """Findings without an answer."""
        return tuple(finding for finding in self.findings if finding.answer is None)

    @property
    def holds(self) -> bool:
        """Whether every finding is answered, and every answer holds."""
        return not self.open and not self.complaints

    @property
    def answered(self) -> tuple[Finding, ...]:
        """Findings the document accepts or has resolved."""
        return tuple(finding for finding in self.findings if finding.answer is not None)


def lint(document: Document, packs: Sequence[Pack] = ()) -> Verdict:
    """Hold the document against every rule. `packs` are those its `laws` name, as far as they are at hand."""
    policy = document.policy
    used = [pack for pack in packs if pack.pack in policy.controller.laws]
    findings = []
    for rule in RULES.values():
        for found in rule.find(policy, used):
            answer = next((a for a in policy.contradictions if _answers(a, rule, found)), None)
            findings.append(Finding(rule, found, document.file, document.place(*found.path), answer))
    findings.sort(key=lambda f: (f.place, f.rule.id))
    return Verdict(tuple(findings), tuple(_faults_of_answers(document, findings, used)))


def _answers(answer: Answer, rule: LintRule, found: Found) -> bool:
    """Whether this entry speaks of this very finding: same rule, and it names all that the finding is about; one about
    nothing it names by the promise that makes the claim. So no answer swallows what comes later.
    """
    if answer.finding != rule.id or not set(found.about) <= set(answer.about):
        return False
    if not found.about:
        return not found.promises or found.promises[0] in answer.promises
    return not answer.promises or not found.promises or bool(set(answer.promises) & set(found.promises))


def _faults_of_answers(document: Document, findings: Sequence[Finding], packs: Sequence[Pack]) -> list[Complaint]:
    """Answers to nothing, and `resolved` where the tables still show the contradiction."""
    faults = []
    for number, answer in enumerate(document.policy.contradictions):
        place = document.place("contradictions", str(number))
        mine = [finding for finding in findings if finding.answer is answer]
        if answer.finding not in RULES:
            about = {"name": answer.finding, "table": "findings", "nearest": nearest(answer.finding, list(RULES))}
            faults.append(Complaint(document.file, place, "policy-unknown-name", about))
        elif not mine:
            faults.append(_fault(document, place, "policy-answer-stale", answer))
        elif answer.status is Status.RESOLVED and mine[0].rule.settled(document.policy, packs) is False:
            faults.append(_fault(document, place, "policy-answer-not-settled", answer))
    return faults


def _fault(document: Document, place: Place, code: str, answer: Answer) -> Complaint:
    return Complaint(document.file, place, code, {"finding": answer.finding})
