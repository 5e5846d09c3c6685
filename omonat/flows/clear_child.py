"""Who was taken for a child by mistake: an officer who saw a proof of their age takes the signal back (K2).

The birth date is read for the rule and not kept, except under the age that images need a parent for: then it
lies sealed where it says how long they stay closed (G5). Why, by whom, and a commitment to where the proof lies go into
the evidence. What hung on the mistake ends with it: a parent's consent, and questions to parents. The next signal
closes the person again.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.children import Children
from omonat.flows.grounds import Grounds
from omonat.flows.images import seal_if_young
from omonat.flows.passing import let_pass
from omonat.flows.work import close_work_item_in, close_work_items_about
from omonat.promises.children.clearing import CAUSES, decide_clearing
from omonat.promises.children.consent import SCOPES

_queries = load("omonat.promises.children")
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """What an officer found: why the signal was wrong, where the proof lies, and the birth date that it shows."""

    person: str
    cause: str
    reference: str
    born: date | None


class ClearChild:
    """The flow; for privacy officers in office."""

    def __init__(self, grounds: Grounds, children: Children) -> None:
        self._grounds = grounds
        self._children = children

    async def __call__(self, clearing: Clearing, *, by: str) -> str:
        """Open the person's data as anybody's; the evidence entry.

        Raises BadInput `clearing-cause-unknown`, `reference-incomplete`; Refused `person-unknown`,
        `not-taken-for-a-child`, `proof-of-age-needed`, `a-child-indeed`, `child-officer-needed` ….
        """
        if clearing.cause not in CAUSES:
            raise BadInput("clearing-cause-unknown", nearest=", ".join(CAUSES))
        if not clearing.reference.strip() or len(clearing.reference) > _LONGEST:
            raise BadInput("reference-incomplete")
        policy, now, entry = await self._grounds.law.current(), self._grounds.clock(), new_id("ev")
        async with self._grounds.database.transaction() as connection:
            staff = await self._children.officer(connection, by, now)
            row = await self._children.child(connection, clearing.person)
            verdict = decide_clearing(
                taken=bool(row["quarantined_at"] or row["images_closed"] or row["consented"]), born=clearing.born,
                under=policy.child_under, today=policy.today(now),
            )  # fmt: skip
            if not isinstance(verdict, Allow):
                raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)
            ended = {"cleared": entry}
            for scope in SCOPES:
                if scope in row["consented"]:
                    await _queries.withdraw_consent(connection, person=row["id"], scope=scope, now=now, entries=ended)
            await self._children.end_asks(connection, row["id"], ended, now=now)
            await _queries.open(connection, person=row["id"])
            ages = [clearing.born] if clearing.born is not None else []
            young = seal_if_young(self._grounds.vault, policy, ages, now, person=row["id"], slot=row["slot"])
            await _queries.set_images(connection, person=row["id"], born=young)
            await close_work_item_in(connection, rule="child", person=row["id"], missing="parental-consent", now=now)
            await close_work_items_about(connection, rule="quarantine", person=row["id"], now=now)
            facts = {
                "cause": clearing.cause, "staff": staff, "consents": sorted(row["consented"]),
                "reference": self._children.commit(row, entry, "reference", clearing.reference),
            }  # fmt: skip
            await self._children.note(connection, row, Entry(entry, now, "child:person:cleared", facts))
            reach("child.cleared")
        await let_pass(self._grounds.database, row["id"], now=now)
        return entry
