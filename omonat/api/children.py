"""Children: signals that close a person's data, and parents' consents that open it again (K2)."""

from omonat.api.answers import ChildAnswer, encode, rfc3339
from omonat.api.bodies import ChildSignalBody, GuardianConsentBody
from omonat.api.body import shaped
from omonat.api.call import Call
from omonat.flows.children import Agreement, Closed


async def signal(call: Call) -> bytes:
    """Somebody is said to be a child."""
    body = shaped(call.value, ChildSignalBody)
    children = call.ports.children
    return await call.once_per_key(lambda also: children.by_system(call.caller, body.person, body.signal, also), _told)


async def consent(call: Call) -> bytes:
    """A parent agrees, or takes it back."""
    body = shaped(call.value, GuardianConsentBody)
    children = call.ports.children
    await children.permit(call.caller)
    if body.state == "withdrawn":
        return await call.once_per_key(
            lambda also: children.take_back(body.person, by=body.on_behalf_of, scope=body.scope, also=also), _told
        )
    agreement = Agreement(
        person=body.person, method=body.method, reference=body.reference, guardian=body.guardian, born=body.born,
        scope=body.scope,
    )  # fmt: skip
    return await call.once_per_key(lambda also: children.agree(agreement, by=body.on_behalf_of, also=also), _told)


def _told(closed: Closed) -> bytes:
    return encode(
        ChildAnswer(
            person=closed.person,
            closed_at=None if closed.closed_at is None else rfc3339(closed.closed_at),
            until=None if closed.until is None else rfc3339(closed.until),
            evidence=closed.entry,
        )
    )
