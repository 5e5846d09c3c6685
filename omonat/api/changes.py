"""What source systems report: cases and their events, choices, tellings, staff."""

from dataclasses import replace

from omonat.api.answers import Acknowledged, Asked, Registered, VisitLinkMade, encode, evidence
from omonat.api.bodies import (
    AgreementBody,
    CaseBody,
    CloseBody,
    ConsentBody,
    EventBody,
    MessageBody,
    NothingBody,
    ObjectionBody,
    RequestBody,
    RestrictionBody,
    StaffBody,
    TellingBody,
    TermBody,
)
from omonat.api.body import shaped
from omonat.api.call import Call, moment
from omonat.api.once import request_digest
from omonat.base.errors import BadInput
from omonat.base.instants import to_rfc3339
from omonat.database.codecs import FOREVER
from omonat.evidence.receipts import Receipt
from omonat.flows.asked import NewRequest, RequestReceipt
from omonat.flows.cases import CaseEvent, PutCase
from omonat.flows.choose import Choosing, Telling
from omonat.flows.notify import Notification
from omonat.flows.staff import Registration
from omonat.pages.qr import svg
from omonat.promises.location.rule import Term
from omonat.promises.messages import Channel
from omonat.promises.requests.facts import Kind


async def put_case(call: Call) -> bytes:
    """Open a case or change it."""
    body = shaped(call.value, CaseBody)
    request = PutCase(
        credential=call.caller, case=_case(call), person=body.person, assigned=body.assigned, service=body.service
    )

    return await call.once_per_key(lambda also: call.ports.cases.put(request, also), _done)


async def case_event(call: Call) -> bytes:
    """Note an event of a case."""
    body = shaped(call.value, EventBody)
    return await _event(call, body.name, body.at)


async def close_case(call: Call) -> bytes:
    """Close a case."""
    body = shaped(call.value if call.raw else {}, CloseBody)
    return await _event(call, "case-closed", body.at)


async def visit_link(call: Call) -> bytes:
    """The link and the QR for a bill. Without a key: no copy of the link may lie beside one, and a second link to the
    same case does no harm."""
    shaped(call.value if call.raw else {}, NothingBody)
    made = await call.ports.visit_links.make(call.caller, _case(call))
    until = to_rfc3339(made.until)
    qr = svg(made.address)
    return encode(VisitLinkMade(address=made.address, until=until, qr=qr, evidence=evidence(made.receipt)))


async def _event(call: Call, name: str, at: str | None) -> bytes:
    request = CaseEvent(credential=call.caller, case=_case(call), name=name, at=moment(at, "$.at"))

    return await call.once_per_key(lambda also: call.ports.cases.event(request, also), _done)


async def consent(call: Call) -> bytes:
    """Consent, given or taken back."""
    body = shaped(call.value, ConsentBody)
    return await _choose(call, Choosing(
        person=body.person, kind="consent", state=body.state, purpose=body.purpose, version=body.version,
        term=_term(body.term),
    ))  # fmt: skip


def _term(body: TermBody | None) -> Term | None:
    if body is None:
        return None
    until = moment(body.until, "$.term.until")
    return Term(kind=body.kind, precision=body.precision, until=until, case=body.case)


async def objection(call: Call) -> bytes:
    """An objection, raised or taken back."""
    body = shaped(call.value, ObjectionBody)
    return await _choose(call, Choosing(person=body.person, kind="objection", state=body.state, purpose=body.purpose))


async def restriction(call: Call) -> bytes:
    """A restriction, asked for or lifted."""
    body = shaped(call.value, RestrictionBody)
    return await _choose(call, Choosing(person=body.person, kind="restriction", state=body.state))


async def agreement(call: Call) -> bytes:
    """Agreement to a purpose in a version's words."""
    body = shaped(call.value, AgreementBody)
    return await _choose(call, Choosing(
        person=body.person, kind="agreement", state="given", purpose=body.purpose, version=body.version
    ))  # fmt: skip


async def _choose(call: Call, choosing: Choosing) -> bytes:
    client = await call.client()
    request = replace(choosing, door="api", by=client.id, roles=frozenset(client.roles), source=client.source)

    return await call.once_per_key(lambda also: call.ports.choose(request, also), _done)


async def telling(call: Call) -> bytes:
    """A version reached a person."""
    body = shaped(call.value, TellingBody)
    client = await call.client()
    request = Telling(
        person=body.person, version=body.version, channel=body.channel, by=client.id, roles=frozenset(client.roles)
    )

    return await call.once_per_key(lambda also: call.ports.choose.tell(request, also), _done)


async def message(call: Call) -> bytes:
    """A message to a person, put into the outbox; asked once more at the moment it leaves."""
    body = shaped(call.value, MessageBody)
    wanted = Notification(
        credential=call.caller,
        person=body.person,
        template=body.template,
        purpose=body.purpose,
        channel=Channel(body.channel),
        params=body.params,
        case=body.case,
        language=body.language,
        once=body.once or (None if call.key is None else f"key:{request_digest(call.key, '', call.digest).hex()}"),
    )

    return await call.once_per_key(lambda also: call.ports.notify(wanted, also), _done)


async def request(call: Call) -> bytes:
    """A complaint or a request about data, taken in for somebody."""
    body = shaped(call.value, RequestBody)
    if body.person is None and not body.contact.strip():
        raise BadInput("request-contact-needed")
    wanted = NewRequest(
        credential=call.caller,
        kind=Kind(body.kind),
        text=body.text,
        door="api",
        language=body.language,
        name=body.name,
        contact=body.contact,
        person=body.person,
        item=body.item,
        value=body.value,
    )

    return await call.once_per_key(lambda also: call.ports.ask(wanted, also), _asked)


def _asked(done: RequestReceipt) -> bytes:
    return encode(
        Asked(
            number=done.number,
            due=to_rfc3339(done.due_at),
            waits_for_proof=done.waits_for_proof,
            evidence=evidence(done.receipt),
        )
    )


async def put_staff(call: Call) -> bytes:
    """Register a staff member, or change role, end and training."""
    body = shaped(call.value, StaffBody)
    trained = moment(body.trained_until, "$.trained-until")
    assert trained is not None
    until = moment(body.role_until, "$.role-until")
    registration = Registration(
        ref=call.names["ref"],
        name=body.name,
        role=body.role,
        trained_until=trained,
        role_until=FOREVER if until is None else until,
        login=body.login,
    )

    return await call.once_per_key(
        lambda also: call.ports.staff.put_by(call.caller, registration, also),
        lambda staff: encode(Registered(staff=staff)),
    )


def _case(call: Call) -> str:
    return f"{call.names['kind']}:{call.names['reference']}"


def _done(receipt: Receipt) -> bytes:
    return encode(Acknowledged(evidence=evidence(receipt)))
