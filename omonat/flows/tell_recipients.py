"""Tell recipients: who outside got a value that was corrected since is told so (Q1; GDPR, Article 19).

1. the correction notes, in its transaction, that it is still to be found who got the old value
2. the evidence knows: each use that was handed to a recipient names it. Who got the item is written down once, with the
   case they know it by and the entries of the uses; neither the old value nor the new one, and no person
3. who has a registered address gets a signed notice (`omonat.hooks`), again and again until it is taken over; for the
   others there is a work item, and a privacy officer says when it is done. Then an entry says so to the person

Who only carries our messages keeps nothing to be put right, and gets the new address with the next one.
"""

from collections.abc import Mapping
from typing import Any, Final

from omonat.base.failpoints import reach
from omonat.base.instants import Instant
from omonat.database.codecs import FOREVER
from omonat.database.statements import load
from omonat.evidence.entry import decode
from omonat.flows.grounds import Grounds
from omonat.flows.work import open_work_item_in
from omonat.vault.commitments import commit

_accuracy = load("omonat.promises.accuracy")
_systems = load("omonat.promises.retention", "systems.sql")
CARRIERS: Final = frozenset({"mail-provider", "sms-gateway"})
BY_HAND: Final = "tell-by-hand"
"""The rule of the work item for a recipient without an address."""
_PAGE: Final = 500
_MOST_USES: Final = 100


class TellRecipients:
    """The flow. `reachable` are the recipients with a registered address."""

    def __init__(self, grounds: Grounds, reachable: frozenset[str]) -> None:
        self._grounds = grounds
        self._reachable = reachable

    async def round(self, most: int = 100) -> int:
        """Find who is to be told of each correction, and write it down; how many corrections were looked at. Part of
        tidying: each in a transaction of its own."""
        for done in range(most):
            if not await self._one():
                return done
        return most

    async def _one(self) -> bool:
        now = self._grounds.clock()
        policy = await self._grounds.law.current()
        async with self._grounds.database.transaction() as connection:
            row = await _accuracy.claim_to_tell(connection, now=now)
            if row is None:
                return False
            got = await self._who_got(connection, row)
            got = {name: about for name, about in got.items() if name in policy.policy.recipients}
            if got:
                await _systems.add_recipients(
                    connection, erasure=row["erasure"], system=list(got), about=list(got.values()), now=now,
                    erases=["webhook" if name in self._reachable else "by-hand" for name in got],
                )  # fmt: skip
            for name in got.keys() - self._reachable:
                missing = f"{name} {row['erasure']}"
                await open_work_item_in(connection, rule=BY_HAND, person=None, missing=missing, now=now)
            await _accuracy.told_of(connection, erasure=row["erasure"])
            reach("tell-recipients.found")
        return True

    async def _who_got(self, connection: Any, row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """By recipient, what they are told: the item, the cases they know it by, the newest hundred entries of uses."""
        cases = [each["id"] async for each in _accuracy.cases_of(connection, person=row["person"])]
        found: dict[str, dict[str, Any]] = {}
        before, than = FOREVER, "~"
        while True:
            page = _accuracy.handed_out(connection, person=row["person"], before=before, than=than, most=_PAGE)
            lines = [line async for line in page]
            for line in lines:
                facts = decode(line["body"]).facts
                name = facts.get("recipient", "")
                if not name or name in CARRIERS or row["item"] not in facts["allowed"]:
                    continue
                about = found.setdefault(name, {"items": [row["item"]], "cases": [], "uses": []})
                if len(about["uses"]) == _MOST_USES:
                    continue
                about["uses"].append(line["id"])
                case = self._case(row, line["id"], facts.get("person"), cases)
                if case is not None and case not in about["cases"]:
                    about["cases"].append(case)
            if len(lines) < _PAGE:
                return found
            before, than = Instant(lines[-1]["at"]), lines[-1]["id"]

    def _case(self, row: Mapping[str, Any], entry: str, committed: object, cases: list[str]) -> str | None:
        """The case of a use: the one whose commitment stands in its entry."""
        salt = self._grounds.vault.salt(evidence_slot=row["evidence_slot"], entry=entry, field="person")
        said = (case for case in cases if commit(salt, entry, "person", f"{row['person']} {case}") == committed)
        return next(said, None)
