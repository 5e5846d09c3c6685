"""Publish: a new version of the policy, written by one person and approved by another (P1, A1).

1. author ≠ approver, both prove themselves, and the approver has the role that owns P1
2. read the document and its packs: nothing is published with errors, unanswered findings, or answers that don't hold
3. the document, its digest, author, approver and date go in under a dense ordinal, with an entry
4. the newest version whose date has come is in force; every running use meets the new ordinal in its next statement
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg

from omonat.base.errors import Refused, Unavailable
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.flows.grounds import Grounds
from omonat.flows.law import judged, read_document, read_packs
from omonat.flows.staff import Staff, StaffMember
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.printer import as_json

_queries = load("omonat.flows", "law.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What one of the two people proves themselves with."""

    password: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A document as text, its packs by name as text, and the two people who answer for it, by staff ref.

    `proofs` may be empty only while no staff member has anything to prove themselves with: an installation's beginning.
    """

    document: str
    packs: Mapping[str, str]
    author: str
    approver: str
    proofs: Mapping[str, Proof] = field(default_factory=dict)


class PublishPolicy:
    """The flow of publication."""

    def __init__(self, grounds: Grounds, staff: Staff) -> None:
        self._staff = staff
        self._database = grounds.database
        self._journal = grounds.journal
        self._pseudonym = grounds.vault.pseudonym
        self._law = grounds.law
        self._clock = grounds.clock

    async def __call__(self, publication: Publication) -> tuple[CompiledPolicy, Receipt]:
        """Publish. Raises BadInput for a document with errors, Refused `approver-is-author`, `version-published`,
        `policy-unanswered`."""
        if publication.author == publication.approver:
            raise Refused("approver-is-author")
        document = read_document(publication.document)
        policy = document.policy
        packs = read_packs(tuple(publication.packs.items()))
        verdict = judged(publication.document, tuple(publication.packs.items()))
        if not verdict.holds:
            unanswered = {finding.rule.id for finding in verdict.open}
            unanswered |= {complaint.about.get("finding", complaint.code) for complaint in verdict.complaints}
            raise Refused("policy-unanswered", findings=", ".join(sorted(unanswered)))
        await self._law.reload()
        proved = await self._prove(publication)
        now = self._clock()
        async with self._database.transaction() as connection:
            newest = (await _queries.lock_policies(connection))["newest"]
            if newest != len(self._law.history()):  # somebody published since: what this one changes is to be seen anew
                raise Unavailable("policy-changing")
            if self._law.version(policy.version) is not None:
                raise Refused("version-published", version=policy.version)
            compiled = compile_policy(policy, packs, self._law.history())
            typed, packs_kept = as_json(policy), dict(publication.packs)
            await _queries.publish(
                connection, ordinal=compiled.ordinal, version=compiled.version, digest=compiled.digest,
                document=publication.document, typed=typed, packs=packs_kept, author=publication.author,
                approver=publication.approver, effective=policy.effective, published_at=now,
            )  # fmt: skip
            reach("publish.written")
            await self._put_in_force(connection, now)
            reach("publish.in-force")
            facts = {
                "version": compiled.version,
                "ordinal": compiled.ordinal,
                "digest": compiled.digest,
                "author": self._pseudonym("staff-ref", publication.author),
                "approver": self._pseudonym("staff-ref", publication.approver),
                "proved": proved,
                "effective": policy.effective,
            }
            entry = Entry(new_id("ev"), now, "policy:version:published", facts)
            (receipt,) = await self._journal.append(connection, [entry], now=now)
            reach("publish.recorded")
        self._law.note_made(typed, packs_kept, compiled)
        reach("publish.committed")
        await self._law.reload()
        return compiled, receipt

    async def _prove(self, publication: Publication) -> bool:
        """Both are who they say, and the approver has the role that owns P1 in the policy in force.

        False at the beginning, when nobody can prove anything yet. Raises Refused.
        """
        if not await self._staff.anybody_has_secrets():
            return False
        await self._confirmed(publication, publication.author)
        approver = await self._confirmed(publication, publication.approver)
        history = self._law.history()
        promise = history[-1].policy.promises.get("P1") if history else None
        if promise is not None and approver.role != promise.owner:
            raise Refused("approver-not-owner", role=promise.owner)
        return True

    async def _confirmed(self, publication: Publication, ref: str) -> StaffMember:
        proof = publication.proofs.get(ref)
        if proof is None:
            raise Refused("sign-in-failed")
        return await self._staff.confirm(ref, proof.password, proof.code)

    async def activate_due(self) -> int | None:
        """Put into force the newest version whose date has come: its ordinal, or None when nothing changed."""
        async with self._database.transaction() as connection:
            return await self._put_in_force(connection, self._clock())

    async def _put_in_force(self, connection: asyncpg.Connection, now: Instant) -> int | None:
        ordinal: int | None = await _queries.activate(connection, now=now)
        if ordinal is not None:
            begun = Entry(new_id("ev"), now, "policy:version:in-force", {"ordinal": ordinal})
            await self._journal.append(connection, [begun], now=now)
        return ordinal
