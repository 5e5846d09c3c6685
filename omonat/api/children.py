"""Children: signals that close a person's data, and parents' consents that open it again (K2)."""

from omonat.api.answers import ChildAnswer, PaymentAnswer, encode, rfc3339
from omonat.api.bodies import ChildSignalBody, GuardianConsentBody, PaymentReportBody
from omonat.api.body import shaped
from omonat.api.call import Call
from omonat.flows.children import Agreement, Closed
from omonat.flows.payment_reports import Signed
from omonat.policy.kinds.guard import refuse_in_reference
from omonat.promises.children.paying import Terms


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


async def payment(call: Call) -> bytes:
    """The provider reports what a parent paid, or that it went back."""
    body = shaped(call.value, PaymentReportBody)
    refuse_in_reference(body.payment)
    id, at, signatures = call.webhook
    terms = Terms(ask=body.order, total=body.amount, currency=body.currency, notice=body.notice)
    counts = await call.ports.parent_payments.report(
        Signed(id, at, signatures, call.raw), body.event, body.payment, terms
    )
    return encode(PaymentAnswer(payment=body.payment, counts=counts))


def _told(closed: Closed) -> bytes:
    return encode(
        ChildAnswer(
            person=closed.person,
            closed_at=None if closed.closed_at is None else rfc3339(closed.closed_at),
            until=None if closed.until is None else rfc3339(closed.until),
            evidence=closed.entry,
        )
    )
