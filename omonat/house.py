"""The house: one process's database, vault, witness and flows, put together from settings.

The doors are put on it by `omonat.app`; the command line and the tests open the same house without doors.
"""

import mmap
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from omonat.backup.journal_file import JournalFile
from omonat.backup.pin import Pin
from omonat.backup.standing import Stores, check
from omonat.base.errors import Unavailable
from omonat.base.instants import Instant
from omonat.base.settings import Settings
from omonat.database.pool import Database
from omonat.database.statements import load
from omonat.evidence.folder import LogFolder
from omonat.evidence.journal import Journal
from omonat.evidence.keys import LogKeys
from omonat.evidence.overdue import Overdue
from omonat.evidence.reader import Reader
from omonat.evidence.room import Room
from omonat.evidence.witnesses import Panel
from omonat.flows.announce import Announce
from omonat.flows.answer_requests import AnswerRequests
from omonat.flows.ask import Ask
from omonat.flows.business_clients import BusinessClients
from omonat.flows.by_letter import ByLetter
from omonat.flows.campaign_letters import CampaignLetters
from omonat.flows.campaigns import Campaigns
from omonat.flows.cases import Cases
from omonat.flows.certify import Certify
from omonat.flows.child_cases import ChildCases
from omonat.flows.children import Children
from omonat.flows.choose import Choose
from omonat.flows.clear_child import ClearChild
from omonat.flows.client_procedures import ClientProcedures
from omonat.flows.clients import Clients
from omonat.flows.clients_owed import ClientsOwed
from omonat.flows.collect import Collect
from omonat.flows.confirm import Confirm
from omonat.flows.consent_reach import ConsentReach
from omonat.flows.consent_receipts import ConsentReceipts
from omonat.flows.cookies import Cookies
from omonat.flows.correct import Correct
from omonat.flows.demographics import Demographics
from omonat.flows.desk import DeskWork
from omonat.flows.devices import Devices
from omonat.flows.doubts import Doubts
from omonat.flows.erase import Erase
from omonat.flows.erase_mine import EraseMine
from omonat.flows.escalate import Escalate
from omonat.flows.follow_request import FollowRequest
from omonat.flows.foresee import Foresee
from omonat.flows.grounds import Grounds
from omonat.flows.guardians import Guardians
from omonat.flows.holds import Holds
from omonat.flows.law import Law
from omonat.flows.law_watch import LawWatch
from omonat.flows.lookup import Lookup
from omonat.flows.mailbox import Mailbox
from omonat.flows.my_data import ViewMyData
from omonat.flows.my_notices import MyNotices
from omonat.flows.officers import Officers
from omonat.flows.outgoing import Words
from omonat.flows.parent_asks import ParentAsks
from omonat.flows.parent_payments import ParentPayments
from omonat.flows.payment_reports import provider_of
from omonat.flows.places import Places
from omonat.flows.proof_packets import ProofPackets
from omonat.flows.publish_policy import PublishPolicy
from omonat.flows.put_right import PutRight
from omonat.flows.remind import Remind
from omonat.flows.safeguards import Safeguards
from omonat.flows.sealed_forms import SealedForms
from omonat.flows.sealing_keys import SealingKeys
from omonat.flows.service_notice import ServiceNotices
from omonat.flows.sign_in import SignIn
from omonat.flows.staff import Staff
from omonat.flows.suppressing import Suppressing
from omonat.flows.sweep import Sweeper
from omonat.flows.systems import Systems
from omonat.flows.take_away import TakeAway
from omonat.flows.tasks import Tasks
from omonat.flows.tell_many import TEMPLATE as COMPANY_NOTICE
from omonat.flows.tell_many import TellMany
from omonat.flows.tell_recipients import TellRecipients
from omonat.flows.telling import TellPeople
from omonat.flows.use import Credential, Use
from omonat.flows.visit_links import VisitLinks
from omonat.flows.watching import Watching
from omonat.flows.web_sessions import WebSessions
from omonat.policy.words import RoleKind
from omonat.promises.campaigns.rule import TEMPLATES as CAMPAIGNS
from omonat.vault.root import RootKey
from omonat.vault.slots import RootOf
from omonat.vault.sources import root_key
from omonat.vault.vault import Vault

