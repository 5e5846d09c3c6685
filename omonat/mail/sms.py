"""SMS by an HTTP gateway: `POST {"to": "+998…", "text": "…"}` with a bearer token; any 2xx means taken over.

At most once: what may have gone is never sent again. Retried is only what the gateway surely did not take: no
connection, 429, or an answer that says so (500, 502, 503). A cut answer and 504 are `Unknown`. `Idempotency-Key`
carries the message's id for gateways that know it.

The address of the gateway comes from the start-up configuration alone, no redirect is followed, no proxy of the
environment is used: a phone number goes to the registered recipient or nowhere (T1).
"""

import asyncio
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from omonat.base.errors import BadInput
from omonat.mail.carriers import LONGEST, STEP, Outcome, Rejected, Sms, Taken, TryLater, Unknown
from omonat.promises.messages import BEGINS_WITHIN

_E164 = re.compile(r"\+[1-9][0-9]{7,14}")
_SURELY_NOT_TAKEN = frozenset({429, 500, 502, 503})
_UNKNOWN = frozenset({408, 504})
_OURS = frozenset({401, 403, 404, 405})


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where SMS are handed over. `recipient` is its id in the policy. Plain HTTP only to this machine (S2)."""

    url: str
    recipient: str = "sms-gateway"
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if not parts.hostname or parts.scheme not in ({"http", "https"} if local else {"https"}):
            raise BadInput("message-carrier-misconfigured")


class GatewayCarrier:
    """Hands each SMS over in one request. Use as an async context manager, or call `close`."""

    def __init__(self, gateway: Gateway, *, step: float = STEP, longest: float = LONGEST) -> None:
        self.recipient = gateway.recipient
        self._url = gateway.url
        self._longest = longest
        self._client = httpx.AsyncClient(
            headers={} if gateway.token is None else {"Authorization": f"Bearer {gateway.token}"},
            timeout=httpx.Timeout(step, connect=min(step, BEGINS_WITHIN - 1.0)),
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=8),
        )

    async def hand_over(self, sms: Sms) -> Outcome:
        """The outcome; never raises for what the gateway or the network does."""
        if not _E164.fullmatch(sms.to):
            return Rejected("message-address-malformed")
        try:
            answer = await self._post(sms)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return TryLater()
        except (httpx.HTTPError, TimeoutError):
            return Unknown()
        return _outcome(answer)

    async def _post(self, sms: Sms) -> int:
        async with asyncio.timeout(self._longest):
            request = self._client.build_request(
                "POST", self._url, json={"to": sms.to, "text": sms.text}, headers={"Idempotency-Key": sms.id}
            )
            response = await self._client.send(request, stream=True)
            await response.aclose()  # the status says everything; a long body is nobody's business
            return response.status_code

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:
        return Taken()
    if status in _SURELY_NOT_TAKEN:
        return TryLater()
    if status in _UNKNOWN:
        return Unknown()
    if status in _OURS or 300 <= status < 400:
        return TryLater("message-carrier-misconfigured")
    return Unknown() if status >= 500 else Rejected()
