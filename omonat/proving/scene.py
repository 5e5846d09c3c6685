"""What a probe has at hand: the house, the people made for the run, the document as published, the public address."""

from collections.abc import Mapping
from typing import Any, Final

import httpx
from msgspec import Struct

from omonat.base.errors import Refused
from omonat.base.settings import Settings
from omonat.database.statements import load
from omonat.flows.choose import Choosing
from omonat.flows.law import read_document
from omonat.flows.use import UseRequest
from omonat.house import House
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Policy, RoleKind
from omonat.policy.words import Basis
from omonat.promises.choice.standing import Kind as ChoiceKind
from omonat.promises.choice.standing import State
from omonat.proving.outcome import UntoldError
from omonat.proving.people import Guest, People
from omonat.proving.values import invent

_PATIENCE: Final = 5.0
_queries = load(__package__)


class Answer(Struct, frozen=True):
    """What a use came to: values, codes by item for the rest, the code of a whole refusal or "", the entry."""

    given: Mapping[str, Any]
    withheld: Mapping[str, str]
    code: str
    evidence: str


class Scene:
    """One run's stage."""

    def __init__(self, house: House, policy: CompiledPolicy, written: Policy) -> None:
        self.house = house
        self.policy = policy
        self.written = written
        """The document in force, read again from what people read: what answers are compared with."""
        self.people = People(house, policy)
        self._well_known: Guest | None = None

    @classmethod
    async def of(cls, house: House) -> "Scene":
        """The scene under the policy in force. Raises Unavailable `no-policy`."""
        policy = await house.grounds.law.current()
        async with house.grounds.database.connection() as connection:
            rows = [row async for row in _queries.published(connection)]
        text = next(row["document"] for row in rows if row["ordinal"] == policy.ordinal)
        return cls(house, policy, read_document(text).policy)

    async def rows(self, name: str, **values: Any) -> list[Any]:
        """The rows of one of our statements."""
        async with self.house.grounds.database.connection() as connection:
            return [row async for row in getattr(_queries, name)(connection, **values)]

    async def row(self, name: str, **values: Any) -> Any:
        """The one row of one of our statements, or None."""
        async with self.house.grounds.database.connection() as connection:
            return await getattr(_queries, name)(connection, **values)

    async def well_known(self) -> Guest:
        """Somebody who gave something in every service that leaves nothing behind; the same for all probes."""
        if self._well_known is None:
            self._well_known = await self.people.guest(*self.people.services())
        return self._well_known

    # The document as people read it ----------------------------------------------------------------------------------

    def written_items(self, service: str) -> set[str]:
        """Every item a purpose of the service needs or may use, a consent's included."""
        law = self.written.services[service]
        return {item for purpose in (*law.for_, *law.offers) for item in self.written.purposes[purpose].items}

    def written_required(self, service: str) -> list[str]:
        """What the service can't be given without: what its own purposes need, but for those by consent."""
        law = self.written.services[service]
        own = [self.written.purposes[name] for name in law.for_]
        needs = [item for purpose in own if purpose.basis is not Basis.CONSENT for item in purpose.needs]
        return list(dict.fromkeys(needs))

    def values_beyond(self, service: str) -> list[tuple[str, Any]]:
        """Values of items the service has no use for, one of each category."""
        needed, today = self.written_items(service), self.policy.today(self.house.grounds.clock())
        found: dict[str, tuple[str, Any]] = {}
        for item in self.written.items.values():
            if item.id not in needed and (value := invent(item, today=today)) is not None:
                found.setdefault(item.category, (item.id, value))
        return list(found.values())

    # What is done ----------------------------------------------------------------------------------------------------

    async def ask(
        self,
        role: str,
        purpose: str,
        guest: Guest,
        *,
        case: str | None = None,
        items: tuple[str, ...] = (),
        staff: str | None = None,
    ) -> Answer:
        """One use by this role, through the one door: in a human role by a member of staff.

        Raises Unavailable, Fault, BadInput as the flow does.
        """
        if staff is None and self.policy.roles[role].kind is RoleKind.HUMAN:
            staff = await self.people.member(role)
        request = UseRequest(
            credential=await self.people.acting(role), purpose=purpose, person=guest.id, case=case, items=items,
            on_behalf_of=staff,
        )  # fmt: skip
        try:
            answer = await self.house.use(request)
        except Refused as refusal:
            if refusal.code == "over-cap":
                raise UntoldError("over-cap", role) from None
            return Answer({}, {}, refusal.code, await self._last_refusal(guest, purpose))
        codes = {item: reason.code for item, reason in answer.withheld.items()}
        return Answer(answer.items, codes, "", answer.receipt.id)

    async def _last_refusal(self, guest: Guest, purpose: str) -> str:
        page = await self.house.my_data.who_looked(guest.id, most=20)
        refusals = (entry for entry in page.entries if entry.act == "use:person:refused")
        return next((entry.id for entry in refusals if entry.facts.get("purpose") == purpose), "")

    async def choose(self, guest: Guest, kind: ChoiceKind, state: State, purpose: str = "") -> str:
        """A choice the person makes in the Privacy Center; its entry."""
        choosing = Choosing(person=guest.id, kind=kind, purpose=purpose, state=state, door="center")
        return (await self.house.choose(choosing)).id

    # The doors ------------------------------------------------------------------------------------------------------

    async def visit(self, path: str, *, method: str = "GET", language: str = "") -> httpx.Response:
        """Ask this installation's own address, as a stranger. Raises UntoldError when nobody serves it."""
        try:
            async with httpx.AsyncClient(base_url=_address(self.house.settings), trust_env=False) as client:
                headers = {"accept-language": language} if language else {}
                return await client.request(method, path, headers=headers, timeout=_PATIENCE)
        except httpx.HTTPError:
            raise UntoldError("not-served") from None


def _address(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "localhost") else settings.host  # noqa: S104 - compared
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