_queries = load("omonat", "house.sql")
WEBHOOK_KEY = "webhooks"
"""The vault's name for the key that signs what other systems are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything a door may call."""

    settings: Settings
    grounds: Grounds
    keys: LogKeys
    evidence: Reader
    log: LogFolder
    panel: Panel
    stores: Stores
    use: Use
    collect: Collect
    devices: Devices
    sealing_keys: SealingKeys
    sealed_forms: SealedForms
    cases: Cases
    choose: Choose
    cookies: Cookies
    demographics: Demographics
    clients: Clients
    lookup: Lookup
    staff: Staff
    publish: PublishPolicy
    packets: ProofPackets
    sessions: WebSessions
    sign_in: SignIn
    my_data: ViewMyData
    take_away: TakeAway
    visit_links: VisitLinks
    consent_receipts: ConsentReceipts
    ask: Ask
    follow_request: FollowRequest
    answer_requests: AnswerRequests
    put_right: PutRight
    remind: Remind
    tell_recipients: TellRecipients
    desk: DeskWork
    confirm: Confirm
    correct: Correct
    erase: Erase
    erase_mine: EraseMine
    sweeper: Sweeper
    children: Children
    child_cases: ChildCases
    clear_child: ClearChild
    guardians: Guardians
    consent_reach: ConsentReach
    parent_asks: ParentAsks
    parent_payments: ParentPayments
    holds: Holds
    systems: Systems
    certify: Certify
    safeguards: Safeguards
    places: Places
    doubts: Doubts
    tasks: Tasks
    escalate: Escalate
    law_watch: LawWatch
    watching: Watching
    tell_people: TellPeople
    foresee: Foresee
    my_notices: MyNotices
    suppressing: Suppressing
    mailbox: Mailbox
    by_letter: ByLetter
    campaigns: Campaigns
    campaign_letters: CampaignLetters
    announce: Announce
    service_notices: ServiceNotices
    tell_many: TellMany
    client_procedures: ClientProcedures
    business_clients: BusinessClients
    clients_owed: ClientsOwed

    @property
    def words(self) -> Words:
        """Who has the words of which template of a message, where they are no policy's."""
        return {
            COMPANY_NOTICE: self.tell_many.worded,
            **dict.fromkeys(CAMPAIGNS.values(), self.campaign_letters.worded),
        }

    def inner_secret(self, name: str) -> str:
        """The secret of one of the house's own doors, derived from the vault: never stored, never sent anywhere."""
        digest = self.grounds.vault.keyed_digest("inner-client", name.encode())
        return urlsafe_b64encode(digest).rstrip(b"=").decode()

    async def inner_credential(self, name: str) -> Credential:
        """The credential a door of our own acts with (`desk`, `outbox`). Raises Unavailable before set-up."""
        async with self.grounds.database.connection() as connection:
            client = await _queries.client_named(connection, name=name)
        if client is None:
            raise Unavailable("no-policy")
        return Credential(client=client, secret_digest=sha256(self.inner_secret(name).encode()).digest())


