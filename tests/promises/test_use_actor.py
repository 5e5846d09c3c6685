"""Who acts, and in which role (S4, B2): people by their number, programs by their credential."""

import pytest

from omonat.base.verdict import Deny
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.packs import read_pack
from omonat.policy.reader import read_policy
from omonat.promises.use.actor import role_of_program, role_of_staff
from tests.flows.conftest import document, packs


@pytest.fixture(scope="module")
def policy() -> CompiledPolicy:
    return compile_policy(read_policy(document()), [read_pack(packs()["uz"])])


@pytest.mark.parametrize(
    ("held", "purpose", "role"),
    [
        pytest.param(["system"], "deliver-order", "system", id="a program, in its role"),
        pytest.param(["courier"], "deliver-order", "staff-needed", id="a courier's app names no courier"),
        pytest.param(["courier"], "marketing-sms", "staff-needed", id="whatever the purpose"),
        pytest.param(["counter", "call-centre"], "take-order", "staff-needed", id="two human roles are no clearer"),
        pytest.param(["courier", "system"], "deliver-order", "system", id="of both kinds, the program's"),
        pytest.param(["finance", "system"], "tax-reporting", "staff-needed", id="not its program's purpose"),
        pytest.param([], "deliver-order", "role-unclear", id="no role at all"),
        pytest.param(["nobody-knows"], "deliver-order", "role-unclear", id="a role the policy dropped"),
    ],
)
def test_S4_a_credential_acts_by_itself_in_no_human_role(
    policy: CompiledPolicy, held: list[str], purpose: str, role: str
) -> None:
    found = role_of_program(policy, purpose, held)
    assert (found.reasons[0].code if isinstance(found, Deny) else found) == role


@pytest.mark.parametrize(
    ("role", "held", "expected"),
    [
        pytest.param("courier", ["courier"], "courier", id="the credential holds the role"),
        pytest.param("courier", ["system"], "role-unclear", id="the credential doesn't"),
        pytest.param(None, ["courier"], "staff-unknown", id="nobody of that number"),
    ],
)
def test_S4_staff_act_only_through_a_system_that_holds_their_role(
    role: str | None, held: list[str], expected: str
) -> None:
    found = role_of_staff(role, held)
    assert (found.reasons[0].code if isinstance(found, Deny) else found) == expected
