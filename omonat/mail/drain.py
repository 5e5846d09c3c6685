"""Draining the outbox: claim, ask, word, mark, hand over, mark. The loop of the jobs worker.

For one message: (1) flow `send` asks permission and opens the address; (2) the letter is made; (3) the row is durably
marked `handing-over`, and only by the worker that still holds the claim; (4) the hand-over; (5) the end is marked.
A crash before 3 loses nothing and sends nothing. A crash between 4 and 5 leaves an unknown outcome: see `outbox`.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from jinja2 import TemplateError

from omonat.base.errors import BadInput, OmonatError, Unavailable
from omonat.base.failpoints import reach
from omonat.base.instants import HOUR, SECOND, Instant
from omonat.base.logs import log
from omonat.flows.send import Later, Ready, SendPorts, TooLate, Withheld, send
from omonat.mail.addresses import returns_to
from omonat.mail.carriers import Mail, MailCarrier, Outcome, Rejected, Sms, SmsCarrier, Taken, TryLater, Unknown
from omonat.mail.compose import UnsubscribeLinks, compose
from omonat.mail.letter import Links, Sender, write_letter, write_sms
from omonat.mail.outbox import End, Outbox
from omonat.promises.messages import Channel, MessageClass, Waiting

ATTEMPTS = 8
"""Attempts before a message has failed; with the waits below they span about four hours."""
FIRST_WAIT = 30 * SECOND
LONGEST_WAIT = 2 * HOUR
IDLE = 0.2
"""Seconds between two looks at an empty queue: what a sign-in code waits at most."""
AFTER_TROUBLE = 2.0

_BATCH = 32
_TOGETHER = 8
_MARK_WAITS = (0.1, 0.5, 2.0)
_log = log(__name__)


@dataclass(frozen=True, slots=True)
class Post:
    """Everything a message needs on its way out. A carrier that is None is not among the ports' `through` either.

    Without `unsubscribe`, marketing fails.
    """

    sender: Sender
    links: Links
    mail: MailCarrier | None
    sms: SmsCarrier | None
    unsubscribe: UnsubscribeLinks | None = None
    reads: bool = False
    """Whether the mailbox reads what comes in: then a letter that can't be delivered comes back under its own id."""

    def returns(self, message: str) -> str:
        """The address to which an e-mail that can't be delivered is returned."""
        return returns_to(self.sender.mailbox, message) if self.reads else self.sender.mailbox