def system_clock() -> Instant:
    """The time of this machine, in whole microseconds."""
    return Instant(time.time_ns() // 1000)


def clock_of(settings: Settings) -> Callable[[], Instant]:
    """The clock of an installation: this machine's, moved by what the file of the setting `test_clock` says now."""
    if settings.test_clock is None:
        return system_clock
    with settings.test_clock.open("rb") as file:
        offset = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    return lambda: Instant(system_clock() + int.from_bytes(offset[:8], "little", signed=True))


def _configured_root(settings: Settings) -> RootKey:
    if settings.root_key is None:
        raise Unavailable("sealed")
    return root_key(settings.root_key, settings.home)


def log_keys(vault: Vault, origin: str) -> LogKeys:
    """The log's signing keys, from the vault."""
    return LogKeys.of(
        origin,
        log=vault.signing_key("evidence-log"),
        clock=vault.signing_key("evidence-clock"),
        receipts=vault.signing_key("receipts"),
    )


def stores_of(settings: Settings, database: Database, vault: Vault, keys: LogKeys) -> Stores:
    """Database, keys, log and control journal of one home: what a backup keeps and a start compares."""
    journal = JournalFile(settings.home / "journal", vault.installation)
    return Stores(database, vault, LogFolder(settings.log), keys, journal, Pin(settings.keys, vault))


@asynccontextmanager
async def open_house(
    settings: Settings,
    *,
    clock: Callable[[], Instant] = system_clock,
    root: RootKey | None = None,
    root_of: RootOf | None = None,
    awaits_proofs: bool = False,
) -> AsyncIterator[House]:
    """Open the house of these settings, and close it. The database must be migrated (`omonat.database.migrate`).

    `root_of` lets it follow when its root is rotated. `awaits_proofs`: somebody sequences beside us; uses are refused
    when proofs stay away (`omonat.evidence.overdue`). Raises Fault when database, log, control journal or keys are
    older than the others (`omonat.backup.standing`).
    """
    if settings.database is None:
        raise Unavailable("database-unavailable")
    panel = Panel.of(settings.witnesses, settings.witness_quorum)
    vault = Vault.open(
        settings.home,
        root or _configured_root(settings),
        create=True,
        other_copies=settings.slot_copies,
        copying_storage_ok=settings.demo,
        root_of=root_of,
    )
    vault.openings.clock = clock
    database = await Database.connect(settings.database, size=settings.pool)
    try:
        origin = await _installed(database, vault, settings, clock())
        keys = log_keys(vault, origin)
        await check(stores_of(settings, database, vault, keys))
        journal = Journal(
            database, origin=keys.origin, receipts=keys.receipts, clock=clock, room=Room(settings.home),
            overdue=Overdue(database) if awaits_proofs else None,
        )  # fmt: skip
        await journal.start()
        try:
            house = _furnished(settings, Grounds(database, vault, journal, Law(database), clock), keys, panel)
            yield house
            await house.demographics.write()
        finally:
            await journal.stop()
    finally:
        await database.close()


def _furnished(settings: Settings, grounds: Grounds, keys: LogKeys, panel: Panel) -> House:
    log = LogFolder(settings.log)
    evidence = Reader(grounds.database, log, origin=keys.origin, pinned=keys.pinned)
    use, sessions, staff, erase = Use(grounds), WebSessions(grounds), Staff(grounds), Erase(grounds)
    collect, devices = Collect(grounds, dated=settings.demo), Devices(grounds)
    sealing_keys = SealingKeys(grounds, days=settings.offline_days)
    systems, confirm, my_data = Systems(grounds), Confirm(grounds), ViewMyData(grounds, evidence)
    choose, ask, suppressing = Choose(grounds), Ask(grounds), Suppressing(grounds)
    tell_people, tell_many = TellPeople(grounds), TellMany(grounds)
    children, erase_mine = Children(grounds), EraseMine(grounds, erase, confirm)
    provider = provider_of(settings.parent_payments)
    parent_asks = ParentAsks(grounds, children, provider)
    clear_child = ClearChild(grounds, children)
    take_away, correct = TakeAway(grounds, my_data), Correct(grounds, erase, confirm, children)
    follow = FollowRequest(grounds, my_data)
    officers = Officers(grounds=grounds, staff=staff)
    safeguards = Safeguards(grounds, officers)
    return House(
        settings=settings,
        grounds=grounds,
        keys=keys,
        evidence=evidence,
        log=log,
        panel=panel,
        stores=stores_of(settings, grounds.database, grounds.vault, keys),
        use=use,
        collect=collect,
        devices=devices,
        sealing_keys=sealing_keys,
        sealed_forms=SealedForms(grounds, collect, sealing_keys, devices, days=settings.offline_days),
        cases=Cases(grounds),
        choose=choose,
        cookies=Cookies(grounds),
        demographics=Demographics(grounds),
        clients=Clients(grounds),
        lookup=Lookup(grounds, use.caps),
        staff=staff,
        publish=PublishPolicy(grounds, staff),
        packets=ProofPackets(grounds, staff),
        sessions=sessions,
        sign_in=SignIn(grounds, sessions),
        my_data=my_data,
        take_away=take_away,
        visit_links=VisitLinks(grounds, evidence, site=settings.address, days=settings.visit_link_days),
        ask=ask,
        consent_receipts=ConsentReceipts(grounds, evidence, my_data, site=settings.address),
        follow_request=follow,
        answer_requests=AnswerRequests(grounds),
        remind=Remind(grounds),
        tell_recipients=TellRecipients(grounds, frozenset(one.partition("=")[0] for one in settings.systems)),
        put_right=PutRight(grounds, correct, erase, ask, follow),
        desk=DeskWork(grounds),
        confirm=confirm,
        correct=correct,
        erase=erase,
        erase_mine=erase_mine,
        sweeper=Sweeper(grounds, erase),
        children=children,
        child_cases=ChildCases(grounds, children, parent_asks, clear_child),
        clear_child=clear_child,
        consent_reach=ConsentReach(grounds, children, parent_asks),
        guardians=Guardians(
            grounds,
            children,
            my_data=my_data,
            choose=choose,
            erase_mine=erase_mine,
            take_away=take_away,
            correct=correct,
        ),
        parent_asks=parent_asks,
        parent_payments=ParentPayments(grounds, children, parent_asks, provider),
        holds=Holds(grounds),
        systems=systems,
        certify=Certify(grounds, erase, systems, evidence),
        safeguards=safeguards,
        places=Places(grounds, officers, safeguards),
        doubts=Doubts(grounds),
        tasks=Tasks(grounds, officers, systems),
        escalate=Escalate(grounds),
        law_watch=LawWatch(grounds),
        watching=Watching(grounds, settings),
        tell_people=tell_people,
        foresee=Foresee(grounds),
        my_notices=MyNotices(grounds),
        suppressing=suppressing,
        by_letter=ByLetter(grounds, choose, my_data),
        mailbox=Mailbox(grounds, choose, ask, telling=tell_people, many=tell_many, suppressing=suppressing),
        campaigns=Campaigns(grounds, staff),
        campaign_letters=CampaignLetters(grounds),
        announce=Announce(grounds, officers),
        service_notices=ServiceNotices(grounds, officers),
        tell_many=tell_many,
        client_procedures=ClientProcedures(grounds, officers),
        business_clients=BusinessClients(grounds, officers),
        clients_owed=ClientsOwed(grounds),
    )


async def _installed(database: Database, vault: Vault, settings: Settings, now: Instant) -> str:
    """The log's origin, fixed when the installation was made: the address without its scheme, and `/log`."""
    origin = f"{urlsplit(settings.address).netloc}/log"
    async with database.transaction() as connection:
        row = await _queries.install(connection, id=vault.installation, origin=origin, now=now)
    if row["id"] != vault.installation:
        raise Unavailable("keys-foreign")
    return str(row["origin"])


async def set_up_doors(house: House) -> None:
    """Give the house's own doors their credentials under the policy in force; doing it again changes nothing."""
    await house.grounds.law.reload()
    policy = await house.grounds.law.current()
    for name, kind in (("desk", RoleKind.HUMAN), ("outbox", RoleKind.SYSTEM), ("requests", RoleKind.SYSTEM)):
        roles = [role.id for role in policy.roles.values() if role.kind is kind]
        await house.clients.issue(name=name, source=name, roles=roles, secret=house.inner_secret(name))
