"""A morning's work of the staff: they look at the data of open orders, for a stated purpose, and are refused the rest.

So that "who looked" has something to say. As everywhere, the panel and the courier app ask the API, on behalf of staff.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from examples.demo_home import SetUp
from examples.demo_people import Journal, open_cases
from examples.population import MadeUp
from omonat_client import AsyncClient, OmonatProblem

_DELIVERY = ("contact.name", "contact.mobile", "contact.postal-address", "contact.landmark")


class Uses:
    """Looks at open cases as the staff would."""

    def __init__(self, base: str, made: SetUp, journal: Journal) -> None:
        self._base = base
        self._made = made
        self._journal = journal

    async def record(self, everybody: Sequence[MadeUp], shown: int) -> list[dict[str, Any]]:
        """Record the uses; comes back with a few people whose orders are open, for scripts and curious readers."""
        waiting = [(person, case) for person in everybody if (case := _open_order(person)) and self._known(person)]
        clients = self._made.clients
        async with (
            AsyncClient(self._base, clients["courier"]) as couriers,
            AsyncClient(self._base, clients["panel"]) as panel,
            AsyncClient(self._base, clients["marketing"]) as campaigns,
        ):
            for number, (person, case) in enumerate(waiting):
                with suppress(OmonatProblem):  # what the policy refuses is recorded too, and shown
                    if courier := courier_of(person, case):
                        await couriers.use("deliver-order", case=case, on_behalf_of=courier, items=_DELIVERY)
                    if number % 3 == 0:
                        await panel.use("take-order", case=case, on_behalf_of="301")
                    if number % 5 == 0:
                        await panel.use("identify-and-contact", case=case, on_behalf_of="401")
                    if number % 7 == 0:
                        await campaigns.use("marketing-email", person=self._id(person), on_behalf_of="501")
        return [self._told(person, case) for person, case in _varied(waiting, shown)]

    def _known(self, person: MadeUp) -> bool:
        return bool(self._id(person))

    def _id(self, person: MadeUp) -> str:
        return self._journal.of(person.number).person

    def _told(self, person: MadeUp, case: str) -> dict[str, Any]:
        return {
            "person": self._id(person),
            "name": person.name,
            "phone": person.mobile,
            "email": person.email,
            "language": person.language,
            "case": case,
            "courier": courier_of(person, case),
        }


def _open_order(person: MadeUp) -> str | None:
    return next((case for case in open_cases(person) if case.startswith("order:")), None)


def courier_of(person: MadeUp, case: str) -> str | None:
    """The staff ref of the courier on the way with this order; None while nobody is."""
    assigned = [step.body["assigned"][0] for step in person.steps if step.action == "assign" and step.case == case]
    return assigned[-1] if assigned else None


def _varied(waiting: Sequence[tuple[MadeUp, str]], most: int) -> list[tuple[MadeUp, str]]:
    """Some of them: with courier and e-mail address before others, each language at least once where there is one."""
    best = sorted(waiting, key=lambda each: (courier_of(*each) is None, each[0].email is None, each[0].number))
    first = {person.language: (person, case) for person, case in reversed(best)}
    chosen = list(first.values())
    return (chosen + [each for each in best if each not in chosen])[:most]
