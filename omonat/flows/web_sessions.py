"""Web sessions: who is signed in at which door, as rows every worker sees and any of them can end at once."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from os import urandom

from omonat.base.errors import Fault
from omonat.base.failpoints import reach
from omonat.base.instants import HOUR, MINUTE, Instant
from omonat.database.statements import load
from omonat.flows.grounds import Grounds

_queries = load("omonat.promises.identity")
_IDLE = {"me": 30 * MINUTE, "desk": 30 * MINUTE, "proof": 10 * MINUTE}
_HARD = 12 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSession:
    """A live session. `state` is what the door keeps in it; sealed at rest."""

    token: str
    door: str
    holder: str
    state: bytes


class WebSessions:
    """Open, find and end sessions. The cookie holds 256 random bits; the row holds their keyed digest."""

    def __init__(self, grounds: Grounds) -> None:
        self._database = grounds.database
        self._vault = grounds.vault
        self._clock = grounds.clock

    async def open(self, door: str, holder: str, state: bytes = b"") -> str:
        """Begin a session; the token for the cookie comes back."""
        token, now = urlsafe_b64encode(urandom(32)).rstrip(b"=").decode(), self._clock()
        async with self._database.connection() as connection:
            await _queries.open_web_session(
                connection, id=self._id(token), door=door, holder=holder, now=now,
                until=Instant(now + _IDLE[door]), state=self._vault.seal_value(_context(door, holder), state),
            )  # fmt: skip
        reach("web-session.opened")
        return token

    async def find(self, door: str, token: str | None) -> WebSession | None:
        """The live session of a cookie, extended by its use; None when it ended or its holder may not be here."""
        if not token or len(token) != 43 or not token.isascii():
            return None
        now = self._clock()
        async with self._database.connection() as connection:
            row = await _queries.web_session(connection, id=self._id(token), door=door, now=now)
            if row is None:
                return None
            until = Instant(min(now + _IDLE[door], row["created_at"] + _HARD))
            if until - row["until"] > MINUTE:
                await _queries.extend_web_session(connection, id=self._id(token), until=until)
        try:
            state = self._vault.open_value(_context(door, row["holder"]), row["state"])
        except Fault:  # the row was changed by somebody else's hand: it is nobody's session
            return None
        return WebSession(token=token, door=door, holder=row["holder"], state=state)

    async def end(self, token: str) -> None:
        """Sign out; doing it twice is harmless."""
        async with self._database.connection() as connection:
            await _queries.end_web_session(connection, id=self._id(token))
        reach("web-session.ended")

    async def end_all_of(self, holder: str) -> None:
        """End every session of a person or staff member."""
        async with self._database.connection() as connection:
            await _queries.end_web_sessions_of(connection, holder=holder)

    def _id(self, token: str) -> bytes:
        return self._vault.keyed_digest("web-session", token.encode())


def _context(door: str, holder: str) -> str:
    """What a session's sealed state is bound to: a row moved to another holder doesn't open."""
    return f"web-session:{door}:{holder}"
