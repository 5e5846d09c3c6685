"""What may be chosen: consent where it is asked, objection where it counts, and withdrawing always."""

import pytest

from omonat.base.verdict import Allow
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.packs import read_pack
from omonat.policy.reader import read_policy
from omonat.promises.choice.rule import decide_choice
from omonat.promises.choice.standing import Kind, State
from tests.flows.conftest import document, packs


@pytest.fixture(scope="module")
def policy() -> CompiledPolicy:
    return compile_policy(read_policy(document()), [read_pack(packs()["uz"])])


@pytest.mark.parametrize(
    ("kind", "purpose", "state", "open_to_it"),
    [
        pytest.param("consent", "marketing-email", "given", True, id="consent where the basis is consent"),
        pytest.param("consent", "deliver-order", "given", False, id="no consent to what rests on the contract"),
        pytest.param("objection", "improve-services", "given", True, id="objection to our own interest"),
        pytest.param("objection", "marketing-email", "given", True, id="objection to marketing, always"),
        pytest.param("objection", "deliver-order", "given", False, id="no objection to what one ordered"),
        pytest.param("objection", "service-notices", "given", False, id="a breach notice is never silenced (N2)"),
        pytest.param("consent", "deliver-order", "withdrawn", True, id="withdrawing is always possible"),
    ],
)
def test_C2_choices_exist_where_the_policy_gives_them(
    policy: CompiledPolicy, kind: Kind, purpose: str, state: State, *, open_to_it: bool
) -> None:
    verdict = decide_choice(policy, kind=kind, purpose=purpose, state=state)
    assert isinstance(verdict, Allow) is open_to_it
