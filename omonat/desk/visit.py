"""One request at the Desk: which staff member asks, and under which purpose."""

from typing import Any, Final

from omonat.base.errors import Fault
from omonat.base.verdict import Allow
from omonat.desk.door import (
    CAMPAIGNS,
    CHILDREN,
    CLIENTS,
    DESK,
    FIND,
    HOME,
    KEYS,
    OFFLINE,
    REQUESTS,
    SAFEGUARDS,
    SIGN_OUT,
    TASKS,
)
from omonat.flows.campaign_purposes import has_to_do
from omonat.flows.client_procedures import PROMISE as CLIENTS_PROMISE
from omonat.flows.officers import may_speak
from omonat.flows.safeguards import shown_to
from omonat.flows.staff import StaffMember
from omonat.flows.tasks import may_see
from omonat.pages import Nav
from omonat.pages.visit import POLICY, Answer
from omonat.pages.visit import Visit as AnyVisit

__all__ = ["KEYS_COOKIE", "Answer", "Visit"]

KEYS_COOKIE: Final = "__Host-desk-keys"


class Visit(AnyVisit):
    """What a page of the Desk needs to know of its reader."""

    door = DESK
    name = "desk"
    home = HOME
    sign_out = SIGN_OUT

    staff: StaffMember | None = None
    answers: bool = False
    """Whether the policy lets the reader's role answer requests of some kind."""
    purpose: str = ""
    """The purpose this page works under, once it is known: it stands in the band, even over a refusal."""

    @property
    def signed_in(self) -> bool:
        return self.staff is not None

    @property
    def member(self) -> StaffMember:
        """Who is signed in; pages for anybody must not ask."""
        if self.staff is None:
            raise Fault("page-failed")
        return self.staff

    @property
    def role(self) -> str:
        """The reader's role in the policy's words."""
        return self.label("role", self.member.role)

    async def recognise(self) -> None:
        """Find the staff member: nobody whose role or training has ended since has a session any more."""
        session = await self.house.sessions.find("desk", self.token)
        if session is not None:
            self.staff = await self.house.staff.member(session.holder)
        if self.staff is not None:
            self.answers = bool(await self.house.answer_requests.kinds(self.staff))

    def frame(self) -> dict[str, Any]:
        words = self.words
        framed: dict[str, Any] = {
            "place": words("Desk"),
            "foot_links": [
                Nav(POLICY, words("Privacy policy")),
                Nav(OFFLINE, words("Offline desk")),
                Nav(KEYS, words("Keys")),
            ],
            "purpose": self.purpose,
            "member": self.staff,
            "change": "",
            "keys": self.request.cookies.get(KEYS_COOKIE) != "off",
        }
        if self.staff is not None:
            requests = [Nav(REQUESTS, words("Requests"))] if self.answers else []
            campaigns = [Nav(CAMPAIGNS, words("Campaigns"))] if has_to_do(self.policy, self.staff.role) else []
            children = [Nav(CHILDREN, words("Children"))] if self.house.child_cases.may(self.staff) else []
            speaks = isinstance(may_speak(self.policy, self.staff.role, CLIENTS_PROMISE), Allow)
            clients = [Nav(CLIENTS, words("Business clients"))] if speaks else []
            guards = isinstance(shown_to(self.policy, self.staff.role), Allow)
            safeguards = [Nav(SAFEGUARDS, words("Safeguards"))] if guards else []
            tasks = [Nav(TASKS, words("Tasks"))] if isinstance(may_see(self.staff.role), Allow) else []
            mine = [*requests, *children, *tasks, *clients, *campaigns, *safeguards]
            framed |= {
                "nav": [Nav(HOME, words("My cases")), *mine, Nav(FIND, words("Find a person"))],
                "wide": True,
            }
        return framed
