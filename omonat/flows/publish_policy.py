"""Publish: a new version of the policy, written by one person and approved by another (P1, A1).

1. read the document and its packs; a document with errors or unanswered findings is not published
2. author ≠ approver
3. the document, its digest, author, approver and date go in under a dense ordinal, with an entry
4. the newest version whose date has come is in force; every running use meets the new ordinal in its next statement
"""

from collections.abc import Mapping
from dataclasses import dataclass

from omonat.base.errors import Refused
from omonat.base.ids import new_id
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.flows.grounds import Grounds
from omonat.flows.law import read_document
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.lint import lint
from omonat.policy.packs import read_pack
from omonat.policy.printer import as_json

_queries = load("omonat.flows", "law.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A document as text, its packs by name as text, and the two people who answer for it."""

    document: str
    packs: Mapping[str, str]
    author: str
    approver: str


class PublishPolicy:
    """The flow of publication."""

    def __init__(self, grounds: Grounds) -> None:
        self._database = grounds.database
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock

    async def __call__(self, publication: Publication) -> tuple[CompiledPolicy, Receipt]:
        """Publish. Raises BadInput for a document with errors, Refused `approver-is-author`, `version-published`,
        `policy-unanswered`."""
        if publication.author == publication.approver:
            raise Refused("approver-is-author")
        document = read_document(publication.document)
        policy = document.policy
        packs = tuple(read_pack(text, name=name) for name, text in publication.packs.items())
        if unanswered := lint(document, packs).open:
            raise Refused("policy-unanswered", findings=", ".join(sorted({f.rule.id for f in unanswered})))
        await self._law.reload()
        now = self._clock()
        async with self._database.transaction() as connection:
            await _queries.lock_policies(connection)
            if self._law.version(policy.version) is not None:
                raise Refused("version-published", version=policy.version)
            compiled = compile_policy(policy, packs, self._law.history())
            await _queries.publish(
                connection, ordinal=compiled.ordinal, version=compiled.version, digest=compiled.digest,
                document=publication.document, typed=as_json(policy), packs=dict(publication.packs),
                author=publication.author,
                approver=publication.approver, effective=policy.effective, published_at=now,
            )  # fmt: skip
            await _queries.activate(connection, now=now)
            facts = {
                "version": compiled.version,
                "ordinal": compiled.ordinal,
                "digest": compiled.digest,
                "author": publication.author,
                "approver": publication.approver,
                "effective": policy.effective,
            }
            entry = Entry(new_id("ev"), now, "policy:version:published", facts)
            (receipt,) = await self._journal.append(connection, [entry], now=now)
        await self._law.reload()
        return compiled, receipt

    async def activate_due(self) -> int:
        """Put into force the newest version whose date has come; the ordinal in force comes back. For the jobs."""
        async with self._database.transaction() as connection:
            ordinal: int = await _queries.activate(connection, now=self._clock())
        return ordinal
