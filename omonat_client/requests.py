"""Requests as values: what each method asks, without a connection; both clients send the same ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

import msgspec

from omonat_client.answers import (
    Acknowledged,
    Answers,
    Asked,
    Checkpoint,
    Codes,
    Collected,
    Erasure,
    ErasurePlan,
    FoundPeople,
    Health,
    PolicyDocument,
    Problem,
    Proof,
    Registered,
    ServiceForm,
    Used,
    Versions,
    VisitLink,
)

T = TypeVar("T")
State = Literal["given", "withdrawn"]
Cause = Literal["asked", "inaccurate", "child"]


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One request: where, what, and how its answer is read. `keyed`: carries an idempotency key, `key` or a new one."""

    method: str
    path: str
    read: Callable[[bytes], T]
    body: Mapping[str, Any] | None = None
    keyed: bool = False
    key: str | None = None


def _reads(kind: type[T]) -> Callable[[bytes], T]:
    return msgspec.json.Decoder(kind).decode


_used, _acknowledged = _reads(Used), _reads(Acknowledged)
_collected, _found, _registered = _reads(Collected), _reads(FoundPeople), _reads(Registered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One of many uses; see `use`."""

    purpose: str
    case: str | None = None
    person: str | None = None
    on_behalf_of: str | None = None
    items: Sequence[str] = ()


def collect(
    service: str,
    items: Mapping[str, Any] | None = None,
    *,
    posted: Mapping[str, str | Sequence[str]] | None = None,
    version: str | None = None,
    form: str | None = None,
    consents: Mapping[str, bool] | None = None,
    person: str | None = None,
    case: str | None = None,
    collected_at: datetime | None = None,
    language: Literal["uz", "ru", "en"] | None = None,
    accepted: bool = False,
    key: str | None = None,
) -> Request[Collected]:
    """Take in data for a service, with the `version` that was shown or the `form` token that came with the form.

    Give a `key` of your own (an order's number, hashed) to have it done once even when your program starts anew.
    `posted` is what a browser sent from `form_html`, as it came; `items` then adds what your system knows itself.
    `collected_at` is taken by the demo alone.
    """
    body = _given(
        service=service,
        items=items if posted is None else items or None,
        posted=posted,
        version=version,
        form=form,
        consents=consents,
        person=person,
        case=case,
        collected_at=_time(collected_at),
        language=language,
        accepted=accepted or None,
    )
    return Request("POST", "/v1/collect", _collected, body, keyed=True, key=key)


def use(
    purpose: str,
    *,
    case: str | None = None,
    person: str | None = None,
    on_behalf_of: str | None = None,
    items: Sequence[str] = (),
) -> Request[Used]:
    """Use data for a purpose; without `items`, all that the purpose may use."""
    asked = Use(purpose=purpose, case=case, person=person, on_behalf_of=on_behalf_of, items=items)
    return Request("POST", "/v1/use", _used, _use(asked))


def use_many(uses: Sequence[Use]) -> Request[list[Used | Problem]]:
    """Up to 256 uses at once; each answer is a `Used` or its `Problem`, in order."""
    return Request("POST", "/v1/use", _many, {"uses": [_use(each) for each in uses]})


def look_up(purpose: str, item: str, value: str, *, on_behalf_of: str | None = None) -> Request[FoundPeople]:
    """Find a person by an exact value, where the purpose allows it; counted."""
    body = _given(purpose=purpose, item=item, value=value, on_behalf_of=on_behalf_of)
    return Request("POST", "/v1/lookups", _found, body)


def put_case(
    case: str, *, person: str | None = None, assigned: Sequence[str] | None = None, service: str | None = None
) -> Request[Acknowledged]:
    """Open a case, bind it to a person, assign it. `assigned` None leaves the assignment as it is."""
    body = _given(person=person, assigned=None if assigned is None else list(assigned), service=service)
    return Request("PUT", f"/v1/cases/{_part(case)}", _acknowledged, body, keyed=True)


def case_event(case: str, name: str, *, at: datetime | None = None) -> Request[Acknowledged]:
    """Note an event that retention counts from."""
    return Request(
        "POST", f"/v1/cases/{_part(case)}/events", _acknowledged, _given(name=name, at=_time(at)), keyed=True
    )


def close_case(case: str, *, at: datetime | None = None) -> Request[Acknowledged]:
    """Close a case."""
    return Request("POST", f"/v1/cases/{_part(case)}/close", _acknowledged, _given(at=_time(at)), keyed=True)


def visit_link(case: str) -> Request[VisitLink]:
    """A link and a QR for the bill of a case: what was recorded about the visit, without a value."""
    return Request("POST", f"/v1/cases/{_part(case)}/visit-link", _reads(VisitLink), {})


def consent(
    person: str, purpose: str, state: State, *, version: str | None = None, term: Mapping[str, str] | None = None
) -> Request[Acknowledged]:
    """Give consent to a purpose, or take it back; `term` says how long a permission to use a location lasts."""
    body = _given(person=person, purpose=purpose, state=state, version=version, term=term)
    return Request("POST", "/v1/consents", _acknowledged, body, keyed=True)


def objection(person: str, purpose: str, state: State = "given") -> Request[Acknowledged]:
    """Raise an objection to a purpose, or take it back."""
    body = _given(person=person, purpose=purpose, state=state)
    return Request("POST", "/v1/objections", _acknowledged, body, keyed=True)


def restriction(person: str, state: State = "given") -> Request[Acknowledged]:
    """Restrict all use of a person's data, or lift it."""
    return Request("POST", "/v1/restrictions", _acknowledged, _given(person=person, state=state), keyed=True)


def telling(person: str, version: str, channel: str) -> Request[Acknowledged]:
    """Record that a version of the policy reached a person."""
    body = _given(person=person, version=version, channel=channel)
    return Request("POST", "/v1/tellings", _acknowledged, body, keyed=True)


def agreement(person: str, purpose: str, version: str) -> Request[Acknowledged]:
    """Record that a person agreed to a purpose in the words of a version."""
    body = _given(person=person, purpose=purpose, version=version)
    return Request("POST", "/v1/agreements", _acknowledged, body, keyed=True)


def ask(
    kind: Literal["complaint", "question", "access", "correction", "deletion", "objection"],
    text: str,
    *,
    person: str | None = None,
    contact: str | None = None,
    name: str | None = None,
    language: Literal["uz", "ru", "en"] | None = None,
) -> Request[Asked]:
    """Take in a complaint or a request about data for a person your system knows, or for a phone or e-mail."""
    body = _given(kind=kind, text=text, person=person, contact=contact, name=name, language=language)
    return Request("POST", "/v1/requests", _reads(Asked), body, keyed=True)


def message(
    person: str,
    template: str,
    *,
    purpose: str,
    channel: Literal["sms", "email"],
    params: Mapping[str, str | int] | None = None,
    case: str | None = None,
    language: Literal["uz", "ru", "en"] | None = None,
    once: str | None = None,
) -> Request[Acknowledged]:
    """Have a person written to: a template and its parameters, neither address nor words. `once` names it for ever."""
    body = _given(
        person=person,
        template=template,
        purpose=purpose,
        channel=channel,
        params=params,
        case=case,
        language=language,
        once=once,
    )
    return Request("POST", "/v1/messages", _acknowledged, body, keyed=True)


def put_staff(
    ref: str,
    *,
    name: str,
    role: str,
    trained_until: datetime,
    role_until: datetime | None = None,
    login: str | None = None,
) -> Request[Registered]:
    """Register a staff member, end a role (`role_until`), note training. Times need a zone."""
    body = _given(name=name, role=role, trained_until=_time(trained_until), role_until=_time(role_until), login=login)
    return Request("PUT", f"/v1/staff/{_part(ref)}", _registered, body, keyed=True)


def erasure_plan(
    person: str, *, record: str | None = None, items: Sequence[str] = (), cause: Cause = "asked"
) -> Request[ErasurePlan]:
    """What an erasure would take and what it would leave; changes nothing."""
    body = _given(person=person, record=record, items=list(items) or None, cause=cause)
    return Request("POST", "/v1/erasures/plan", _reads(ErasurePlan), body)


def erase(
    person: str, *, record: str | None = None, items: Sequence[str] = (), cause: Cause = "asked"
) -> Request[Erasure]:
    """Erase a person, a record, or items, as far as no duty keeps them."""
    body = _given(person=person, record=record, items=list(items) or None, cause=cause)
    return Request("POST", "/v1/erasures", _reads(Erasure), body, keyed=True)


def erasure(id: str) -> Request[Erasure]:
    """How far an erasure is."""
    return Request("GET", f"/v1/erasures/{_part(id)}", _reads(Erasure))


def policy() -> Request[PolicyDocument]:
    """The policy in force, as data."""
    return Request("GET", "/v1/policy", _reads(PolicyDocument))


def versions() -> Request[Versions]:
    """All published versions, newest first."""
    return Request("GET", "/v1/policy/versions", _reads(Versions))


def form(service: str) -> Request[ServiceForm]:
    """What to ask for a service, and what to say beside each field."""
    return Request("GET", f"/v1/services/{_part(service)}/form", _reads(ServiceForm))


def form_html(
    service: str,
    *,
    items: Sequence[str] | None = None,
    offers: Sequence[str] | None = None,
    whole: bool = True,
    posted: Mapping[str, str | Sequence[str]] | None = None,
    problem: Problem | None = None,
) -> Request[str]:
    """The form as a piece of HTML in the client's language: put it into a page, give what is posted to `collect`.

    `items` and `offers` choose among what is optional; without `whole` there is no `<form>` around it, for your own.
    With `posted` and the `problem` that `collect` answered it comes back filled in, and says what was wrong.
    """
    said = None if problem is None else {"code": problem.code, "item": problem.item, "detail": problem.detail}
    body = _given(items=items, offers=offers, whole=whole, posted=posted, problem=said)
    return Request("POST", f"/v1/services/{_part(service)}/form.html", bytes.decode, body)


def proof(entry: str) -> Request[Proof]:
    """The proof of one evidence entry, by its id."""
    return Request("GET", f"/v1/evidence/{_part(entry)}", _reads(Proof))


def checkpoint() -> Request[Checkpoint]:
    """The newest signed checkpoint of the log."""
    return Request("GET", "/v1/evidence/checkpoint", _reads(Checkpoint))


def health() -> Request[Health]:
    """Whether data can be taken and given."""
    return Request("GET", "/v1/health", _reads(Health))


def codes() -> Request[Codes]:
    """Every code the server can answer, with its words."""
    return Request("GET", "/v1/codes", _reads(Codes))


def _use(asked: Use) -> dict[str, Any]:
    return _given(
        purpose=asked.purpose,
        case=asked.case,
        person=asked.person,
        on_behalf_of=asked.on_behalf_of,
        items=list(asked.items) or None,
    )


def _many(raw: bytes) -> list[Used | Problem]:
    answers = msgspec.json.decode(raw, type=Answers).answers
    return [_problem_in(each) if "code" in each else _used_in(each) for each in answers]


def _used_in(answer: dict[str, Any]) -> Used:
    return msgspec.convert(answer, Used)


def _problem_in(answer: dict[str, Any]) -> Problem:
    return msgspec.convert(answer, Problem)


def _given(**values: Any) -> dict[str, Any]:
    """Only what was given, under its name on the wire."""
    return {name.replace("_", "-"): value for name, value in values.items() if value is not None}


def _time(moment: datetime | None) -> str | None:
    if moment is not None and moment.tzinfo is None:
        raise ValueError("a time without a zone names no moment")
    return None if moment is None else moment.isoformat()


def _part(name: str) -> str:
    return quote(name, safe=":")
