"""As many entries as acts: none missing, none too many, counted by the client alone (bar b1, S4, A1)."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

from tests.whole import witness
from tests.whole.lines import Line
from tests.whole.load import Town
from tests.whole.serving import Installation, Service, soon

OWN = {"clock:mark", "clock:regress", "clock:doubt"}
"""The log's own entries about time."""
SWEPT = ("retention:records:removed", "retention:keys:destroyed", "retention:data:swept")
"""What the house does by itself with closed orders: each removal has all of its stages, whatever their number."""
SEEN_AS = {
    ("collect", "ok"): "collect:record:accepted",
    ("give", "ok"): "choice:consent:given",
    ("withdraw", "ok"): "choice:consent:withdrawn",
    ("close", "ok"): "case:work:closed",
    ("use-order", "ok"): "use:person:authorised",
    ("use-order", "refused"): "use:person:refused",
    ("use-marketing", "ok"): "use:person:authorised",
    ("use-marketing", "refused"): "use:person:refused",
}


async def test_A1_entries_are_exactly_the_acts_of_a_busy_hour(running: Service, lines: tuple[Line, Line]) -> None:
    service = running
    town = Town(service.of.credentials, seed=7)
    before = await acts_once_quiet(service)
    async with town.at_work(service):
        await asyncio.sleep(4)
    expected: Counter[str] = Counter(SEEN_AS[o.act, o.outcome] for o in town.history.operations)
    person = next(o.answer["person"] for o in town.history.acknowledged("collect"))
    for number, line in enumerate(lines):
        expected += everything_else(line, service.of, person, f"number-{number}")
    assert expected.total() > 100
    await soon(lambda: settled(service, before, expected), 20, lambda: difference(service, before, expected))
    await soon(lambda: len({witness.read(service.of).acts()[act] for act in SWEPT}) == 1, 20)
    status, said = witness.verify(service.of)
    assert status == 0, said


def everything_else(line: Line, of: Installation, person: str, name: str) -> Counter[str]:
    """One of every other act of the API, the refused ones too; what each must leave behind."""
    done: Counter[str] = Counter()
    site, officer = of.credentials["site"], of.credentials["officer"]
    case = f"order:all-{name}"

    def told(answer: object, act: str) -> None:
        status = getattr(answer, "status", 0)
        assert status in (200, 201), (act, answer)
        done[act] += 1

    told(line.put(f"/v1/cases/{case}", {"person": person}, site), "case:work:opened")
    told(line.put(f"/v1/cases/{case}", {"assigned": ["204"]}, site), "case:work:changed")
    told(line.post(f"/v1/cases/{case}/events", {"name": "last-complaint"}, site), "case:work:event")
    for path, kind in (("restrictions", "restriction"), ("objections", "objection")):
        for state in ("given", "withdrawn"):
            about = {"person": person, "state": state} | (
                {} if kind == "restriction" else {"purpose": "daily-operations"}
            )
            told(line.post(f"/v1/{path}", about, site), f"choice:{kind}:{state}")
    told(line.post("/v1/tellings", {"person": person, "version": "1", "channel": "email"}, site), "notice:person:told")
    staff = {"name": "Xodim", "role": "courier", "trained-until": (datetime.now(UTC) + timedelta(days=99)).isoformat()}
    told(line.put(f"/v1/staff/9{name}", staff, officer), "staff:role:set")
    refused = line.use(of.credentials["campaigns"], purpose="deliver-order", case=case)
    assert refused.status == 403
    done["use:person:refused"] += 1
    return done


def counted(service: Service) -> Counter[str]:
    try:
        acts = witness.read(service.of).acts()
    except (OSError, IndexError):  # a tile was just replaced by a wider one
        return Counter()
    return Counter({act: count for act, count in acts.items() if act not in OWN and not act.startswith("retention:")})


async def acts_once_quiet(service: Service) -> Counter[str]:
    """What the log holds when nothing more comes."""
    last: list[Counter[str]] = [Counter()]

    def quiet() -> bool:
        before, last[0] = last[0], counted(service)
        return bool(last[0]) and before == last[0]

    async with asyncio.timeout(60):
        while not await asyncio.to_thread(quiet):  # noqa: ASYNC110 - files have no event to wait for
            await asyncio.sleep(2.5)
    return last[0]


def settled(service: Service, before: Counter[str], expected: Counter[str]) -> bool:
    return counted(service) == before + expected


def difference(service: Service, before: Counter[str], expected: Counter[str]) -> str:
    now = counted(service)
    return f"missing {before + expected - now}, too many {now - before - expected}"
