"""Letters to a role of the company: that a request is near its deadline or overdue (A2).

They hold nobody's data and go to a mailbox the policy names, so they have no part in the outbox of people's messages.
A letter that may have left goes again under the same Message-ID: rather twice than never, and recognisably the same.
"""

from omonat.base.errors import BadInput
from omonat.base.failpoints import reach
from omonat.base.instants import SECOND, Instant
from omonat.base.logs import log
from omonat.flows.escalate import Escalate, RoleLetter
from omonat.flows.law import Law
from omonat.mail.carriers import Mail, MailCarrier, Outcome, Rejected, Taken
from omonat.mail.compose import compose
from omonat.mail.drain import ATTEMPTS, wait_after
from omonat.mail.letter import Links, Sender, write_letter
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.messages import Value

TEMPLATE = "request-escalated"
_log = log(__name__)


class RoleLetters:
    """The sender; any number of workers, each letter one worker's at a time."""

    def __init__(self, escalate: Escalate, law: Law, carrier: MailCarrier, *, sender: Sender, links: Links) -> None:
        self._escalate = escalate
        self._law = law
        self._carrier = carrier
        self._sender = sender
        self._links = links

    async def once(self) -> bool:
        """Send one letter that is due; whether there was one. Raises Unavailable."""
        policy = await self._law.current()
        letter = await self._escalate.claim_letter()
        if letter is None:
            return False
        if letter.attempt > ATTEMPTS or not self._may_carry(policy):
            await self._escalate.settle_letter(letter, "failed")
            return True
        mail = self._word(policy, letter)
        if mail is None:
            await self._escalate.settle_letter(letter, "none")
            return True
        reach("escalate.handing-over")
        outcome = await self._carrier.hand_over(mail)
        reach("escalate.handed-over")
        await self._settle(letter, outcome)
        return True

    def _may_carry(self, policy: CompiledPolicy) -> bool:
        return self._carrier.recipient in policy.policy.recipients

    def _word(self, policy: CompiledPolicy, letter: RoleLetter) -> Mail | None:
        goes = policy.policy.escalation
        if goes is None or goes.mailbox is None:  # the version in force names none any more
            return None
        params: dict[str, Value] = {
            "request": letter.number,
            "kind": letter.kind,
            "step": letter.step,
            "due": letter.due_at // SECOND,
        }
        said = write_letter(TEMPLATE, goes.language.value, params, sender=self._sender, links=self._links)
        try:
            message = compose(
                said, message_id=f"{letter.number}.{letter.due_at}.{letter.step}", sender=self._sender,
                to=goes.mailbox, unsubscribe=None, now=self._escalate.now(),
            )  # fmt: skip
        except BadInput:  # the policy's mailbox is none
            return None
        return Mail(goes.mailbox, message, self._sender.mailbox)

    async def _settle(self, letter: RoleLetter, outcome: Outcome) -> None:
        match outcome:
            case Taken():
                await self._escalate.settle_letter(letter, "sent")
            case Rejected(code):
                _log.warning("escalation-unwritten", code=code)
                await self._escalate.settle_letter(letter, "failed")
            case _:
                again = Instant(self._escalate.now() + wait_after(letter.attempt))
                await self._escalate.settle_letter(letter, "waiting", again=again)
