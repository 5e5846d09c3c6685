"""Business clients, for systems that act for those who speak for the company (N1)."""

from omonat.api.answers import encode, rfc3339
from omonat.api.body import shaped
from omonat.api.call import Call, moment
from omonat.api.client_bodies import (
    ClientAnswer,
    ClientBody,
    ClientList,
    ClientRegistered,
    ConfirmationBody,
    ContactAnswer,
    ContactBody,
    GivenAnswer,
    GivenBody,
    GivenList,
    OwedAnswer,
    ProcedureAnswer,
    ProcedureBody,
    ProcedureList,
    StepAnswer,
)
from omonat.api.speaking import Recorded, SpeakerBody, said, words_answer
from omonat.base.errors import BadInput
from omonat.base.instants import Instant
from omonat.flows.business_clients import Giving
from omonat.flows.client_procedures import PROMISE, Procedure
from omonat.flows.client_register import BusinessClient, GivenNotice
from omonat.promises.notice.clients import Step


async def write_procedure(call: Call) -> bytes:
    """A new version; it waits for the second person."""
    body = shaped(call.value, ProcedureBody)
    await _permit(call)
    steps = [
        Step(
            id=one.id, occasion=one.occasion, part=one.part, within=one.within_days, channels=one.channels,
            says=said(one.says),
        )
        for one in body.steps
    ]  # fmt: skip
    return await call.once_per_key(
        lambda also: call.ports.client_procedures.write(steps, by=body.on_behalf_of, also=also),
        lambda written: encode(_procedure(written)),
    )


async def approve_procedure(call: Call) -> bytes:
    """The second person agrees."""
    body = shaped(call.value, SpeakerBody)
    await _permit(call)
    version = int(call.names["version"])
    return encode(_procedure(await call.ports.client_procedures.approve(version, by=body.on_behalf_of)))


async def procedures(call: Call) -> bytes:
    """Every version."""
    await _permit(call)
    found = await call.ports.client_procedures.every()
    return encode(ProcedureList(procedures=[_procedure(one) for one in found]))


async def register(call: Call) -> bytes:
    """A new client."""
    body = shaped(call.value, ClientBody)
    await _permit(call)
    return await call.once_per_key(
        lambda also: call.ports.business_clients.register(
            by=body.on_behalf_of, name=body.name, trader=body.trader, also=also
        ),
        lambda client: encode(ClientRegistered(id=client)),
    )


async def every(call: Call) -> bytes:
    """Every client."""
    await _permit(call)
    return encode(ClientList(clients=[_client(one) for one in await call.ports.business_clients.every()]))


async def show(call: Call) -> bytes:
    """One client."""
    await _permit(call)
    return encode(_client(await call.ports.business_clients.show(call.names["client"])))


async def contact(call: Call) -> bytes:
    """Whom to tell."""
    body = shaped(call.value, ContactBody)
    await _permit(call)
    return await call.once_per_key(
        lambda also: call.ports.business_clients.contact(
            call.names["client"], body.person, body.part, by=body.on_behalf_of, ends=body.ends, also=also
        ),
        _recorded,
    )


async def give(call: Call) -> bytes:
    """They were told."""
    body = shaped(call.value, GivenBody)
    await _permit(call)
    giving = Giving(client=call.names["client"], step=body.step, channel=body.channel, at=_instant(body.at))
    return await call.once_per_key(
        lambda also: call.ports.business_clients.give(giving, by=body.on_behalf_of, also=also),
        lambda given: encode(GivenList(given=[_given(one) for one in given])),
    )


async def acknowledge(call: Call) -> bytes:
    """It reached them."""
    body = shaped(call.value, ConfirmationBody)
    await _permit(call)
    at = _instant(body.at)
    return await call.once_per_key(
        lambda also: call.ports.business_clients.acknowledge(
            call.names["client"], body.notice, at=at, by=body.on_behalf_of, also=also
        ),
        _recorded,
    )


async def end(call: Call) -> bytes:
    """They are no client any more."""
    body = shaped(call.value, SpeakerBody)
    await _permit(call)
    return await call.once_per_key(
        lambda also: call.ports.business_clients.end(call.names["client"], by=body.on_behalf_of, also=also), _recorded
    )


async def _permit(call: Call) -> None:
    await call.ports.business_clients.officers.permit(call.caller, PROMISE)


def _recorded(entry: str) -> bytes:
    return encode(Recorded(evidence=entry))


def _instant(text: str) -> Instant:
    at = moment(text, "$.at")
    if at is None:  # an empty text is no time
        raise BadInput("time-malformed", at="$.at")
    return at


def _procedure(one: Procedure) -> ProcedureAnswer:
    return ProcedureAnswer(
        version=one.version,
        steps=[
            StepAnswer(
                id=step.id, occasion=step.occasion, part=step.part, within_days=step.within,
                channels=list(step.channels), says=words_answer(step.says),
            )
            for step in one.steps
        ],
        written_by=one.written_by,
        written_at=rfc3339(one.written_at),
        approved_by=one.approved_by,
        approved_at=_maybe(one.approved_at),
        entries=dict(one.entries),
    )  # fmt: skip


def _client(one: BusinessClient) -> ClientAnswer:
    return ClientAnswer(
        id=one.id,
        name=one.name,
        trader=one.trader,
        registered_at=rfc3339(one.registered_at),
        ended_at=_maybe(one.ended_at),
        contacts=[ContactAnswer(person=c.person, part=c.part, since=rfc3339(c.since)) for c in one.contacts],
        given=[_given(each) for each in one.given],
        owed=[OwedAnswer(person=o.person, step=o.step, about=o.about, due=rfc3339(o.due)) for o in one.owed],
        entries=dict(one.entries),
    )


def _given(one: GivenNotice) -> GivenAnswer:
    return GivenAnswer(
        person=one.person, procedure=one.procedure, step=one.step, version=one.version, channel=one.channel,
        at=rfc3339(one.at), evidence=one.entry, receipt=one.receipt, acknowledged_at=_maybe(one.acknowledged_at),
        acknowledgement=one.acknowledgement,
    )  # fmt: skip


def _maybe(at: Instant | None) -> str | None:
    return None if at is None else rfc3339(at)