@dataclass(slots=True)
class Drain:
    """One worker of the outbox. `clock` is the only place time comes from."""

    outbox: Outbox
    ports: SendPorts
    post: Post
    clock: Callable[[], Instant]
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_TOGETHER), init=False)

    async def run(self, stop: asyncio.Event) -> None:
        """Drain until `stop` is set; a message that has begun is finished first. Trouble waits and tries again."""
        while not stop.is_set():
            pause = IDLE
            try:
                if await self.once():
                    pause = 0.0
            except Unavailable as error:
                _log.warning("outbox-waits", code=error.code)
                pause = AFTER_TROUBLE
            except Exception as error:  # one message's fault: its claim runs out, the others go on
                _log.error("outbox-stumbled", exc_info=error)
                pause = AFTER_TROUBLE
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def once(self) -> Counter[str]:
        """One batch: what became of how many messages. Raises Unavailable when the database is gone."""
        await self.outbox.mend_interrupted(now=self.clock())
        reach("drain.mended")
        claimed = await self.outbox.claim_due(most=_BATCH, now=self.clock())
        reach("drain.claimed")
        results = await asyncio.gather(*(self._at_its_turn(message) for message in claimed), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return Counter(result for result in results if isinstance(result, str))

    async def _at_its_turn(self, message: Waiting) -> str:
        async with self._room:
            state, code = await self._one(message)
        _log.info(
            "message",
            template=message.template,
            channel=message.channel.value,
            state=state,
            code=code,
            attempt=message.attempt,
        )
        return state

    async def _one(self, message: Waiting) -> tuple[str, str | None]:
        if message.attempt > ATTEMPTS:  # its workers died or failed before they could say so
            return await self._end(message, End.FAILED, "message-attempts-exhausted")
        try:
            answer = await send(message, self.ports, now=self.clock())
            worded = self._word(message, answer) if isinstance(answer, Ready) else None
        except Unavailable as error:
            return await self._again(message, error.code)
        except (OmonatError, TemplateError) as error:
            code = error.code if isinstance(error, OmonatError) else "message-unrenderable"
            return await self._end(message, End.FAILED, code)
        match answer:
            case TooLate():
                return await self._end(message, End.EXPIRED, None)
            case Withheld(reasons):
                return await self._end(message, End.REFUSED, reasons[0].code)
            case Later(until, reason):
                await self.outbox.put_off(message, until=until, code=reason.code, spent=False)
                return "waiting", reason.code
        assert isinstance(answer, Ready)
        assert worded is not None
        reach("drain.worded")
        if not await self.outbox.begin_hand_over(message, now=self.clock(), sent_to=answer.digest):
            return "lost", None
        reach("drain.handing-over")
        outcome = await self._hand_over(worded)
        reach("drain.handed-over")
        return await self._settle(message, outcome)

    def _word(self, message: Waiting, ready: Ready) -> Mail | Sms:
        post, params = self.post, ready.params
        links, unsubscribe = post.links, None
        if message.message_class is MessageClass.MARKETING:
            if post.unsubscribe is None:
                raise BadInput("unsubscribe-link-missing")
            unsubscribe = post.unsubscribe(person=message.person, purpose=message.purpose)
            links = replace(links, unsubscribe=unsubscribe.address)
        if message.channel is Channel.SMS:
            text = write_sms(message.template, message.language, params, sender=post.sender, links=links)
            return Sms(message.id, ready.address, text)
        letter = write_letter(
            message.template, message.language, params, sender=post.sender, links=links, name=ready.name
        )
        mail = compose(
            letter,
            message_id=message.id,
            sender=post.sender,
            to=ready.address,
            unsubscribe=unsubscribe,
            now=self.clock(),
        )
        return Mail(ready.address, mail, post.returns(message.id))

    async def _hand_over(self, worded: Mail | Sms) -> Outcome:
        try:
            if isinstance(worded, Sms):
                return await self.post.sms.hand_over(worded) if self.post.sms else TryLater()
            return await self.post.mail.hand_over(worded) if self.post.mail else TryLater()
        except Exception as error:
            _log.error("hand-over-broke", exc_info=error)
            return Unknown()

    async def _settle(self, message: Waiting, outcome: Outcome) -> tuple[str, str | None]:
        """Mark what became of a hand-over. The mark is worth waiting for: without it the outcome counts as unknown."""
        for wait in _MARK_WAITS:
            try:
                return await self._mark(message, outcome)
            except Unavailable:
                await asyncio.sleep(wait)
        return await self._mark(message, outcome)

    async def _mark(self, message: Waiting, outcome: Outcome) -> tuple[str, str | None]:
        match outcome:
            case Taken():
                return await self._end(message, End.SENT, None)
            case Rejected(code):
                return await self._end(message, End.FAILED, code)
            case Unknown(code) if message.channel is Channel.SMS or message.message_class is MessageClass.MARKETING:
                return await self._end(message, End.UNCERTAIN, code)
            case TryLater(code) | Unknown(code):
                return await self._again(message, code)

    async def _again(self, message: Waiting, code: str) -> tuple[str, str | None]:
        if message.attempt >= ATTEMPTS:
            return await self._end(message, End.FAILED, "message-attempts-exhausted")
        until = Instant(self.clock() + wait_after(message.attempt))
        await self.outbox.put_off(message, until=until, code=code, spent=True)
        return "waiting", code

    async def _end(self, message: Waiting, end: End, code: str | None) -> tuple[str, str | None]:
        marked = await self.outbox.settle(message, end, code=code, now=self.clock())
        reach("drain.settled")
        return (end.value if marked else "lost"), code


def wait_after(attempt: int) -> int:
    """Microseconds until the next attempt: 30 s, 1 min, 2 min … 2 h."""
    return min(FIRST_WAIT << (attempt - 1), LONGEST_WAIT)
