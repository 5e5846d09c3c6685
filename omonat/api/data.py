"""Personal data in, out and found: collect, use, look up. The hot handlers, so few layers and prebuilt printers."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import msgspec

from omonat.api import posted
from omonat.api.answers import Collected, FoundPeople, Used, UsedMany, encode, evidence, evidence_of
from omonat.api.bodies import CollectBody, LookupBody, UseBody, UsesBody
from omonat.api.body import is_card_code, shaped
from omonat.api.call import Call, moment
from omonat.api.problems import as_member, log_fault
from omonat.api.service_forms import Posted
from omonat.api.speech import withheld
from omonat.base.errors import BadInput, Refused
from omonat.flows import forms
from omonat.flows.collect import CollectRequest
from omonat.flows.lookup import LookupRequest
from omonat.flows.use import UseRequest


async def collect(call: Call) -> bytes:
    """Take in data for a service."""
    body = shaped(call.value, CollectBody)
    ports = call.ports
    version, accepts = body.version, ""
    left_empty: Sequence[str] = ()
    if body.posted is not None:
        body, accepts, left_empty = await _as_posted(call, body, body.posted)
    elif body.items is None:
        raise BadInput("key-missing", key="items", at="$")
    if body.form is not None:
        if version is not None:
            raise BadInput("form-and-version", at="$.form")
        version = forms.shown_version(ports.vault, body.form, service=body.service, now=ports.clock())
    answer = await ports.collect(
        CollectRequest(
            credential=call.caller,
            service=body.service,
            items=body.items or {},
            version=version or "",
            consents=body.consents,
            person=body.person,
            case=body.case,
            language=body.language,
            at=moment(body.collected_at, "$.collected-at"),
            accepted=body.accepted or bool(version and version == accepts),
            key=call.key,
            body_digest=call.digest if call.key is not None else b"",
            left_empty=left_empty,
        )
    )
    return encode(
        Collected(
            person=answer.person,
            record=answer.record,
            case=answer.case,
            version=answer.version,
            evidence=evidence_of(answer.evidence),
        )
    )


async def _as_posted(call: Call, body: CollectBody, fields: Posted) -> tuple[CollectBody, str, Sequence[str]]:
    """The body as if the site had read the form itself, the version accepted with it, and the boxes left empty.

    Raises BadInput posted-and-given for what both the browser and the site say.
    """
    law = await call.ports.law.current()
    form = posted.read(law, body.service, fields)
    given = body.items or {}
    boxes = {*form.consents, *form.left_empty}
    if body.form is not None or given.keys() & form.items.keys() or body.consents.keys() & boxes:
        raise BadInput("posted-and-given", at="$.posted")
    whole = msgspec.structs.replace(
        body,
        items={**form.items, **given},
        consents={**form.consents, **body.consents},
        form=form.token,
        language=form.language or body.language,
    )
    return whole, form.accepts, form.left_empty


async def use(call: Call) -> bytes:
    """Answer one use, or many."""
    value = call.value
    if isinstance(value, dict) and "uses" in value:
        bodies = shaped(value, UsesBody).uses
        answers = await asyncio.gather(*(_member(call, body) for body in bodies))
        return encode(UsedMany(answers=answers))
    return encode(await _one(call, shaped(value, UseBody)))


async def _one(call: Call, body: UseBody) -> Used:
    for item in body.items:
        if is_card_code(item):
            raise Refused("card-code-refused")
    answer = await call.ports.use(
        UseRequest(
            credential=call.caller,
            purpose=body.purpose,
            case=body.case,
            person=body.person,
            on_behalf_of=body.on_behalf_of,
            items=body.items,
        )
    )
    policy, language, purpose = answer.policy, call.language, body.purpose
    reasons: Any = {item: withheld(policy, language, purpose, reason) for item, reason in answer.withheld.items()}
    return Used(
        person=answer.person,
        items=cast("dict[str, Any]", answer.items),
        withheld=reasons,
        records=answer.records,
        evidence=evidence(answer.receipt),
    )


async def _member(call: Call, body: UseBody) -> "Used | msgspec.Raw":
    try:
        return await _one(call, body)
    except Exception as error:  # one use's failure is its own answer; the others are not concerned
        log_fault(error, call.operation, call.id)
        return as_member(error, language=call.language, policy=call.newest, instance=call.id)


async def look_up(call: Call) -> bytes:
    """Find a person by an exact value."""
    body = shaped(call.value, LookupBody)
    answer = await call.ports.lookup(
        LookupRequest(
            credential=call.caller,
            purpose=body.purpose,
            item=body.item,
            value=body.value,
            on_behalf_of=body.on_behalf_of,
        )
    )
    return encode(
        FoundPeople(person=answer.person, cases=answer.cases, several=answer.several, evidence=evidence(answer.receipt))
    )
