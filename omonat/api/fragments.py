"""A service's form as HTML: shown as it is declared, or as a site wants it, or again with what was wrong (L2, N1)."""

from omonat.api.bodies import FormBody
from omonat.api.body import shaped
from omonat.api.call import Call
from omonat.api.service_forms import Returned, Wanted, fragment
from omonat.base.codes import registry
from omonat.base.errors import BadInput
from omonat.flows import forms


async def show(call: Call) -> bytes:
    """The whole form, for whoever asks."""
    return await _drawn(call, Wanted(), Returned())


async def show_again(call: Call) -> bytes:
    """The form as a site wants it; with what was posted and why that wasn't taken, where it was. Nothing is kept."""
    await call.client()
    body = shaped(call.value, FormBody)
    wanted = Wanted(items=body.items, offers=body.offers, whole=body.whole)
    return await _drawn(call, wanted, _returned(body))


def _returned(body: FormBody) -> Returned:
    problem = body.problem or {}
    code, item, says = (str(problem.get(name, "")) for name in ("code", "item", "detail"))
    if code and code not in registry():
        raise BadInput("value-wrong", at="$.problem.code")
    return Returned(posted=body.posted, code=code, item=item, says=says)


async def _drawn(call: Call, wanted: Wanted, back: Returned) -> bytes:
    law = await call.ports.law.current()
    service, now = call.names["service"], call.ports.clock()
    law.form(service)
    token = forms.issue(call.ports.vault, service=service, version=law.version, now=now)
    return fragment(law, service, call.language, token=token, now=now, wanted=wanted, back=back).encode()
