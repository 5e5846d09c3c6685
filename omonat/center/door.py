"""The door's folder, its addresses, and the codes of its forms."""

from pathlib import Path
from typing import Final

from omonat.pages import Door

CENTER: Final = Door("center", Path(__file__).parent)

HOME: Final = "/me"
CODE: Final = "/me/code"
ORDER: Final = "/me/order"
DATA: Final = "/me/data"
STILL_RIGHT: Final = "/me/data/still-right"
COPY: Final = "/me/copy"
CORRECT: Final = "/me/correct"
CORRECT_CODE: Final = "/me/correct/code"
DELETE: Final = "/me/delete"
DELETE_CODE: Final = "/me/delete/code"
RECEIPT: Final = "/me/receipt"
LOOKED: Final = "/me/who-looked"
CHOICES: Final = "/me/choices"
COOKIES: Final = "/me/cookies"
NOTICES: Final = "/me/notices"
CHILDREN: Final = "/me/children"
REQUESTS: Final = "/me/requests"
VISIT: Final = "/me/visit"
COMPLAIN: Final = "/complain"
REQUEST: Final = "/complain/request"
STATUS: Final = "/complain/status"
PROOF: Final = "/me/proof"
CHECKPOINT: Final = "/me/checkpoint"
SIGN_OUT: Final = "/me/sign-out"
ASKED_FOR: Final = frozenset({DATA, COPY, DELETE, LOOKED, CHOICES, NOTICES, CHILDREN, REQUESTS})
"""Pages a link may lead to from outside: whoever must sign in first comes to them after the code."""
