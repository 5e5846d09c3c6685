"""Signed webhooks, as Standard Webhooks has them: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1a,…`.

The signature is Ed25519 over `id.timestamp.body`, so that a system needs our public key and shares no secret with us.
Addresses come from the start-up configuration alone; no redirect is followed, no proxy of the environment is used, and
what comes back is not read beyond its status: a system says that it is done through the API, with its own credential.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from omonat.base.errors import BadInput, Unavailable
from omonat.base.instants import SECOND, Instant
from omonat.base.logs import log
from omonat.flows.systems import Due, Systems

_TIMEOUT: Final = 10.0
_IDLE: Final = 5.0
_log = log(__name__)


def addresses_of(registered: Sequence[str]) -> Mapping[str, str]:
    """`system=https://…` by system. Raises BadInput `hook-misconfigured`; plain http only to this machine (S2)."""
    found: dict[str, str] = {}
    for one in registered:
        system, _, address = one.partition("=")
        parts = urlsplit(address)
        local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        schemes = {"http", "https"} if local else {"https"}
        if not system or not parts.hostname or parts.scheme not in schemes or parts.username or parts.fragment:
            raise BadInput("hook-misconfigured", system=system)
        found[system] = address
    return found


def public_key(key: Ed25519PrivateKey) -> str:
    """`whpk_…`, as Standard Webhooks writes a public key."""
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"whpk_{b64encode(raw).decode()}"


class Hooks:
    """Sends what is due, and keeps trying. Use as an async context manager, or call `close`."""

    def __init__(
        self, systems: Systems, addresses: Mapping[str, str], key: Ed25519PrivateKey, clock: Callable[[], Instant]
    ) -> None:
        self._systems = systems
        self._addresses = addresses
        self._key = key
        self._clock = clock
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(_TIMEOUT),
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=4),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set."""
        while not stop.is_set():
            sent = 0
            try:
                sent = await self.once()
            except Unavailable as error:
                _log.warning("hooks-wait", code=error.code)
            if not sent:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _IDLE)

    async def once(self) -> int:
        """One batch; how many were tried."""
        due = await self._systems.claim(list(self._addresses))
        await asyncio.gather(*(self._tell(one) for one in due))
        return len(due)

    async def _tell(self, due: Due) -> None:
        """One notice to one system; only a 2xx means taken over."""
        at = str(self._clock() // SECOND)
        signed = self._key.sign(b".".join((due.id.encode(), at.encode(), due.body)))
        headers = {
            "content-type": "application/json",
            "webhook-id": due.id,
            "webhook-timestamp": at,
            "webhook-signature": f"v1a,{b64encode(signed).decode()}",
        }
        try:
            async with self._http.stream(
                "POST", self._addresses[due.system], content=due.body, headers=headers
            ) as answer:
                taken = 200 <= answer.status_code < 300
        except httpx.HTTPError:
            taken = False
        await (self._systems.sent(due) if taken else self._systems.put_off(due))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
