"""The mailbox: somebody wrote a letter, and what it asks for is done before it is acknowledged (C3, L6, A2, N2).

1. A letter taken in before does nothing; its server hadn't heard the answer.
2. A report about a letter of ours: a mailbox that isn't there, or a complaint, is written to no more. It has told
   nobody.
3. A signed address in the letter ends the consent it names, whoever sends it. Machines get no answer and move nothing
   else.
4. Who wants no more letters gets none, on the word of From alone: it takes nothing from anybody but advertising, it is
   undone by a click, and they are told of it. Asking for a proof would be a hurdle on the way out.
5. Everything else counts once the sender is proved. Until then nothing is changed: a link goes to the address itself,
   and what it opens is done by whoever reads there.
6. What isn't understood is a case like any other, with a receipt and a deadline.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from omonat.base.errors import BadInput, Refused, Unavailable
from omonat.base.failpoints import reach
from omonat.base.instants import DAY, HOUR
from omonat.database.statements import load
from omonat.flows.ask import Ask
from omonat.flows.asked import MAILBOX, NewRequest
from omonat.flows.choose import Choose, Choosing
from omonat.flows.grounds import Grounds
from omonat.flows.letter_links import Scope, preferences_link
from omonat.flows.requesting import count
from omonat.flows.sign_in import opens
from omonat.flows.suppressing import EMAIL, Suppressing, normal_address
from omonat.flows.tell_many import TellMany
from omonat.flows.telling import TellPeople
from omonat.flows.use import Credential
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.words import Messages
from omonat.promises.location.rule import asks_for_place
from omonat.promises.mailbox import Letter, Report, Wish, language_of, wishes_in
from omonat.promises.messages import Channel, Message, put
from omonat.promises.requests.facts import Kind

_queries = load("omonat.promises.mailbox")
_identity = load("omonat.promises.identity")
_REQUESTS: Final[Mapping[Wish, Kind]] = {
    Wish.COMPLAINT: Kind.COMPLAINT,
    Wish.ACCESS: Kind.ACCESS,
    Wish.CORRECTION: Kind.CORRECTION,
    Wish.OBJECTION: Kind.OBJECTION,
    Wish.DELETION: Kind.DELETION,
}
_ABOUT_PLACE: Final = frozenset({Wish.END_LOCATION, Wish.CHANGE_LOCATION})
_FROM_ONE_SENDER: Final = 20
_IN_ALL: Final = 2_000
_LONGEST: Final = 4_000
_CARD_LIKE: Final = re.compile(r"\d(?:[ \-.]?\d){11,}")
_CODE_LIKE: Final = re.compile(r"\d[\d \-.]*\d")
_TEMPLATE: Final = "mail-choices"
_PURPOSE: Final = "account-codes"


class Mailbox:
    """The flow, put together once per process."""

    def __init__(
        self,
        grounds: Grounds,
        choose: Choose,
        ask: Ask,
        *,
        telling: TellPeople,
        many: TellMany,
        suppressing: Suppressing,
    ) -> None:
        self._grounds = grounds
        self._database = grounds.database
        self._vault = grounds.vault
        self._choose = choose
        self._ask = ask
        self._telling = telling
        self._many = many
        self._suppressing = suppressing

    async def __call__(self, letter: Letter, *, credential: Credential) -> frozenset[str]:
        """Do what the letter asks for; what was done comes back, in names, once it is durable.

        Raises Unavailable where it can't be written now, Refused `too-many-requests`: both are tried again by whoever
        hands the letter over. Raises BadInput for what can't be taken in at all.
        """
        digest = self._vault.keyed_digest("letter-taken", letter.identity)
        async with self._database.connection() as connection:
            if await _queries.has_taken(connection, digest=digest):
                return frozenset({"again"})
        done = await self._act(letter, digest.hex(), credential)
        reach("mailbox.acted")
        async with self._database.transaction() as connection:
            await _queries.take(connection, digest=digest, now=self._grounds.clock())
        reach("mailbox.taken")
        return frozenset(done)

    async def _act(self, letter: Letter, name: str, credential: Credential) -> set[str]:
        if letter.report is not None:
            return await self.note(letter.report)
        policy = await self._grounds.law.current()
        for person, purpose in letter.leaves:
            await self._withdraw(person, {purpose})
        done = {"left"} if letter.leaves else set()
        if letter.automatic:
            return done or {"ignored"}
        wishes = set(wishes_in(letter))
        if letter.leaves:
            wishes.discard(Wish.LEAVE)
            if not wishes:
                return done
        letter = replace(letter, sender=_address(letter.sender))
        await self._limit(letter)
        left: set[Wish] = set()  # what can't be done by itself becomes a case
        if Wish.LEAVE in wishes:
            found = await self._leave(policy, letter)
            done |= found
            left |= set() if found else {Wish.LEAVE}
        if wishes & _ABOUT_PLACE:
            found = await self._place(policy, letter, ending=Wish.END_LOCATION in wishes)
            done |= found
            left |= set() if found else _ABOUT_PLACE & wishes
        kinds = [kind for wish, kind in _REQUESTS.items() if wish in wishes]
        if not wishes or left:
            kinds.append(Kind.QUESTION)
        for kind in kinds:
            await self._request(letter, kind, name, credential)
            done.add("requested")
        return done

    async def _limit(self, letter: Letter) -> None:
        now = self._grounds.clock()
        mine = await count(self._grounds, f"letters-from:{letter.sender.casefold()}", HOUR, now)
        if mine > _FROM_ONE_SENDER or await count(self._grounds, "letters", HOUR, now) > _IN_ALL:
            raise Refused("too-many-requests")

    # What may be done at once ---------------------------------------------------------------------------------------

    async def _withdraw(self, person: str, purposes: Collection[str]) -> bool:
        """Whether a consent was there to be ended; it is, before this returns. Nobody fills the log with one
        address."""
        standing = await self._standing(person)
        ended = False
        for purpose in sorted(purposes):
            if purpose in standing.get("consents", ()):
                await self._choose(
                    Choosing(
                        person=person, kind="consent", state="withdrawn", purpose=purpose, channel="email", door=MAILBOX
                    )
                )
                ended = True
        return ended

    async def _leave(self, policy: CompiledPolicy, letter: Letter) -> set[str]:
        """No more letters to this address: 4. Empty: nobody can tell to which."""
        if not letter.sender:
            return set()
        digests = self._vault.lookup_digests(EMAIL, letter.sender)
        letters = {p.id for p in policy.purposes.values() if p.messages in (Messages.MARKETING, Messages.SURVEY)}
        async with self._database.connection() as connection:
            people = [row async for row in _queries.persons_at(connection, digests=digests, item=EMAIL)]
        ended = [await self._withdraw(row["id"], letters) for row in people]
        reach("mailbox.withdrawn")
        await self._suppressing.suppress(self._suppressing.digest(letter.sender), "left", anew=any(ended))
        for row in people:
            await self._answer(row, "left", "less", digests[0])
        return {"left"}

    async def _place(self, policy: CompiledPolicy, letter: Letter, *, ending: bool) -> set[str]:
        """Permissions to use a location: ended where the sender is proved, else a link: 5. Empty: nobody is known."""
        if not letter.sender:
            return set()
        places = {purpose for purpose in policy.purposes if asks_for_place(policy, purpose)}
        digests = self._vault.lookup_digests(EMAIL, letter.sender)
        people = await self._people(digests)
        ends = ending and letter.proved
        for row in people:
            if ends:
                await self._withdraw(row["id"], places)
            scope: Scope = "change" if len(people) == 1 and opens(row, self._grounds.clock()) else "less"
            await self._answer(row, "location" if ends else "asked", scope, digests[0])
        reach("mailbox.place")
        return {"location-ended" if ends else "link-sent"} if people else set()

    async def note(self, report: Report) -> set[str]:
        """A letter of ours came back, or was called spam: 2. Believed about the address it went to.

        Raises Unavailable while that letter is still being handed over."""
        async with self._database.connection() as connection:
            row = await _queries.message_sent(connection, id=report.message)
        if row is None:
            return {"ignored"}
        if row["settled_at"] is None:
            raise Unavailable("message-under-way")
        if report.gone or report.kind == "complained":
            await self._suppressing.suppress(row["sent_to"], report.kind)
        if report.kind == "complained" and row["class"] == "marketing":
            await self._withdraw(row["person"], {row["purpose"]})
        reach("mailbox.reported")
        await self._telling.came_back(report.message) or await self._many.came_back(report.message)
        return {report.kind}

    # What becomes a case --------------------------------------------------------------------------------------------

    async def _request(self, letter: Letter, kind: Kind, name: str, credential: Credential) -> None:
        """One request of this kind, as if it had been typed into the form; sent twice, it is one: 5, 6."""
        if not letter.sender:
            kind = Kind.COMPLAINT if kind is Kind.COMPLAINT else Kind.QUESTION
        request = NewRequest(
            credential=credential, kind=kind, text=_text(letter), door=MAILBOX, language=language_of(letter),
            contact=letter.sender, person=await self._whose(letter), proved=letter.proved, form=f"{kind}:{name}",
        )  # fmt: skip
        for attempt in (request, replace(request, person=None)):
            try:
                return await self._asked(attempt)
            except Refused as refused:
                if refused.code == "request-sent-before":
                    return None
                if refused.code not in ("person-restricted", "person-unknown") or attempt.person is None:
                    raise
        return None

    async def _asked(self, request: NewRequest) -> None:
        """A card's number is kept nowhere, so it is struck out rather than the letter refused (D2)."""
        for masked in (None, _CARD_LIKE, _CODE_LIKE):
            try:
                text = request.text if masked is None else masked.sub("[…]", request.text)
                await self._ask(replace(request, text=text))
                return
            except BadInput as error:
                if not error.code.startswith("value-card") or masked is _CODE_LIKE:
                    raise

    async def _whose(self, letter: Letter) -> str | None:
        """Whose account it belongs to: that of the one person whom this address alone would let in."""
        if not letter.proved or not letter.sender:
            return None
        people = await self._people(self._vault.lookup_digests(EMAIL, letter.sender))
        return str(people[0]["id"]) if len(people) == 1 and opens(people[0], self._grounds.clock()) else None

    async def _people(self, digests: list[bytes]) -> list[Any]:
        """Whose newest e-mail it is."""
        async with self._database.connection() as connection:
            return [row async for row in _identity.persons_by_lookup(connection, digests=digests, item=EMAIL)]

    async def _standing(self, person: str) -> Mapping[str, Any]:
        async with self._database.connection() as connection:
            found: Mapping[str, Any] | None = await _queries.standing_of(connection, person=person)
        return found or {}

    async def _answer(self, row: Any, about: str, scope: Scope, digest: bytes) -> None:
        """What was done, or can be done, to the address it came from and no other; once a day, however many letters
        somebody sends in its name. The link in the first one still works."""
        now = self._grounds.clock()
        once = f"mail-{about}:{now // DAY}"
        async with self._database.transaction() as connection:
            person = await _identity.person_to_write_to(connection, id=row["id"])
            if person is None:
                return
            message = Message(
                person=person["id"], template=_TEMPLATE, purpose=_PURPOSE, channel=Channel.EMAIL, address_item=EMAIL,
                language=person["language"], only_to=digest, once=once,
                params={"about": about, "link": preferences_link(self._vault, person["id"], scope, now=now)},
            )  # fmt: skip
            await put(connection, message, seal=partial(self._vault.seal_value, slot=person["slot"]), now=now)
            reach("mailbox.answered")


def _address(typed: str) -> str:
    """The sender's address in its normal form; empty where it is none."""
    try:
        return normal_address(typed) if typed else ""
    except BadInput:
        return ""


def _text(letter: Letter) -> str:
    """What was written, with a mark for what isn't kept: more text, and enclosures."""
    whole = f"{letter.subject}\n\n{letter.text}".strip()
    marks = "\n\n[…]" if letter.shortened or len(whole) > _LONGEST - 40 else ""
    marks += f"\n\n[📎 {letter.enclosures}]" if letter.enclosures else ""
    return (whole[: _LONGEST - 40].rstrip() + marks).strip() or "[…]"
