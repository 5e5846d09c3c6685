"""What anyone may read: the policy and its history, a service's form, evidence, health, codes."""

import asyncio
from base64 import b64encode
from functools import lru_cache
from typing import Final

from omonat.api.answers import (
    CheckpointAnswer,
    CodeRow,
    Codes,
    ConsistencyAnswer,
    Field,
    Health,
    Offer,
    PolicyDocument,
    ProofAnswer,
    ServiceForm,
    VersionRow,
    Versions,
    Why,
    encode,
    rfc3339,
)
from omonat.api.call import Call
from omonat.base.codes import registry
from omonat.base.errors import OmonatError
from omonat.base.instants import Instant
from omonat.flows import forms
from omonat.policy import beside
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.printer import plain

__all__ = ["checkpoint", "codes", "consistency", "form", "health", "policy", "proof", "versions"]

_HEALTH_PATIENCE: Final = 2.0
"""Seconds; a database that answers later isn't well."""


async def policy(call: Call) -> bytes:
    """The policy in force, as data."""
    return _policy(await call.ports.law.current())


@lru_cache(4)
def _policy(law: CompiledPolicy) -> bytes:
    return encode(
        PolicyDocument(
            policy=law.policy.policy,
            version=law.version,
            ordinal=law.ordinal,
            digest=law.digest,
            effective=rfc3339(law.policy.effective),
            document=plain(law.policy),
        )
    )


async def versions(call: Call) -> bytes:
    """All published versions, newest first."""
    current = await call.ports.law.current()
    rows = [
        VersionRow(
            ordinal=law.ordinal,
            version=law.version,
            digest=law.digest,
            effective=rfc3339(law.policy.effective),
            in_force=law.ordinal == current.ordinal,
        )
        for law in reversed(call.ports.law.history())
    ]
    return encode(Versions(versions=rows))


async def form(call: Call) -> bytes:
    """A service's form in the caller's language, with the token that says what was shown."""
    law = await call.ports.law.current()
    service, now = call.names["service"], call.ports.clock()
    asked = law.form(service)
    return encode(
        ServiceForm(
            service=service,
            label=law.label("service", service, call.language),
            version=law.version,
            language=call.language,
            case=asked.case,
            fields=_fields(law, service, call.language),
            offers=[_offer(law, purpose, call.language) for purpose in asked.offers],
            form=forms.issue(call.ports.vault, service=service, version=law.version, now=now),
            valid_until=rfc3339(Instant(now + forms.VALID)),
            born_by=law.born_by(now),
        )
    )


@lru_cache(256)
def _fields(law: CompiledPolicy, service: str, language: str) -> list[Field]:
    asked = law.form(service)
    return [_field(law, service, item, language) for item in asked.items]


def _field(law: CompiledPolicy, service: str, item: str, language: str) -> Field:
    asked, declared = law.form(service), law.items[item]
    own = item in asked.required or item in asked.optional
    return Field(
        item=item,
        label=declared.says[language],
        kind=declared.kind.value,
        ask="required" if item in asked.required else "optional" if own else "with-consent",
        why=[_why(law, purpose, item, language) for purpose in law.needed_by(service, item)],
        consents=[] if own else list(asked.offered[item]),
        choices=beside.choices(law, item, language),
        kept=list(beside.kept(law, service, item, language)),
    )


def _why(law: CompiledPolicy, purpose: str, item: str, language: str) -> Why:
    asking = law.purposes[purpose]
    seen_by = beside.seen_by(law, purpose, item, language)
    return Why(purpose=purpose, says=asking.says[language], tells=asking.tells[language], seen_by=seen_by)


def _offer(law: CompiledPolicy, purpose: str, language: str) -> Offer:
    offered = law.purposes[purpose]
    return Offer(purpose=purpose, says=offered.says[language], tells=offered.tells[language])


async def proof(call: Call) -> bytes:
    """An entry's place and proof."""
    found = await call.ports.log.proof(call.names["id"])
    return encode(
        ProofAnswer(
            id=call.names["id"], index=found.index, proof=bytes(found).decode(), checkpoint=found.signed.decode()
        )
    )


async def consistency(call: Call) -> bytes:
    """That the log only grew since a checkpoint somebody kept."""
    old = int(call.names["size"])
    signed, path = await asyncio.to_thread(call.ports.log.consistency, old)
    return encode(
        ConsistencyAnswer(
            old=old,
            size=signed.checkpoint.size,
            proof=[b64encode(one).decode() for one in path],
            checkpoint=signed.raw.decode(),
        )
    )


async def checkpoint(call: Call) -> bytes:
    """The newest signed checkpoint."""
    signed = call.ports.log.checkpoint()
    return encode(
        CheckpointAnswer(
            size=signed.checkpoint.size,
            signed_at=None if signed.at is None else rfc3339(signed.at),
            checkpoint=signed.raw.decode(),
        )
    )


async def health(call: Call) -> bytes:
    """Whether data can be taken and given."""
    if call.house is None:
        return encode(Health(status="sealed", sealed=True, policy=None))
    try:
        async with asyncio.timeout(_HEALTH_PATIENCE):
            await call.house.law.reload()  # a policy known from earlier would hide that the database is away
            law = await call.house.law.current()
    except (OmonatError, TimeoutError):
        return encode(Health(status="unavailable", sealed=False, policy=None))
    return encode(Health(status="ok", sealed=False, policy=law.version))


async def codes(call: Call) -> bytes:
    """Every code, in the caller's language."""
    return _codes(call.language)


@lru_cache(4)
def _codes(language: str) -> bytes:
    rows = [
        CodeRow(id=c.id, status=c.status, promise=c.promise, says=c.says[language], next=c.next[language])
        for c in registry().values()
    ]
    return encode(Codes(codes=rows))
