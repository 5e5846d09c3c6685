"""Leaving over HTTP: the POST of a letter's link beside a plain endpoint that updates a row, 32 connections.

Everybody leaves once, because pressing again writes nothing. So each request is a withdrawal: the signature is checked,
the choice and its entry are written under the person's lock, letters under way are let pass, and a page is answered.
The plain one updates a row by its key, commits, and says so.
"""

from typing import Any

from bench.doors import Doors, compared, p99, rates
from bench.figures import Figure, ratio
from bench.load import Spec
from bench.town import Town
from omonat.base.ids import new_id
from omonat.mail.leave import PATH, signed_links

PURPOSE = "marketing-email"
LEFT = f"{PATH}/{{t}}"
_A_SECOND = 6_000  # more than anybody has answered in one
_BATCH = 5_000
_COLUMNS = ("id", "slot", "evidence_slot", "language", "told", "standing", "created_at")


async def readers(town: Town, *, rounds: int, seconds: float) -> tuple[str, ...]:
    """The signed links of people who said yes, as many as may leave while it is measured; beside each a plain row."""
    many = int(_A_SECOND * seconds * (rounds + 1)) + 500
    links = signed_links(town.house, "webmaster@beshqozon.example")
    tokens: list[str] = []
    for first in range(0, many, _BATCH):
        people = await _some(town, range(first, min(first + _BATCH, many)))
        tokens += [links(person=person, purpose=PURPOSE).address.rpartition("/")[2] for person in people]
    await town.house.grounds.database.pool.execute("analyze persons, plain_readers")
    return tuple(tokens)


async def _some(town: Town, numbers: range) -> list[str]:
    slots, now = iter(town.house.grounds.vault.reserve_slots(2 * len(numbers))), town.clock()
    standing = {"consents": {PURPOSE: 1}, "agreed": {PURPOSE: 1}}
    rows: list[tuple[Any, ...]] = [(new_id("per"), next(slots), next(slots), "uz", 1, standing, now) for _ in numbers]
    async with town.house.grounds.database.transaction() as connection:
        await connection.copy_records_to_table("persons", records=rows, columns=_COLUMNS)
        plain = [(number, True) for number in numbers]
        await connection.copy_records_to_table("plain_readers", records=plain, columns=("id", "reads"))
    return [row[0] for row in rows]


def specs(there: Doors, tokens: tuple[str, ...], seconds: float) -> tuple[Spec, Spec]:
    """Ours and the plain one."""
    leave = Spec(
        port=there.house, method="POST", path=f"{LEFT}?lang=en", status=200, expects="You are unsubscribed",
        seconds=seconds, tokens=tokens,
    )  # fmt: skip
    plain = Spec(
        port=there.plain, method="POST", path="/readers/{n}/leave", status=201, expects='"left":true', seconds=seconds,
        upto=len(tokens) - 1,
    )  # fmt: skip
    return leave, plain


def figures(there: Doors, tokens: tuple[str, ...], *, rounds: int, seconds: float) -> list[Figure]:
    """The row. Raises AssertionError when an answer isn't what it must be."""
    pairs, times = compared(there, *specs(there, tokens, seconds), rounds)
    leaving = "POST of the link to leave, 32 connections, 2 workers"
    beside = "beside a plain endpoint that updates a row"
    return [
        ratio(f"{leaving}, {beside}", pairs, gate=0.5, durable=True, more=rates(pairs)),
        p99(f"{leaving}: p99", times, None),
    ]
