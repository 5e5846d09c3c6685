"""Business clients at the Desk: whom to tell what, what is owed, what was told, and the procedure itself (N1).

For those who speak for the company. It knows contacts by their ids, never by a name.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from omonat.base.codes import registry
from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.base.ids import is_id
from omonat.base.instants import MINUTE, Instant, from_datetime, to_datetime
from omonat.base.verdict import Allow
from omonat.desk.door import CLIENTS, PROCEDURE
from omonat.desk.visit import Answer, Visit
from omonat.flows.business_clients import Giving
from omonat.flows.client_procedures import PROMISE, Procedure
from omonat.flows.client_register import NEWEST, BusinessClient, ClientPage, Cursor
from omonat.flows.officers import may_speak
from omonat.pages.words import N_
from omonat.promises.notice.clients import CHANNELS, OCCASIONS, Step
from omonat.promises.notice.words import LANGUAGES, Words

HAPPENED: Final[Mapping[str, str]] = {
    "engaged": N_("Became a client"),
    "policy-version": N_("A new version of the policy"),
    "security-breach": N_("A breach of data"),
}
WAYS: Final[Mapping[str, str]] = {
    "email": N_("By e-mail"),
    "sms": N_("By text message"),
    "letter": N_("By letter"),
    "meeting": N_("At a meeting"),
    "contract": N_("With the contract"),
    "privacy-center": N_("In the privacy center"),
}
IN_LANGUAGE: Final[Mapping[str, str]] = {"uz": N_("in Uzbek"), "ru": N_("in Russian"), "en": N_("in English")}
_LONGEST: Final = 6_000
_LONGEST_INSTANT: Final = 17
_MOST: Final = 50
_MOST_OWED: Final = 100
NOBODY: Final = ClientPage((), None)
"""What is shown to those who don't speak for the company."""


async def every(visit: Visit) -> Answer:
    """What is owed, every client, and the way to register one."""
    return await _list(visit)


async def register(visit: Visit) -> Answer:
    """A company by its name, or a sole trader by their id."""
    typed = {name: visit.form.get(name, "").strip()[:300] for name in ("name", "trader")}
    name, trader = typed["name"] or None, typed["trader"] or None
    try:
        client = await visit.house.business_clients.register(by=visit.member.ref, name=name, trader=trader)
    except (BadInput, Refused) as error:
        return await _list(visit, typed=typed, error=error)
    return visit.go(f"{CLIENTS}/{client}")


async def one(visit: Visit) -> Answer:
    """One client."""
    return await _page(visit)


async def act(visit: Visit) -> Answer:
    """Name somebody or end that, record a notice or its confirmation, end the client."""
    flow, client, by = visit.house.business_clients, visit.request.path_params["client"], visit.member.ref
    field = {name: value.strip()[:300] for name, value in visit.form.items()}
    try:
        match field.get("do", ""):
            case "contact" | "contact-ends" as do:
                ends = do == "contact-ends"
                await flow.contact(client, field.get("person", ""), field.get("part", ""), by=by, ends=ends)
            case "give":
                step, _, channel = field.get("step", "").partition("/")
                giving = Giving(client=client, step=step, channel=channel, at=_instant(visit, field.get("at", "")))
                await flow.give(giving, by=by)
            case "acknowledge":
                at = _instant(visit, field.get("at", ""))
                await flow.acknowledge(client, field.get("notice", ""), at=at, by=by)
            case "end":
                await flow.end(client, by=by)
            case _:
                raise BadInput("form-unclear")
    except (BadInput, Refused) as error:
        if error.code in ("form-unclear", "client-unknown"):
            raise
        return await _page(visit, error=error)
    return visit.go(f"{CLIENTS}/{client}")


async def procedure(visit: Visit) -> Answer:
    """The procedure, its versions, and a form to change a step."""
    return await _procedure(visit)


async def change(visit: Visit) -> Answer:
    """A step is put in or taken out, in a new version that waits for a colleague; or a version is approved."""
    flow, by = visit.house.client_procedures, visit.member.ref
    typed = {name: value.strip().replace("\r\n", "\n")[:_LONGEST] for name, value in visit.form.items()}
    try:
        match typed.get("do", ""):
            case "put":
                await flow.write(_with(await _newest(visit), _step(typed)), by=by)
            case "remove":
                await flow.write([s for s in await _newest(visit) if s.id != typed.get("id", "")], by=by)
            case "approve":
                await flow.approve(_number(typed.get("version", "")), by=by)
            case _:
                raise BadInput("form-unclear")
    except (BadInput, Refused) as error:
        if error.code == "form-unclear":
            raise
        return await _procedure(visit, typed=typed, error=error)
    return visit.go(PROCEDURE)


def _with(steps: tuple[Step, ...], new: Step) -> list[Step]:
    """The steps with this one in its place, or at the end."""
    if any(each.id == new.id for each in steps):
        return [new if each.id == new.id else each for each in steps]
    return [*steps, new]


def _step(typed: Mapping[str, str]) -> Step:
    """The step of a form; the rule judges it."""
    said = {each: Words(title=typed.get(f"title-{each}", ""), text=typed.get(f"text-{each}", "")) for each in LANGUAGES}
    return Step(
        id=typed.get("id", ""), occasion=typed.get("occasion", ""), part=typed.get("part", ""),
        within=_number(typed.get("within", "")), says=said,
        channels=tuple(each for each in CHANNELS if typed.get(f"by-{each}") == "yes"),
    )  # fmt: skip


