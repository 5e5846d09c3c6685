"""What may leave on paper: what is encrypted to whoever it is for, and nothing else (S2). Pure.

A sheet goes from hand to hand, lies about and is copied; nobody calls it back, and a password on it can be tried for
ever. So it holds what a key of the recipient's opens, or what the vault's own key does.
"""

from enum import Enum

from omonat.base.verdict import Allow, Deny, Reason, Verdict


class Seal(Enum):
    """What a file is encrypted to; NOTHING also where nobody can tell."""

    RECIPIENT = "recipient"
    VAULT = "vault"
    PASSWORD = "password"  # noqa: S105  (a kind of seal)
    NOTHING = "nothing"


def decide_paper(seal: Seal) -> Verdict:
    """Allow, or Deny `paper-unsealed` or `paper-password`."""
    if seal in (Seal.RECIPIENT, Seal.VAULT):
        return Allow()
    return Deny((Reason("paper-password" if seal is Seal.PASSWORD else "paper-unsealed", "S2"),))
