"""Staff: registered, given a role with an end, trained, signed in (S4, B2).

A staff member's name is personal data too: it lies sealed, is found by a keyed digest of the sign-in name, and stands
in evidence as a keyed pseudonym. Passwords are verify-only; the second factor opens once per code.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pyotp

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import MINUTE, SECOND, Instant
from omonat.database.codecs import FOREVER
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.clients import require_client
from omonat.flows.grounds import Also, Grounds
from omonat.flows.refusals import refusals_noted
from omonat.flows.use import Credential
from omonat.policy.model import RoleKind

_queries = load("omonat.promises.identity")
REGISTRARS = frozenset({"privacy-officer", "management"})
"""Roles whose systems may register staff (S4)."""

_LOCK = 15 * MINUTE
_STEP = 30 * SECOND
_TRIES_AN_HOUR = 300
"""Sign-ins tried from one network address, right or wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """Who acts at the Desk. `ref` is the number source systems use."""

    id: str
    ref: str
    name: str
    role: str
    role_until: Instant
    trained_until: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A staff member as the privacy officer registers them; `login` is needed only for the Desk."""

    ref: str
    name: str
    role: str
    trained_until: Instant
    role_until: Instant = FOREVER
    login: str | None = None


class Staff:
    """The flow of staff."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock

    async def put(self, registration: Registration, *, by: str, also: Also[str] | None = None) -> str:
        """Register, or change role, end or training; effective with the next request. Returns the staff id.

        `by` is the client or operator who did it. Raises BadInput for a role that is unknown or a
        program's (its uses are not counted), or a colleague's sign-in name.
        """
        policy, now = await self._law.current(), self._clock()
        if policy.role(registration.role).kind is not RoleKind.HUMAN:
            people = ", ".join(name for name, role in policy.roles.items() if role.kind is RoleKind.HUMAN)
            raise BadInput("role-unknown", role=registration.role, nearest=people)
        profile = msgspec.json.encode({"name": registration.name})
        login = None if registration.login is None else self._login_digest(registration.login)
        async with self._database.transaction() as connection:
            try:
                staff: str = await _queries.put_staff(
                    connection, id=new_id("stf"), ref=registration.ref, role=registration.role,
                    role_until=registration.role_until, trained_until=registration.trained_until, login=login,
                    profile=self._vault.seal_value(f"staff:{registration.ref}", profile), now=now,
                )  # fmt: skip
            except asyncpg.UniqueViolationError as error:
                raise BadInput("login-taken") from error
            if registration.role_until <= now:
                await _queries.end_web_sessions_of(connection, holder=staff)
            reach("staff.written")
            facts = {
                "staff": self._vault.pseudonym("staff", staff),
                "role": registration.role,
                "role-until": min(registration.role_until, 2**53 - 1),
                "trained-until": min(registration.trained_until, 2**53 - 1),
                "by": by,
            }
            await self._journal.append(connection, [Entry(new_id("ev"), now, "staff:role:set", facts)], now=now)
            if also is not None:
                await also(connection, staff)
            reach("staff.recorded")
        reach("staff.committed")
        return staff

    async def put_by(self, credential: Credential, registration: Registration, also: Also[str] | None = None) -> str:
        """As `put`, asked for by a system of the company: one that acts for those who answer for staff.

        Raises Refused `credential-refused`, `registrar-needed`.
        """
        async with self._database.connection() as connection:
            client = await require_client(connection, credential, self._clock())
        async with refusals_noted(self._grounds, "staff:role:refused", {"by": client.id}):
            if not REGISTRARS.intersection(client.roles):
                raise Refused("registrar-needed")
        return await self.put(registration, by=client.id, also=also)

    async def set_secrets(self, ref: str, password: str) -> str:
        """Set a password and make a new one-time code secret, returned once, in base32, for the authenticator. Whoever
        was signed in under the old ones is signed out.

        Raises BadInput for a password under 12 characters, Refused for an unknown staff member.
        """
        if len(password) < 12:
            raise BadInput("password-short")
        stored = await asyncio.to_thread(self._vault.hash_secret, password)
        secret, now = pyotp.random_base32(), self._clock()
        async with self._database.transaction() as connection:
            row = await _queries.staff_by_ref(connection, ref=ref)
            if row is None:
                raise Refused("staff-unknown")
            totp = self._vault.seal_value(f"totp:{row['id']}", secret.encode())
            await _queries.set_staff_secrets(connection, id=row["id"], password=stored, totp=totp)
            await _queries.end_web_sessions_of(connection, holder=row["id"])
            entry = Entry(new_id("ev"), now, "staff:secrets:set", {"staff": self._vault.pseudonym("staff", row["id"])})
            await self._journal.append(connection, [entry], now=now)
        return secret

    async def sign_in(self, login: str, password: str, code: str, *, caller: str = "") -> StaffMember:
        """Check name, password and one-time code. One answer for every failure; five failures lock for 15 minutes.

        `caller` limits one network address, so that strangers neither fill the log nor keep the processor hashing.
        Raises Refused: `sign-in-failed`, `sign-in-locked`; `role-ended`, `training-lapsed` only after both factors.
        """
        network = self._vault.keyed_digest("rate", f"desk-from:{caller}".encode())
        async with self._database.connection() as connection:
            tried = await _queries.count_rate(
                connection, key=network, window=timedelta(hours=1), now=self._clock()
            )  # fmt: skip
        if tried > _TRIES_AN_HOUR:
            raise Refused("sign-in-locked")
        return await self._proved(password, code, login=self._login_digest(login), ref=None)

    async def confirm(self, ref: str, password: str, code: str) -> StaffMember:
        """As `sign_in`, for somebody named by ref who confirms one act, such as a publication."""
        return await self._proved(password, code, login=None, ref=ref)

    async def anybody_has_secrets(self) -> bool:
        """Whether any staff member can prove who they are."""
        async with self._database.connection() as connection:
            found: bool = await _queries.anybody_has_secrets(connection)
        return found

    async def _proved(self, password: str, code: str, *, login: bytes | None, ref: str | None) -> StaffMember:
        """The attempt is taken first, so that guesses made at once are counted like guesses made one by one."""
        now = self._clock()
        async with self._database.connection() as connection:
            row = await _queries.take_staff_attempt(connection, login=login, ref=ref, now=now, lock_until=now + _LOCK)
            locked = row is None and await _queries.staff_known(connection, login=login, ref=ref)
        reach("staff.try-taken")
        match = await asyncio.to_thread(self._vault.verify_secret, row and row["password"], password)
        if locked:
            raise Refused("sign-in-locked")
        async with self._database.transaction() as connection:
            good = row is not None and bool(match) and await self._take_code(connection, row, code, now)
            reach("staff.code-taken")
            facts = {"staff": self._vault.pseudonym("staff", row["id"])} if row is not None else {}
            act = "staff:desk:signed-in" if good else "staff:desk:failed"
            await self._journal.append(connection, [Entry(new_id("ev"), now, act, facts)], now=now)
            reach("staff.try-recorded")
        reach("staff.try-committed")
        if row is None or not good:
            raise Refused("sign-in-failed")
        member = self._member(row)
        if member.role_until <= now:
            raise Refused("role-ended")
        if member.trained_until <= now:
            raise Refused("training-lapsed")
        return member

    async def member(self, staff: str) -> StaffMember | None:
        """A staff member by id, for a page of their own; None when there is none."""
        async with self._database.connection() as connection:
            row = await _queries.staff_by_id(connection, id=staff)
        return None if row is None else self._member(row)

    async def _take_code(self, connection: Any, row: Mapping[str, Any], code: str, now: Instant) -> bool:
        """Whether the one-time code is right and used for the first time; one step of clock drift is allowed."""
        if row["totp"] is None:
            return False
        secret = self._vault.open_value(f"totp:{row['id']}", row["totp"]).decode()
        step = now // _STEP
        for candidate in (step, step - 1, step + 1):
            if pyotp.utils.strings_equal(pyotp.TOTP(secret).generate_otp(candidate), code):
                taken = await _queries.take_totp_step(connection, id=row["id"], step=candidate)
                return taken is not None
        return False

    def _member(self, row: Mapping[str, Any]) -> StaffMember:
        profile = msgspec.json.decode(self._vault.open_value(f"staff:{row['ref']}", row["profile"]))
        return StaffMember(
            id=row["id"], ref=row["ref"], name=profile["name"], role=row["role"],
            role_until=row["role_until"], trained_until=row["trained_until"],
        )  # fmt: skip

    def _login_digest(self, login: str) -> bytes:
        return self._vault.keyed_digest("staff-login", login.strip().casefold().encode())
