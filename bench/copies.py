"""A person's whole data as one file: a thousand records of a kilobyte, taken as a program's, a page and paper.

The time is that of the flow and of the form: every section opened under one entry, every item with why and until when,
all choices and who looked. A file that lacks one of the records stops the bench.
"""

import re
import time
from typing import Final, get_args

import msgspec
from litestar.testing import RequestFactory

from bench.figures import Figure, amount
from bench.people import NEWSLETTER, kilobyte, settle
from bench.town import Town
from omonat.base.instants import HOUR
from omonat.center.copy import content
from omonat.center.visit import Visit
from omonat.flows.locking import Lock
from omonat.flows.take_away import Form

GATE: Final = 10.0
_FORMS: Final[tuple[Form, ...]] = get_args(Form)
_ON_A_PAGE: Final = 20
"""Records of a kilobyte, each value with its facts: more don't fit on a page of paper."""


class Copies:
    """A person of so many records, each of whom takes their own data away once per form and round."""

    def __init__(self, town: Town, records: int) -> None:
        self._town, self._records = town, records
        self._landmarks = sorted(kilobyte(number)["landmark"] for number in range(records))

    async def seconds(self, form: Form) -> float:
        """How long one copy takes. Raises AssertionError when a record isn't in it."""
        (person,) = await settle(self._town, 1, [(NEWSLETTER, HOUR)] * self._records)
        visit = Visit(self._town.house, RequestFactory().get("/me/copy?lang=uz"))
        await visit.meet()
        began = time.perf_counter()
        copy = await self._town.house.take_away(person, form=form, lock=Lock())
        made = await content(visit, copy, form)
        took = time.perf_counter() - began
        self._town.answered["access:person:copied"] += 1
        assert len({held.record for held in copy.mine.held}) == self._records
        assert sorted(held.value for held in copy.mine.held if held.item == "contact.landmark") == self._landmarks
        self.check(form, made)
        return took

    def check(self, form: Form, made: bytes) -> None:
        """Raises AssertionError unless every record is in the file."""
        if form == "json":
            held = msgspec.json.decode(made)["held"]
            assert len({one["record"] for one in held}) == self._records
            assert sorted(one["value"] for one in held if one["item"] == "contact.landmark") == self._landmarks
        elif form == "html":
            page = made.decode()
            assert all(f"{number}-uy, katta chorraha yonida" in page for number in range(self._records))
        else:  # of the same list as the page; its text is drawn, so its pages are counted
            assert made.startswith(b"%PDF-")
            assert max(int(many) for many in re.findall(rb"/Count (\d+)", made)) >= self._records // _ON_A_PAGE


async def figures(town: Town, *, records: int, rounds: int) -> list[Figure]:
    """A row for each form."""
    copies = Copies(town, records)
    times: dict[Form, list[float]] = {form: [] for form in _FORMS}
    for _ in range(rounds):
        for form in _FORMS:
            times[form].append(await copies.seconds(form))
    return [
        amount(f"a copy of {records:,} records, {form}", times[form], unit="s", gate=GATE, at_most=True)
        for form in _FORMS
    ]
