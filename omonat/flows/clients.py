"""Clients: systems of the company that act through the API, each with a credential bound to roles and a source (S4).

A credential is `omk_<id>_<secret>`: 128 random bits of name, 256 of secret; only the SHA-256 of the secret is kept,
which is enough for a secret nobody could guess.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from os import urandom
from typing import Any

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import is_id, new_id
from omonat.base.instants import Instant
from omonat.database.codecs import FOREVER
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.flows.use import Credential

_queries = load("omonat.promises.identity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A live client."""

    id: str
    name: str
    source: str
    roles: tuple[str, ...]


def parse_credential(text: str) -> Credential:
    """Read `omk_<id>_<secret>`. Raises Refused, and never says which part was wrong."""
    prefix, _, rest = text.partition("_")
    name, _, secret = rest.partition("_")
    if prefix != "omk" or not is_id("omk", f"omk_{name}") or len(secret) != 43 or not secret.isascii():
        raise Refused("credential-refused")
    return Credential(client=f"omk_{name}", secret_digest=sha256(secret.encode()).digest())


async def require_client(connection: Any, credential: Credential, now: Instant) -> Client:
    """The live client behind a credential. Raises Refused."""
    row = await _queries.client_by_id(connection, id=credential.client)
    if row is None or not compare_digest(row["secret"], credential.secret_digest) or row["until"] <= now:
        raise Refused("credential-refused")
    return Client(id=row["id"], name=row["name"], source=row["source"], roles=tuple(row["roles"]))


class Clients:
    """Issue and end credentials: an operator's act at the command line."""

    def __init__(self, grounds: Grounds) -> None:
        self._database = grounds.database
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock

    async def issue(
        self, *, name: str, source: str, roles: Sequence[str], until: Instant = FOREVER, secret: str | None = None
    ) -> str:
        """A new credential, shown once; issuing one for a name again replaces the old secret at once.

        `secret` is for the house's own doors, which derive theirs from the vault. Raises BadInput for an unknown role.
        """
        policy = await self._law.current()
        for role in roles:
            if role not in policy.roles:
                raise BadInput("role-unknown", role=role, nearest=", ".join(policy.roles))
        now = self._clock()
        shown = secret or urlsafe_b64encode(urandom(32)).rstrip(b"=").decode()
        digest = sha256(shown.encode()).digest()
        async with self._database.transaction() as connection:
            client = await _queries.renew_client(
                connection, name=name, secret=digest, source=source, roles=list(roles), until=until
            )
            if client is None:
                client = new_id("omk")
                await _queries.issue_client(
                    connection, id=client, name=name, source=source, roles=list(roles), secret=digest,
                    until=until, now=now,
                )  # fmt: skip
            facts = {"client": client, "source": source, "roles": list(roles)}
            await self._journal.append(
                connection, [Entry(new_id("ev"), now, "client:credential:issued", facts)], now=now
            )
            reach("client.recorded")
        return f"{client}_{shown}"

    async def end(self, *, name: str) -> bool:
        """End a credential now; the very next request with it is refused. False when there was none alive."""
        now = self._clock()
        async with self._database.transaction() as connection:
            client = await _queries.end_client(connection, name=name, now=now)
            if client is not None:
                entry = Entry(new_id("ev"), now, "client:credential:ended", {"client": client})
                await self._journal.append(connection, [entry], now=now)
        return client is not None
