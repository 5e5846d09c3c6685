"""The work nobody waits for: placing evidence, sending messages, putting a due policy into force, sweeping.

Any number of processes may run it: what only one may do is fenced by a lease or claimed row by row.
"""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from omonat.base.errors import OmonatError
from omonat.base.failpoints import reach
from omonat.base.instants import DAY, Instant
from omonat.base.logs import log
from omonat.base.settings import Settings
from omonat.database.statements import load
from omonat.evidence.sequencer import Sequencer
from omonat.flows.outgoing import Outgoing
from omonat.flows.send import SendPorts
from omonat.house import House, set_up_doors
from omonat.mail.carriers import MailCarrier, SmsCarrier
from omonat.mail.drain import Drain, Post
from omonat.mail.leave import signed_links
from omonat.mail.letter import Links, Sender
from omonat.mail.outbox import Outbox
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
_identity = load("omonat.promises.identity")
_sweeps = load("omonat", "jobs.sql")
_log = log(__name__)


async def run_jobs(house: House, stop: asyncio.Event) -> None:
    """Work until `stop` is set; finishes what has begun."""
    grounds = house.grounds
    sequencer = Sequencer(grounds.database, house.log, house.keys, clock=grounds.clock)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        tasks.create_task(_sequence(sequencer))
        tasks.create_task(_tidy_for_ever(house, stop))
        tasks.create_task(_drain_once_ready(house, stack, stop))
        await stop.wait()
        sequencer.stop()


async def _sequence(sequencer: Sequencer) -> None:
    """A fault of the log stops signing, loudly, and nothing else: uses go on, their proofs wait."""
    try:
        await sequencer.run()
    except OmonatError as error:
        _log.error("evidence-stopped", code=error.code)


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
    mail, sms = _mail(house.settings), await _sms(house.settings, stack)
    if mail is None and sms is None:
        return None
    served = [channel for channel in _CARRIED if (sms if channel is Channel.SMS else mail)]
    base, controller = house.settings.address, policy.policy.controller
    post = Post(
        sender=Sender(name=controller.name, mailbox=house.settings.smtp_from or controller.mailbox),
        links=Links(center=f"{base}/me", policy=f"{base}/page/privacy-policy"),
        mail=mail,
        sms=sms,
        unsubscribe=signed_links(house, controller.mailbox),
    )
    outbox = Outbox(house.grounds.database)
    return Drain(outbox=outbox, ports=ports_of(house, served), post=post, clock=house.grounds.clock)


def ports_of(house: House, served: Iterable[Channel] = Channel) -> SendPorts:
    """What the flow `send` stands on, where carriers serve these channels."""
    grounds = house.grounds
    outgoing = Outgoing(house.use, grounds.law, grounds.vault, lambda: house.inner_credential("outbox"))
    outbox = Outbox(grounds.database)
    return SendPorts(
        open_channel=outgoing.open_channel,
        open_sealed=grounds.vault.open_value,
        rules=outgoing,
        through={channel: _CARRIED[channel] for channel in served},
        service_sent=lambda person, since: outbox.service_sent(person, since=since),
        digest_of=outgoing.digest_of,
    )


def _mail(settings: Settings) -> MailCarrier | None:
    if settings.smtp_host is None:
        return None
    password = _secret(settings.smtp_password_file)
    return SmtpCarrier(
        Relay(
            host=settings.smtp_host,
            port=settings.smtp_port,
            recipient=MAIL_PROVIDER,
            security=settings.smtp_security,
            user=settings.smtp_user,
            password=password,
        )
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
    while not stop.is_set():
        try:
            if await house.publish.activate_due() is not None:
                reach("activate.committed")
                await set_up_doors(house)  # the version in force may name other roles
            await _sweep(house)
            await asyncio.to_thread(house.grounds.vault.prepare_slots, _SPARE_SLOTS)
        except OmonatError as error:
            _log.warning("tidying-waits", code=error.code)
        await _pause(stop, _EVERY)


async def _sweep(house: House) -> None:
    """Remove what is only kept for a while: ended sessions, codes, rates, answers to keys, counts of use."""
    now = house.grounds.clock()
    async with house.grounds.database.connection() as connection:
        await _identity.drop_web_sessions(connection, now=now)
        await _identity.drop_codes(connection, before=Instant(now - DAY))
        reach("sweep.codes-dropped")
        await _identity.drop_rates(connection, before=Instant(now - 2 * DAY))
        await _sweeps.drop_answers(connection, before=Instant(now - DAY))
        await _sweeps.drop_usage(connection, before=Instant(now - 2 * DAY))
    reach("sweep.dropped")
    await Outbox(house.grounds.database).prune(now=now)
    reach("sweep.pruned")


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
