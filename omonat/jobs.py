"""The work nobody waits for: placing evidence, writing the control journal, sending messages, putting a due policy into
force, telling people of it, sweeping what is due.

Any number of processes may run it: what only one may do is fenced by a lease or claimed row by row.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Final

from omonat.backup.shipper import Shipper
from omonat.base.errors import OmonatError
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import DAY, Instant
from omonat.base.logs import log
from omonat.base.settings import Settings
from omonat.base.vital import vital
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.sequencer import Sequencer
from omonat.evidence.witnesses import Witnesses
from omonat.flows.outgoing import Outgoing
from omonat.flows.reconcile import Reconcile
from omonat.flows.root_keys import note_rotation, note_unsealings
from omonat.flows.send import SendPorts
from omonat.hooks.sender import Hooks, addresses_of
from omonat.house import WEBHOOK_KEY, House, set_up_doors
from omonat.mail.carriers import MailCarrier, SmsCarrier
from omonat.mail.dkim import signed, signing_keys
from omonat.mail.drain import Drain, Post
from omonat.mail.leave import signed_links
from omonat.mail.letter import Links, Sender
from omonat.mail.listener import Inbox, keep_open
from omonat.mail.outbox import Outbox
from omonat.mail.role_letters import RoleLetters
from omonat.mail.sms import Gateway, GatewayCarrier
from omonat.mail.smtp import Relay, SmtpCarrier
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.messages import Channel

MAIL_PROVIDER = "mail-provider"
SMS_GATEWAY = "sms-gateway"
"""The ids under which the policy registers those who carry our messages (T1)."""
_CARRIED = {Channel.EMAIL: MAIL_PROVIDER, Channel.SMS: SMS_GATEWAY}

_SPARE_SLOTS = 20_000
_EVERY = 20.0
_SWEEP_EVERY = 5.0
_TELL_EVERY = 5.0
_WAITS = frozenset({"no-policy", "policy-changing"})
"""Why what is done now and then may have to wait, without anybody having to look."""
_LOOK_AGAIN = 30.0
_noted_conflicts: set[str] = set()
_erasures = load("omonat.promises.retention", "erasures.sql")
_identity = load("omonat.promises.identity")
_sweeps = load("omonat", "jobs.sql")
_letters = load("omonat.promises.mailbox")
_LETTERS_COME_AGAIN = 10 * DAY
"""A mail server tries for five days at most (RFC 5321, section 4.5.4.1)."""
_log = log(__name__)


async def run_jobs(house: House, stop: asyncio.Event) -> None:
    """Work until `stop` is set; finishes what has begun."""
    grounds = house.grounds
    witnesses = Witnesses(house.log, house.keys.log.verifier, house.panel)
    sequencer = Sequencer(
        grounds.database, house.log, house.keys, clock=grounds.clock, witnesses=witnesses, give_up=_end
    )
    shipper = Shipper(house.stores, house.settings.journal_copies, clock=grounds.clock)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:

        def begin(work: Awaitable[None]) -> None:
            tasks.create_task(vital(work, give_up=_end))

        begin(_sequence(house, sequencer, stop))
        begin(witnesses.run(stop))
        begin(shipper.run())
        begin(_tidy_for_ever(house, stop))
        begin(_account_for_ever(house, stop))
        begin(_watch_for_ever(house, shipper, witnesses, stop))
        begin(_sweep_for_ever(house, stop))
        begin(_tell_for_ever(house, stop))
        begin(_campaigns_for_ever(house, stop))
        begin(_drain_once_ready(house, stack, stop))
        begin(_role_letters_for_ever(house, stop))
        if (address := house.settings.mail_in_address) is not None:
            inbox = Inbox(lambda: house, house.settings.mail_in_server, house.settings.smtp_from)
            begin(keep_open(inbox, address, stop, _pause))
        if house.settings.systems:
            begin(_hooks(house, stack).run(stop))
        await stop.wait()
        sequencer.stop()
        shipper.stop()


def _end() -> None:
    """Without waiting for anything: the parent starts another process."""
    os._exit(1)


async def _sequence(house: House, sequencer: Sequencer, stop: asyncio.Event) -> None:
    """A fault of the log stops signing, loudly, until what is wrong was put right; looked at again twice a minute.

    Uses go on for as long as their proofs may wait (`omonat.evidence.overdue`).
    """
    while not stop.is_set():
        try:
            await sequencer.run()
        except OmonatError as error:
            _log.error("evidence-stopped", code=error.code)
            if error.code == "evidence-witness-conflict":
                await _note_conflict(house, error)
            await _pause(stop, _LOOK_AGAIN)


async def _note_conflict(house: House, error: OmonatError) -> None:
    """That a witness contradicts us is evidence too: it is durable though nothing is signed over it for now."""
    if (size := error.about.get("size", "")) in _noted_conflicts:
        return
    grounds, now = house.grounds, house.grounds.clock()
    entry = Entry(new_id("ev"), now, "log:witness:conflict", {"witness": error.about.get("witness", ""), "size": size})
    with suppress(OmonatError):
        async with grounds.database.transaction() as connection:
            await grounds.journal.append(connection, [entry], now=now)
        _noted_conflicts.add(size)


def _hooks(house: House, stack: AsyncExitStack) -> Hooks:
    grounds = house.grounds
    key = grounds.vault.signing_key(WEBHOOK_KEY)
    hooks = Hooks(house.systems, addresses_of(house.settings.systems), key, grounds.clock)
    stack.push_async_callback(hooks.close)
    return hooks


async def _drain_once_ready(house: House, stack: AsyncExitStack, stop: asyncio.Event) -> None:
    """Send messages as soon as a policy is in force: it says who writes and through whom."""
    while not stop.is_set():
        try:
            policy = await house.grounds.law.current()
            await house.inner_credential("outbox")
        except OmonatError:
            await _pause(stop, 1.0)
            continue
        drain = await _drain(house, policy, stack)
        if drain is None:
            return
        await drain.run(stop)


async def _drain(house: House, policy: CompiledPolicy, stack: AsyncExitStack) -> Drain | None:
    mail, sms = _mail(house.settings, house.grounds.clock), await _sms(house.settings, stack)
    if mail is None and sms is None:
        return None
    served = [channel for channel in _CARRIED if (sms if channel is Channel.SMS else mail)]
    base, controller = house.settings.address, policy.policy.controller
    post = Post(
        sender=Sender(name=controller.name, mailbox=house.settings.smtp_from or controller.mailbox),
        links=links_of(base),
        mail=mail,
        sms=sms,
        unsubscribe=signed_links(house, controller.mailbox),
        reads=house.settings.mail_in is not None,
    )
    outbox = Outbox(house.grounds.database)
    return Drain(outbox=outbox, ports=ports_of(house, served), post=post, clock=house.grounds.clock)


async def _role_letters_for_ever(house: House, stop: asyncio.Event) -> None:
    """Write to a role of the company what went up to it (A2)."""
    carrier = _mail(house.settings, house.grounds.clock)
    while carrier is not None and not stop.is_set():
        more = False
        try:
            more = await role_letters(house, carrier, await house.grounds.law.current()).once()
        except OmonatError as error:
            if error.code not in _WAITS:
                _log.warning("role-letters-wait", code=error.code)
        if not more:
            await _pause(stop, _TELL_EVERY)


def role_letters(house: House, carrier: MailCarrier, policy: CompiledPolicy) -> RoleLetters:
    """Who sends them, through this carrier, in the name the policy gives."""
    controller, grounds = policy.policy.controller, house.grounds
    sender = Sender(name=controller.name, mailbox=house.settings.smtp_from or controller.mailbox)
    return RoleLetters(house.escalate, grounds.law, carrier, sender=sender, links=links_of(house.settings.address))


def links_of(base: str) -> Links:
    """Where letters point to."""
    return Links(
        center=f"{base}/me",
        policy=f"{base}/page/privacy-policy",
        follow=f"{base}/complain/status",
        confirm=f"{base}/confirm",
        preferences=f"{base}/preferences",
        parent=f"{base}/parent",
        desk=f"{base}/desk/requests",
    )


def ports_of(house: House, served: Iterable[Channel] = Channel) -> SendPorts:
    """What the flow `send` stands on, where carriers serve these channels."""
    grounds = house.grounds
    outgoing = Outgoing(house.use, grounds.law, grounds.vault, lambda: house.inner_credential("outbox"), house.words)
    outbox = Outbox(grounds.database)
    return SendPorts(
        open_channel=outgoing.open_channel,
        open_sealed=grounds.vault.open_value,
        rules=outgoing,
        through={channel: _CARRIED[channel] for channel in served},
        service_sent=lambda person, since: outbox.service_sent(person, since=since),
        digest_of=outgoing.digest_of,
        look_at=house.suppressing.look_at,
    )


def _mail(settings: Settings, clock: Callable[[], Instant]) -> MailCarrier | None:
    if settings.smtp_host is None:
        return None
    keys = signing_keys(settings.dkim_keys)
    if not keys and not settings.demo:
        _log.warning("letters-unsigned")
    password = _secret(settings.smtp_password_file)
    return SmtpCarrier(
        Relay(
            host=settings.smtp_host,
            port=settings.smtp_port,
            recipient=MAIL_PROVIDER,
            security=settings.smtp_security,
            user=settings.smtp_user,
            password=password,
        ),
        sign=lambda letter: signed(letter, keys, now=clock()),
    )


async def _sms(settings: Settings, stack: AsyncExitStack) -> SmsCarrier | None:
    if settings.sms_gateway is None:
        return None
    carrier = GatewayCarrier(
        Gateway(url=settings.sms_gateway, recipient=SMS_GATEWAY, token=_secret(settings.sms_token_file))
    )
    stack.push_async_callback(carrier.close)
    return carrier


def _secret(path: Path | None) -> str | None:
    return None if path is None else path.read_text("utf-8").strip()


async def _tidy_for_ever(house: House, stop: asyncio.Event) -> None:
    """What is due now and then. Each thing apart: lasting trouble with one keeps none of the others from being done."""
    while not stop.is_set():
        for tidy in _TIDYING:
            try:
                await tidy(house)
            except OmonatError as error:
                if error.code not in _WAITS:
                    _log.warning("tidying-waits", code=error.code)
        await _pause(stop, _EVERY)


async def _activate(house: House) -> None:
    if await house.publish.activate_due() is not None:
        reach("activate.committed")
        await set_up_doors(house)  # the version in force may name other roles


async def _note_keys(house: House) -> None:
    await note_unsealings(house.grounds.database, house.settings.home, now=house.grounds.clock())
    await note_rotation(house.grounds.database, house.settings.home, now=house.grounds.clock())


async def _account_for_ever(house: House, stop: asyncio.Event) -> None:
    """Compare what was opened, and once a day what is kept, with the log (A1)."""
    reconcile, compared_at = Reconcile(house.grounds), Instant(0)
    while not stop.is_set():
        try:
            compared_at = await _reconcile(house, reconcile, compared_at)
        except OmonatError as error:
            _log.error("accounting-waits", code=error.code)
        await _pause(stop, _EVERY)


async def _watch_for_ever(house: House, shipper: Shipper, witnesses: Witnesses, stop: asyncio.Event) -> None:
    """Look again at what a start looks at, and at what could only be looked at from here (S5, S6)."""
    while not stop.is_set():
        try:
            await house.watching.look(copies=shipper.unread, witnesses=witnesses.unread)
        except OmonatError as error:
            _log.warning("watching-waits", code=error.code)
        await _pause(stop, _EVERY)


async def _sweep_for_ever(house: House, stop: asyncio.Event) -> None:
    """Destroy what is due, and take up what was left undone, well within a minute (R3, I5)."""
    doubt = ""
    while not stop.is_set():
        more = False
        try:
            done = await house.sweeper.round()
            more = done.more
            if done.doubt and done.doubt != doubt:
                _log.warning("sweeping-waits", code=done.doubt)
            doubt = done.doubt
        except OmonatError as error:
            if error.code not in _WAITS:
                _log.error("sweeping-trouble", code=error.code)
        if not more:
            await _pause(stop, _SWEEP_EVERY)


async def _tell_for_ever(house: House, stop: asyncio.Event) -> None:
    """Tell people of a new version, and what the company has to say, until each was told (P2, N2)."""
    while not stop.is_set():
        more = False
        try:
            more = (await house.tell_people.round()).more
            more = (await house.tell_many.step()).more or more
        except OmonatError as error:
            if error.code not in _WAITS:
                _log.error("telling-trouble", code=error.code)
        if not more:
            await _pause(stop, _TELL_EVERY)


async def _campaigns_for_ever(house: House, stop: asyncio.Event) -> None:
    """Write the letters of running campaigns, and take back those of stopped ones (U5, C3)."""
    while not stop.is_set():
        more = False
        try:
            more = await house.campaign_letters.round()
        except OmonatError as error:
            if error.code not in _WAITS:
                _log.error("campaigns-trouble", code=error.code)
        if not more:
            await _pause(stop, _TELL_EVERY)


async def _reconcile(house: House, reconcile: Reconcile, last: Instant) -> Instant:
    """Say loudly what doesn't account for each other: openings each time, rows once a day; when rows were compared."""
    looked, now = await reconcile.openings(), house.grounds.clock()
    if looked.unexplained:
        _log.error("openings-unexplained", count=len(looked.unexplained))
    if looked.withheld or looked.cut_off:
        _log.warning("openings-unanswered", count=looked.withheld + looked.cut_off)
    if now - last < DAY:
        return last
    if found := await reconcile.rows():
        _log.error("rows-unaccounted", count=len(found), kind=found[0].what)
    return now


