"""In which role somebody acts (S4, B2): a person by their staff number, a program by its credential. Pure.

Training, the end of a role, caps and the ledger are a person's, so no credential acts in a human role by itself.
"""

from collections.abc import Sequence

from omonat.base.verdict import Deny, Reason
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import RoleKind

_UNCLEAR = Deny((Reason("role-unclear", "S4"),))


def role_of_staff(role: str | None, held: Sequence[str]) -> str | Deny:
    """The role of the staff member a credential names (None: nobody has that number), if it may act in it."""
    if role is None:
        return Deny((Reason("staff-unknown", "S4"),))
    return role if role in held else _UNCLEAR


def role_of_program(policy: CompiledPolicy, purpose: str, held: Sequence[str]) -> str | Deny:
    """The one role a credential that names no staff member acts in: a system's, else `staff-needed`.

    Of the roles it holds those with a part in the purpose count; where none has one, all do.
    """
    able, known = policy.purposes[purpose].roles, [role for role in held if role in policy.roles]
    fitting = [role for role in known if role in able] or known
    programs = [role for role in fitting if policy.roles[role].kind is RoleKind.SYSTEM]
    if fitting and not programs:
        return Deny((Reason("staff-needed", "S4", {"role": fitting[0]}),))
    return programs[0] if len(programs) == 1 else _UNCLEAR
