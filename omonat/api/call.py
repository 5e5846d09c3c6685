"""One request, read as far as every operation needs it read; and how an operation is described."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from omonat.api.body import shaped
from omonat.api.http import JSON, Line
from omonat.api.once import Keep, Once, request_digest
from omonat.api.ports import Ports
from omonat.base.errors import BadInput
from omonat.base.instants import Instant, from_rfc3339
from omonat.flows.clients import Client
from omonat.flows.grounds import Also, Done
from omonat.flows.use import Credential
from omonat.policy.compiled import CompiledPolicy
from omonat.vault.keeper import Keeper


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request and its answer, as the documentation shows them."""

    body: Any = None
    answer: Any = None
    path: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """One operation: routing and documentation both come from here.

    `path` is a template; `body` None takes no body. `open` needs no credential; `signed` is believed for its signature
    instead; `secret` reaches the keeper of the root key. `kind` is the media type of the answer; `answer` says nothing
    of one that isn't JSON. `codes` are the errors beside those every operation can answer.
    """

    id: str
    method: str
    path: str
    summary: str
    tells: str
    handle: "Callable[[Call], Awaitable[bytes]]"
    answer: type
    body: Any = None
    status: int = 200
    codes: tuple[str, ...] = ()
    open: bool = False
    signed: bool = False
    keyed: bool = False
    localised: bool = False
    body_optional: bool = False
    secret: bool = False
    kind: bytes = JSON
    example: Example = field(default_factory=Example)


@dataclass(slots=True, kw_only=True)
class Call:
    """A request under way. `value` is the body's JSON; `names` what the path named; `house` is None while sealed."""

    operation: Operation
    id: str
    language: str
    names: Mapping[str, str]
    house: Ports | None
    once: Once | None
    credential: Credential | None = None
    key: str | None = None
    raw: bytes = b""
    webhook: tuple[str, str, str] = ("", "", "")
    """Id, time and signatures of a signed report, as its headers say."""
    value: Any = None
    keeper: Keeper | None = None
    line: Line = Line.OPEN

    @property
    def ports(self) -> Ports:
        """The open house; the door has made sure of it."""
        assert self.house is not None
        return self.house

    @property
    def caller(self) -> Credential:
        """Who calls; the door has made sure there is one."""
        assert self.credential is not None
        return self.credential

    @property
    def newest(self) -> CompiledPolicy | None:
        """The newest policy known, for labels; None while there is none."""
        if self.house is None:
            return None
        history = self.house.law.history()
        return history[-1] if history else None

    @property
    def digest(self) -> bytes:
        """What an idempotency key is bound to."""
        return request_digest(self.operation.id, "/".join(self.names.values()), self.raw)

    async def client(self) -> Client:
        """The live client behind the credential. Raises Refused."""
        return await self.ports.authenticate(self.caller)

    async def once_per_key(
        self, change: "Callable[[Also[Done] | None], Awaitable[Done]]", answer: Callable[[Done], bytes]
    ) -> bytes:
        """Make the change once for a given `Idempotency-Key`, or simply make it where there is none, and print it."""
        if self.key is None or self.once is None:
            return answer(await change(None))

        async def work(keep: Keep) -> bytes:
            return answer(await change(lambda connection, done: keep(connection, answer(done))))

        client = await self.client()
        return await self.once(
            client=client.id, key=self.key, request=self.digest, work=work, shape=self.operation.answer
        )


def moment(text: str | None, at: str) -> Instant | None:
    """A time from a body. Raises BadInput `time-malformed`."""
    if text is None:
        return None
    try:
        return from_rfc3339(text)
    except (ValueError, OverflowError):
        raise BadInput("time-malformed", at=at) from None


__all__ = ["Call", "Example", "Operation", "moment", "shaped"]
