"""The judge is judged: every kind of broken promise, planted in a history or a database, is found."""

import asyncpg
import pytest

from omonat.database.embedded import Server
from omonat.database.home import OWNER
from tests.faults.model import History, Operation, choices_agree
from tests.faults.outside import Letter
from tests.faults.state import index_differences

CONSENT = ("consent:marketing-email", "per_1")
ADDRESS = "a@mail.example"


def write(value: str, asked: float, told: float, outcome: str = "ok", register: tuple[str, str] = CONSENT) -> Operation:
    return Operation("write", register, asked, value, told=told, outcome=outcome)  # type: ignore[arg-type]


def read(asked: float, code: str = "", register: tuple[str, str] = CONSENT) -> Operation:
    return Operation("read", register, asked, told=asked + 1, outcome="refused" if code else "ok", code=code)


def judged(*operations: Operation, letters: tuple[Letter, ...] = ()) -> list[str]:
    return History(list(operations)).violations(letters, {ADDRESS: "per_1"})


def letter(began: float, id: str = "1") -> Letter:
    return Letter(began, ADDRESS, id, "")


def test_what_some_order_explains_is_fine() -> None:
    assert (
        judged(read(0, "no-consent"), write("given", 1, 2), read(3), write("withdrawn", 5, 6), read(7, "no-consent"))
        == []
    )
    assert judged(write("given", 1, 9), read(2), read(4, "no-consent")) == []  # it was under way
    cut_off = write("withdrawn", 3, 4, "unknown")
    assert judged(write("given", 1, 2), cut_off, read(5), read(7, "no-consent")) == []
    assert judged(write("given", 1, 2), letters=(letter(3),)) == []
    assert judged(read(1, "over-cap"), read(1, "too-many-codes")) == []
    assert judged(read(1, register=("role", "204")), read(1, register=("case", "order:1"))) == []


@pytest.mark.parametrize(
    "operations",
    [
        (read(1),),  # nobody ever agreed
        (write("given", 1, 2), write("withdrawn", 3, 4), read(5)),  # used after a withdrawal
        (write("given", 1, 2), read(3, "no-consent")),  # an acknowledged consent is lost
        (write("given", 1, 2, "refused"), read(3)),  # what was refused took effect
        (write("closed", 1, 2, register=("case", "o")), read(3, register=("case", "o"))),
        (read(3, "no-open-case", ("case", "o")),),  # nobody closed it
        (write("restricted", 1, 2, register=("restriction", "p")), read(3, register=("restriction", "p"))),
        (write("ended", 1, 2, register=("role", "204")), read(3, register=("role", "204"))),
        (write("no", 1, 2, register=("held", "p")), read(3, register=("held", "p"))),  # an erased person is back (I1)
        (read(3, "internal", ("case", "o")),),
    ],
)
def test_what_no_order_explains_is_found(operations: tuple[Operation, ...]) -> None:
    assert len(judged(*operations)) == 1


def test_a_value_that_came_back_different_is_found_and_not_repeated() -> None:
    used = read(1, register=("case", "o"))
    used.sent, used.answer = {"contact.name": "Zilola"}, {"items": {"contact.name": "Malika"}}
    (said,) = judged(used)
    assert "contact.name" in said
    assert "Malika" not in said


def test_a_letter_begun_after_a_withdrawal_and_one_sent_twice_are_found() -> None:
    given, withdrawn = write("given", 1, 2), write("withdrawn", 3, 4)
    assert judged(given, withdrawn, letters=(letter(3.5),)) == []
    assert len(judged(given, withdrawn, letters=(letter(4.1),))) == 1
    assert len(judged(given, letters=(letter(3), letter(3.5)))) == 1
    assert judged(given, letters=(letter(3), letter(3.5, "2"))) == []


def test_a_choice_that_is_gone_doubled_or_made_up_is_found() -> None:
    history = History([write("given", 1, 2), write("withdrawn", 3, 4, "unknown")])
    row = {"id": "1", "kind": "consent", "purpose": "marketing-email", "person": "per_1", "state": "given"}
    other = {**row, "id": "2", "state": "withdrawn"}
    assert choices_agree(history, [row], set()) == ([], {"1"})
    assert choices_agree(history, [row, other], {"1"}) == ([], {"1", "2"})
    assert len(choices_agree(history, [row, {**row, "id": "3"}], set())[0]) == 1
    assert len(choices_agree(history, [row, other, {**other, "id": "3"}], set())[0]) == 1
    assert len(choices_agree(history, [other], {"1"})[0]) == 2


async def test_an_index_that_does_not_lead_to_its_rows_is_found(server: Server, dsn: str) -> None:
    name = dsn.partition("@/")[2].partition("?")[0]
    owner = await asyncpg.connect(server.address.dsn(name, user=OWNER))
    try:
        await owner.execute("set search_path = omonat")
        assert await index_differences(owner) == []
        await owner.execute("insert into leases values ('ab1', 'seq_1', 1, now()), ('zz0', 'seq_2', 1, now())")
        turned = (
            "create or replace function turned(text) returns text immutable language plpgsql as 'begin return {}; end'"
        )
        await owner.execute(turned.format("$1"))
        await owner.execute("create index leases_turned on leases (turned(name))")
        assert await index_differences(owner) == []
        await owner.execute(turned.format("reverse($1)"))  # the index lies in the old order now
        assert await index_differences(owner) == ["leases_turned: 2 rows by index, 2 by table"]
    finally:
        await owner.close()
