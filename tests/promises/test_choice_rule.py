"""What may be chosen: consent where it is asked, objection where it counts, and withdrawing always."""

import pytest

from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.packs import read_pack
from omonat.policy.reader import read_policy
from omonat.promises.choice.rule import decide_choice
from omonat.promises.choice.standing import Choice, Kind, State, applied, live_consents, withdrawn_at
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


EMAIL, SMS, PHOTO = "marketing-email", "marketing-sms", "publish-photo"


@pytest.mark.parametrize(
    ("said", "asked", "ended"),
    [
        pytest.param([], [EMAIL], None, id="nobody was asked"),
        pytest.param([(EMAIL, "withdrawn")], [EMAIL], None, id="a no that was never a yes"),
        pytest.param([(EMAIL, "given"), (EMAIL, "withdrawn")], [EMAIL], 1, id="taken back"),
        pytest.param([(EMAIL, "given"), (PHOTO, "given"), (EMAIL, "withdrawn")], [EMAIL], 2, id="another lives on"),
        pytest.param([(EMAIL, "given"), (SMS, "given"), (EMAIL, "withdrawn")], [EMAIL, SMS], None, id="one needs it"),
        pytest.param([(EMAIL, "given"), (EMAIL, "withdrawn"), (PHOTO, "given")], [EMAIL], 1, id="another comes later"),
        pytest.param([(EMAIL, "given"), (EMAIL, "withdrawn"), (EMAIL, "given")], [EMAIL], None, id="given again"),
    ],
)  # fmt: skip
def test_R2_a_record_rests_on_the_consents_of_its_own_service(
    said: list[tuple[str, State]], asked: list[str], ended: int | None
) -> None:
    standing = None
    for at, (purpose, state) in enumerate(said):
        standing = applied(standing, Choice(kind="consent", purpose=purpose, state=state, version=1, at=Instant(at)))
    assert withdrawn_at(live_consents(standing), (standing or {}).get("withdrawn", {}), asked) == ended
