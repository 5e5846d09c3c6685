"""Desks without a network: the key to seal to, setting a device up, handing sealed forms in (S1)."""

from typing import Literal

from omonat.api.answers import (
    DeviceAnswer,
    FormsTaken,
    FormTaken,
    SealedCollected,
    SealingKeyAnswer,
    encode,
    rfc3339,
)
from omonat.api.bodies import DeviceBody
from omonat.api.call import Call, shaped
from omonat.api.problems import problem
from omonat.base.errors import BadInput
from omonat.flows.sealed_forms import Batch, SealedForm, Taken
from omonat.vault.encoding import bytes_of, text_of


async def sealing_key(call: Call) -> bytes:
    """The public key to seal to now."""
    key = await call.ports.sealing_keys.current()
    return encode(
        SealingKeyAnswer(
            installation=call.ports.installation,
            key=key.number,
            public=text_of(key.public),
            fingerprint=key.fingerprint,
            since=rfc3339(key.begun_at),
            evidence=key.entry,
            days=call.ports.offline_days,
        )
    )


async def set_up(call: Call) -> bytes:
    """Give the device of this credential its key."""
    body = shaped(call.value, DeviceBody)
    try:
        key = bytes_of(body.key)
    except ValueError:
        raise BadInput("device-key-malformed") from None
    client = await call.ports.devices.set_up(call.caller, key)
    law = await call.ports.law.current()
    services = [name for name, service in law.services.items() if client.source in service.sources]
    return encode(DeviceAnswer(device=client.id, source=client.source, services=services))


async def hand_in(call: Call) -> bytes:
    """Take sealed forms in, each once."""
    batch = shaped(call.value, Batch)
    return encode(FormsTaken(forms=[_told(call, each) for each in await call.ports.sealed_forms(batch)]))


async def pass_on(call: Call) -> bytes:
    """Take in one form that a visitor's browser sealed."""
    taken = await call.ports.sealed_forms.passed_on(call.caller, shaped(call.value, SealedForm))
    state: Literal["taken", "repeated"] = "repeated" if taken.state == "repeated" else "taken"
    return encode(
        SealedCollected(state=state, person=taken.person, record=taken.record, case=taken.case, evidence=taken.entry)
    )


def _told(call: Call, taken: Taken) -> FormTaken:
    if taken.error is None:
        return FormTaken(id=taken.id, state=taken.state, evidence=taken.entry, code="", says="", next="")
    said = problem(taken.error, language=call.language, policy=call.newest, instance=call.id)
    return FormTaken(id=taken.id, state=taken.state, evidence="", code=said.code, says=said.detail, next=said.next)
