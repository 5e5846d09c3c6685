"""The door's folder and its addresses."""

from pathlib import Path
from typing import Final

from omonat.pages import Door

DESK: Final = Door("desk", Path(__file__).parent)

HOME: Final = "/desk"
SIGN_IN: Final = "/desk/sign-in"
SIGN_OUT: Final = "/desk/sign-out"
CASE: Final = "/desk/case"
OPEN: Final = "/desk/open"
FIND: Final = "/desk/find"
PERSON: Final = "/desk/find/person"
REQUESTS: Final = "/desk/requests"
CAMPAIGNS: Final = "/desk/campaigns"
CLIENTS: Final = "/desk/clients"
PROCEDURE: Final = "/desk/clients/procedure"
CHILDREN: Final = "/desk/children"
SAFEGUARDS: Final = "/desk/safeguards"
TASKS: Final = "/desk/tasks"
KEYS: Final = "/desk/keys"
OFFLINE: Final = "/desk/offline"