def _number(text: str) -> int:
    """A number as it was typed; what is none is -1, which nothing is."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else -1


async def _newest(visit: Visit) -> tuple[Step, ...]:
    versions = await visit.house.client_procedures.every()
    return versions[0].steps if versions else ()


def _instant(visit: Visit, text: str) -> Instant:
    """A minute typed on the company's own clock: its last moment, or now while it runs. Raises BadInput.

    What happened earlier in the same minute was before it.
    """
    try:
        typed = from_datetime(datetime.fromisoformat(text).replace(tzinfo=visit.policy.zone))
    except (ValueError, OverflowError):
        raise BadInput("instant-malformed", example="2026-12-01T09:00") from None
    return typed if typed > visit.now else min(Instant(typed + MINUTE - 1), visit.now)


def _about(visit: Visit, error: OmonatError | None) -> dict[str, Any]:
    if error is None:
        return {"status": 200, "error": "", "about": {}, "promise": ""}
    known = registry()[error.code]
    return {"status": known.status, "error": error.code, "about": visit.named(error.about), "promise": known.promise}


async def _list(visit: Visit, *, typed: dict[str, str] | None = None, error: OmonatError | None = None) -> Answer:
    may, first = isinstance(may_speak(visit.policy, visit.member.role, PROMISE), Allow), "before" not in visit.query
    page = await visit.house.business_clients.page(_cursor(visit.query.get("before", "")), _MOST) if may else NOBODY
    owing, more = await visit.house.business_clients.owing(_MOST_OWED) if may and first else ((), False)
    asked = {client.id: client for client in (*owing, *(page.clients if first else ()))}
    owed = sorted(((due, client) for client in asked.values() for due in client.owed), key=lambda pair: pair[0].due)
    steps = await _in_force(visit) if may else ()
    told = first and bool(page.clients and steps) and not owed
    return visit.page(
        "clients.html",
        may=may,
        clients=page.clients,
        newer=None if first else CLIENTS,
        older=f"{CLIENTS}?before={page.next[0]}.{page.next[1]}" if page.next else None,
        owed=owed,
        more_owed=more,
        all_told=told and await visit.house.business_clients.all_named(),
        titles=_titles(visit, steps),
        typed=typed or {"name": "", "trader": ""},
        **_about(visit, error),
    )


def _cursor(said: str) -> Cursor:
    """Where a page begins: when the client above it was registered, and its id. Raises BadInput `client-unknown`."""
    if not said:
        return NEWEST
    at, _, client = said.partition(".")
    if not (at.isascii() and at.isdigit() and len(at) <= _LONGEST_INSTANT and is_id("bcl", client)):
        raise BadInput("client-unknown")
    return Instant(int(at)), client


async def _page(visit: Visit, *, error: OmonatError | None = None) -> Answer:
    _permit(visit)
    client = await visit.house.business_clients.show(visit.request.path_params["client"])
    steps = await _in_force(visit)
    parts = list(dict.fromkeys(each.part for each in steps))
    return visit.page(
        "client.html",
        client=client,
        here=f"{CLIENTS}/{client.id}",
        titles=_titles(visit, steps),
        parts=[(part, part) for part in parts],
        gives=_gives(visit, client, steps),
        ways=WAYS,
        local=to_datetime(visit.now).astimezone(visit.policy.zone).strftime("%Y-%m-%dT%H:%M"),
        **_about(visit, error),
    )


def _gives(visit: Visit, client: BusinessClient, steps: tuple[Step, ...]) -> list[tuple[str, str]]:
    """What can be recorded as told: the steps somebody is named for, what is owed first, each by its channels."""
    named, owed = {each.part for each in client.contacts}, {each.step for each in client.owed}
    mine = sorted((each for each in steps if each.part in named), key=lambda each: each.id not in owed)
    return [
        (f"{each.id}/{channel}", f"{each.says[visit.language].title}: {visit.words(WAYS[channel])}")
        for each in mine
        for channel in each.channels
    ]


async def _procedure(
    visit: Visit, *, typed: Mapping[str, str] | None = None, error: OmonatError | None = None
) -> Answer:
    _permit(visit)
    versions = await visit.house.client_procedures.every()
    known = {each.id: each for each in (versions[0].steps if versions else ())}
    if typed is None:
        typed = _typed(known.get(visit.query.get("step", "")))
    return visit.page(
        "client_procedure.html",
        versions=[(each, _state(each, versions)) for each in versions],
        occasions=[(each, visit.words(HAPPENED[each])) for each in OCCASIONS],
        happened=HAPPENED,
        channels=[(each, visit.words(WAYS[each])) for each in CHANNELS],
        ways=WAYS,
        typed=typed,
        removable=len(known) > 1 and typed.get("id") in known,
        tongues=[(each, visit.words(IN_LANGUAGE[each])) for each in LANGUAGES],
        here=PROCEDURE,
        **_about(visit, error),
    )


def _state(one: Procedure, versions: Any) -> str:
    if one.approved_at is None:
        return "waits"
    return "in-force" if one is next(each for each in versions if each.approved_at is not None) else "was"


def _typed(step: Step | None) -> dict[str, str]:
    """A step as its form shows it."""
    if step is None:
        return {}
    said = {f"title-{language}": words.title for language, words in step.says.items()}
    said |= {f"text-{language}": words.text for language, words in step.says.items()}
    said |= {f"by-{channel}": "yes" for channel in step.channels}
    return said | {"id": step.id, "occasion": step.occasion, "part": step.part, "within": str(step.within)}


async def _in_force(visit: Visit) -> tuple[Step, ...]:
    versions = await visit.house.client_procedures.every()
    return next((each.steps for each in versions if each.approved_at is not None), ())


def _titles(visit: Visit, steps: tuple[Step, ...]) -> dict[str, str]:
    return {each.id: each.says[visit.language].title for each in steps}


def _permit(visit: Visit) -> None:
    """Raises Refused."""
    verdict = may_speak(visit.policy, visit.member.role, PROMISE)
    if not isinstance(verdict, Allow):
        raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)
