"""What the door needs from the house: flows it calls, and nothing else. `app.py` hands over the real ones."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, Self

from omonat.base.instants import Instant
from omonat.base.settings import Settings
from omonat.database.pool import Database
from omonat.evidence.proofs import TlogProof
from omonat.evidence.reader import Signed
from omonat.evidence.receipts import Receipt
from omonat.flows.announce import Announce
from omonat.flows.ask import Ask
from omonat.flows.business_clients import BusinessClients
from omonat.flows.campaigns import Campaigns
from omonat.flows.cases import CaseEvent, PutCase
from omonat.flows.certify import Certify
from omonat.flows.children import Children
from omonat.flows.choose import Choosing, Telling
from omonat.flows.client_procedures import ClientProcedures
from omonat.flows.clients import Client, require_client
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.consent_receipts import ConsentReceipts
from omonat.flows.demographics import Demographics
from omonat.flows.devices import Devices
from omonat.flows.erase import Cause, Erasure, ErasureRequest, Plan
from omonat.flows.forms import Digests
from omonat.flows.grounds import Also, Grounds
from omonat.flows.holds import Holds
from omonat.flows.lookup import LookupAnswer, LookupRequest
from omonat.flows.notify import Notify
from omonat.flows.parent_payments import ParentPayments
from omonat.flows.sealed_forms import SealedForms
from omonat.flows.sealing_keys import SealingKeys
from omonat.flows.service_notice import ServiceNotices
from omonat.flows.staff import Registration
from omonat.flows.systems import Systems
from omonat.flows.use import Credential, UseAnswer, UseRequest
from omonat.flows.visit_links import VisitLinks
from omonat.policy.compiled import CompiledPolicy


class Law(Protocol):
    """The policy in force and its history."""

    async def current(self) -> CompiledPolicy:
        """The policy in force. Raises Unavailable when none is."""
        ...

    async def reload(self) -> None:
        """Read again what is in force. Raises Unavailable when the database can't be reached."""
        ...

    def history(self) -> tuple[CompiledPolicy, ...]:
        """All versions, oldest first."""
        ...


class Cases(Protocol):
    """Cases as their source systems report them."""

    async def put(self, request: PutCase, also: Also[Receipt] | None = None) -> Receipt:
        """Open or change one."""
        ...

    async def event(self, request: CaseEvent, also: Also[Receipt] | None = None) -> Receipt:
        """Note an event; `case-closed` closes it."""
        ...


class Choose(Protocol):
    """Choices and tellings."""

    async def __call__(self, choosing: Choosing, also: Also[Receipt] | None = None) -> Receipt:
        """Write one choice."""
        ...

    async def tell(self, telling: Telling, also: Also[Receipt] | None = None) -> Receipt:
        """Record that a version reached somebody."""
        ...


class Staff(Protocol):
    """Those who act."""

    async def put_by(self, credential: Credential, registration: Registration, also: Also[str] | None = None) -> str:
        """Register or change, asked for by a system that may; the staff id comes back."""
        ...


class Erase(Protocol):
    """Erasure of people, records, items."""

    async def permit(self, credential: Credential, cause: Cause | None = None) -> None:
        """Raises Refused for a system that may not."""
        ...

    async def plan(self, request: ErasureRequest) -> Plan:
        """What would go and what would stay."""
        ...

    async def by_system(
        self, credential: Credential, request: ErasureRequest, also: Also[Erasure] | None = None
    ) -> Erasure:
        """Erase, asked for by a system that may."""
        ...

    async def show(self, erasure: str) -> Erasure:
        """How far one is."""
        ...


class Hiding(Digests, Protocol):
    """The part of the vault that hides what is kept of a request."""

    def seal_value(self, context: str, plaintext: bytes) -> bytes:
        """Bytes that only the vault opens, for the same context."""
        ...

    def open_value(self, context: str, sealed: bytes) -> bytes:
        """What was sealed. Raises Fault for what was changed or moved."""
        ...


class EvidenceLog(Protocol):
    """The log, for reading."""

    def checkpoint(self) -> Signed:
        """The newest signed checkpoint."""
        ...

    async def proof(self, entry_id: str) -> TlogProof:
        """One entry's proof under it."""
        ...

    def consistency(self, old: int) -> tuple[Signed, list[bytes]]:
        """The newest checkpoint, and the proof that it extends the log of `old` entries. Blocks."""
        ...


