"""By letter: whoever reads at an address sees what holds and changes it, by the signed link that was sent there (C2,
L6).

Without signing in: the link is as good as a code sent to the same address, for three days, and opens less: no data,
only what was allowed. Anything there can be taken back. A permission for the location is given there only to the one
person whom the address alone would let in.
"""

from dataclasses import dataclass
from typing import Final

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, HOUR, Instant
from omonat.flows.choose import Choose, Choosing
from omonat.flows.grounds import Grounds
from omonat.flows.letter_links import Preferences, read_preferences_link
from omonat.flows.my_data import ViewMyData
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.words import Basis, Messages
from omonat.promises.location.rule import Term, asks_for_place

_DOOR: Final = "mail"
_LASTS: Final = {"hour": HOUR, "day": DAY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """One purpose on the page: whether it is allowed now, until when, whether it is about a place, and whether it may
    be allowed here."""

    purpose: str
    live: bool
    until: Instant | None
    place: bool
    may_give: bool


class ByLetter:
    """The flow of the link."""

    def __init__(self, grounds: Grounds, choose: Choose, my_data: ViewMyData) -> None:
        self._grounds = grounds
        self._choose = choose
        self._my_data = my_data

    async def show(self, token: str) -> tuple[Open, ...]:
        """What holds of what can be changed here. Raises Refused `letter-link-over`, `person-unknown`."""
        link = self._read(token)
        policy, standing = await self._grounds.law.current(), await self._my_data.standing(link.person)
        found = []
        for purpose in _open_here(policy):
            live, place = purpose in standing.consents, asks_for_place(policy, purpose)
            may_give = place and link.scope == "change" and not standing.guarded
            if live or may_give:
                term = standing.terms.get(purpose)
                until = term.until if live and term is not None else None
                found.append(Open(purpose=purpose, live=live, until=until, place=place, may_give=may_give))
        return tuple(found)

    async def end(self, token: str, purpose: str = "") -> None:
        """Take back one consent, or all that stand here; in force once this returns. Raises Refused."""
        link = self._read(token)
        here = set(_open_here(await self._grounds.law.current()))
        for each in sorted(here & {purpose} if purpose else here):
            await self._choose.end(link.person, each, channel="", door=_DOOR)

    async def allow(self, token: str, purpose: str, lasts: str) -> None:
        """Allow the use of the location: for an hour, a day, or always. Raises Refused, BadInput."""
        link, policy, now = self._read(token), await self._grounds.law.current(), self._grounds.clock()
        if purpose not in policy.purposes or not asks_for_place(policy, purpose) or lasts not in (*_LASTS, "always"):
            raise BadInput("form-unclear")
        if link.scope != "change":
            raise Refused("letter-link-takes-back-only")
        ends = None if lasts == "always" else Instant(now + _LASTS[lasts])
        term = Term(kind="permanent") if ends is None else Term(kind="until", until=ends)
        await self._choose(
            Choosing(person=link.person, kind="consent", state="given", purpose=purpose, door=_DOOR, term=term)
        )

    def _read(self, token: str) -> Preferences:
        link = read_preferences_link(self._grounds.vault, token, now=self._grounds.clock())
        if link is None:
            raise Refused("letter-link-over")
        return link


def _open_here(policy: CompiledPolicy) -> tuple[str, ...]:
    """The purposes this page is about: advertising, and places."""
    return tuple(
        purpose.id
        for purpose in policy.purposes.values()
        if purpose.basis is Basis.CONSENT
        and (purpose.messages in (Messages.MARKETING, Messages.SURVEY) or asks_for_place(policy, purpose.id))
    )
