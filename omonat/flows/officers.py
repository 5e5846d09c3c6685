"""Who may speak for the company: one person writes, another approves (N1, N2, N3).

The policy says who owns a promise. An owner or a privacy officer writes; an owner who isn't the writer approves. Where
staff have secrets, the command line has each prove themselves at their own moment; a system acts for the role that its
credential names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import Instant
from omonat.base.verdict import Allow, Deny, Reason, Verdict
from omonat.database.statements import load
from omonat.flows.clients import require_client
from omonat.flows.grounds import Grounds
from omonat.flows.publish_policy import Proof
from omonat.flows.staff import Staff
from omonat.flows.use import Credential
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.notice.words import Said, check_words

_identity = load("omonat.promises.identity")
OFFICER: Final = "privacy-officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class InOffice:
    """Somebody whose role has not ended and whose training holds: the role, and the pseudonym that evidence uses."""

    role: str
    pseudonym: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Officers:
    """The two people behind a promise. Refs are staff refs; what comes back are pseudonyms."""

    grounds: Grounds
    staff: Staff

    async def permit(self, credential: Credential, promise: str) -> None:
        """Whether this system may act for them. Raises Refused `credential-refused`, `speaker-needed`."""
        owner = _owner(await self.grounds.law.current(), promise)
        async with self.grounds.database.connection() as connection:
            client = await require_client(connection, credential, self.grounds.clock())
        if not {owner, OFFICER} & set(client.roles):
            raise Refused("speaker-needed", role=owner)

    async def proved(self, ref: str, proof: Proof | None) -> None:
        """Whoever acts is who they say; nothing while nobody has anything to prove it with. Raises Refused."""
        if await self.staff.anybody_has_secrets():
            if proof is None:
                raise Refused("sign-in-failed")
            await self.staff.confirm(ref, proof.password, proof.code)

    async def writer(self, connection: asyncpg.Connection, ref: str, promise: str) -> str:
        """Somebody who may write. Raises Refused `staff-unknown`, `speaker-needed`, `role-ended`, `training-lapsed`."""
        owner = _owner(await self.grounds.law.current(), promise)
        member = await self.in_office(connection, ref)
        if member.role not in (owner, OFFICER):
            raise Refused("speaker-needed", role=owner)
        return member.pseudonym

    async def approver(self, connection: asyncpg.Connection, ref: str, promise: str, *, of: str) -> str:
        """Somebody who may approve what `of` wrote. Raises Refused as `writer`, and `speaker-is-writer`."""
        owner = _owner(await self.grounds.law.current(), promise)
        member = await self.in_office(connection, ref)
        if member.role != owner:
            raise Refused("speaker-needed", role=owner)
        if member.pseudonym == of:
            raise Refused("speaker-is-writer")
        return member.pseudonym

    async def in_office(self, connection: asyncpg.Connection, ref: str) -> InOffice:
        """Who somebody is now. Raises Refused `staff-unknown`, `role-ended`, `training-lapsed`."""
        row: Mapping[str, Any] | None = await _identity.staff_by_ref(connection, ref=ref)
        if row is None:
            raise Refused("staff-unknown")
        now: Instant = self.grounds.clock()
        if row["role_until"] <= now:
            raise Refused("role-ended")
        if row["trained_until"] <= now:
            raise Refused("training-lapsed")
        return InOffice(role=row["role"], pseudonym=self.grounds.vault.pseudonym("staff", row["id"]))


def may_speak(policy: CompiledPolicy, role: str, promise: str) -> Verdict:
    """Whether somebody in this role may write for the company here, and see what was written."""
    owner = _owner(policy, promise)
    return Allow() if role in (owner, OFFICER) else Deny((Reason("speaker-needed", promise, {"role": owner}),))


def _owner(policy: CompiledPolicy, promise: str) -> str:
    declared = policy.policy.promises.get(promise)
    return OFFICER if declared is None else declared.owner


def require_words(policy: CompiledPolicy, said: Said, promise: str) -> None:
    """Three languages, and nobody's data in them. Raises BadInput."""
    controller = policy.policy.controller
    obey(check_words(said, promise=promise, mailbox=controller.mailbox, phone=controller.phone))


def obey(verdict: Verdict) -> None:
    """Raises BadInput with the first reason of anything but Allow."""
    if not isinstance(verdict, Allow):
        reason = verdict.reasons[0]
        raise BadInput(reason.code, **reason.about)