class House(Protocol):
    """The house as `omonat.house` furnishes it, as far as this door looks into it."""

    @property
    def settings(self) -> Settings: ...
    @property
    def grounds(self) -> Grounds: ...
    @property
    def use(self) -> Callable[[UseRequest], Awaitable[UseAnswer]]: ...
    @property
    def collect(self) -> Callable[[CollectRequest], Awaitable[CollectAnswer]]: ...
    @property
    def devices(self) -> Devices: ...
    @property
    def sealing_keys(self) -> SealingKeys: ...
    @property
    def sealed_forms(self) -> SealedForms: ...
    @property
    def lookup(self) -> Callable[[LookupRequest], Awaitable[LookupAnswer]]: ...
    @property
    def ask(self) -> Ask: ...
    @property
    def cases(self) -> Cases: ...
    @property
    def choose(self) -> Choose: ...
    @property
    def staff(self) -> Staff: ...
    @property
    def erase(self) -> Erase: ...
    @property
    def children(self) -> Children: ...
    @property
    def parent_payments(self) -> ParentPayments: ...
    @property
    def holds(self) -> Holds: ...
    @property
    def announce(self) -> Announce: ...
    @property
    def service_notices(self) -> ServiceNotices: ...
    @property
    def client_procedures(self) -> ClientProcedures: ...
    @property
    def business_clients(self) -> BusinessClients: ...
    @property
    def systems(self) -> Systems: ...
    @property
    def certify(self) -> Certify: ...
    @property
    def campaigns(self) -> Campaigns: ...
    @property
    def demographics(self) -> Demographics: ...
    @property
    def consent_receipts(self) -> ConsentReceipts: ...
    @property
    def visit_links(self) -> VisitLinks: ...
    @property
    def evidence(self) -> EvidenceLog: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The open house. A sealed one has none of this (`Api(None)`)."""

    use: Callable[[UseRequest], Awaitable[UseAnswer]]
    collect: Callable[[CollectRequest], Awaitable[CollectAnswer]]
    devices: Devices
    sealing_keys: SealingKeys
    sealed_forms: SealedForms
    installation: str
    offline_days: int
    lookup: Callable[[LookupRequest], Awaitable[LookupAnswer]]
    ask: Ask
    cases: Cases
    choose: Choose
    staff: Staff
    erase: Erase
    children: Children
    parent_payments: ParentPayments
    holds: Holds
    announce: Announce
    service_notices: ServiceNotices
    client_procedures: ClientProcedures
    business_clients: BusinessClients
    systems: Systems
    certify: Certify
    consent_receipts: ConsentReceipts
    visit_links: VisitLinks
    demographics: Demographics
    notify: Notify
    campaigns: Campaigns
    authenticate: Callable[[Credential], Awaitable[Client]]
    law: Law
    log: EvidenceLog
    vault: Hiding
    clock: Callable[[], Instant]
    database: Database

    @classmethod
    def of(cls, house: House) -> Self:
        """The ports of an open house."""
        grounds = house.grounds

        async def authenticate(credential: Credential) -> Client:
            async with grounds.database.connection() as connection:
                return await require_client(connection, credential, grounds.clock())

        return cls(
            use=house.use,
            collect=house.collect,
            devices=house.devices,
            sealing_keys=house.sealing_keys,
            sealed_forms=house.sealed_forms,
            installation=grounds.vault.installation,
            offline_days=house.settings.offline_days,
            lookup=house.lookup,
            ask=house.ask,
            cases=house.cases,
            choose=house.choose,
            staff=house.staff,
            erase=house.erase,
            children=house.children,
            parent_payments=house.parent_payments,
            holds=house.holds,
            announce=house.announce,
            service_notices=house.service_notices,
            client_procedures=house.client_procedures,
            business_clients=house.business_clients,
            systems=house.systems,
            certify=house.certify,
            consent_receipts=house.consent_receipts,
            visit_links=house.visit_links,
            demographics=house.demographics,
            notify=Notify(grounds),
            campaigns=house.campaigns,
            authenticate=authenticate,
            law=grounds.law,
            log=house.evidence,
            vault=grounds.vault,
            clock=grounds.clock,
            database=grounds.database,
        )