async def _sweep(house: House) -> None:
    """Remove what is only kept for a while: ended sessions, codes, rates, answers to keys, counts of use."""
    now = house.grounds.clock()
    async with house.grounds.database.connection() as connection:
        await _identity.drop_web_sessions(connection, now=now)
        await _identity.drop_codes(connection, before=Instant(now - DAY))
        reach("sweep.codes-dropped")
        await _erasures.drop_receipts(connection, now=now)
        await _identity.drop_rates(connection, before=Instant(now - 2 * DAY))
        await _sweeps.drop_answers(connection, before=Instant(now - DAY))
        await _sweeps.drop_usage(connection, before=Instant(now - 2 * DAY))
        await _letters.drop_taken(connection, before=Instant(now - _LETTERS_COME_AGAIN))
    await house.sealed_forms.drop_old()
    reach("sweep.dropped")
    await Outbox(house.grounds.database).prune(now=now)
    reach("sweep.pruned")


_TIDYING: Final[tuple[Callable[[House], Awaitable[object]], ...]] = (
    _activate,
    _sweep,
    lambda house: house.answer_requests.lapse(),
    lambda house: house.tell_recipients.round(),
    lambda house: house.remind.round(),
    lambda house: house.escalate.look_after(),
    lambda house: house.guardians.let_grown_go(),
    lambda house: house.parent_asks.forget_addresses(),
    lambda house: house.consent_reach.look_after(),
    lambda house: house.clients_owed.look_after(),
    lambda house: house.packets.end_due(),
    lambda house: house.sealing_keys.end_due(),
    _note_keys,
    lambda house: house.safeguards.look_after(),
    lambda house: house.places.look(),
    lambda house: house.law_watch.look_after(),
    lambda house: house.cookies.found(),  # what a newer policy registers is settled
    lambda house: asyncio.to_thread(house.grounds.vault.prepare_slots, _SPARE_SLOTS),
)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
