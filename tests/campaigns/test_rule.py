"""What may be said to many, and by whom agreed: the rules of a campaign, pure (U5, P5)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.base.errors import BadInput
from omonat.base.verdict import Allow, CannotTell, Deny, Verdict
from omonat.policy.packs import Advertising, Pack, strictest_advertising
from omonat.policy.words import Language
from omonat.promises.campaigns.rule import Texts, check_texts, may_approve, may_lead, may_start
from tests.policy.documents import shipped_packs

UZ = next(pack for pack in shipped_packs() if pack.pack == "uz")
LAW = UZ.advertising
assert LAW is not None


def law(share: int, language: Language = Language.UZBEK) -> Advertising:
    assert LAW is not None
    return replace(LAW, translation_at_most=share, language=language)


def pack(name: str, advertising: Advertising | None) -> Pack:
    return replace(UZ, pack=name, advertising=advertising)


def fits(text: int, translation: int, advertising: Advertising | None) -> bool:
    said = Texts(subject="Salom", text="a" * text, translations={"ru": "б" * translation})
    try:
        check_texts(said, "email", advertising)
    except BadInput as wrong:
        return wrong.about != {"part": "translations"}
    return True


def test_P5_the_pack_of_uzbekistan_asks_for_uzbek_first_and_says_where_that_stands() -> None:
    assert LAW is not None
    assert (LAW.language, LAW.translation_at_most) == ("uz", 40)
    assert "ZRU-776" in LAW.source
    assert LAW.verified_by_counsel is False


@given(st.integers(1, 2_000), st.integers(1, 2_000), st.integers(0, 99))
def test_U5_a_translation_never_takes_more_of_the_area_than_the_pack_leaves_it(
    text: int, translation: int, share: int
) -> None:
    assert fits(text, translation, law(share)) == (translation / (text + translation) <= share / 100 + 1e-12)


def test_U5_forty_per_cent_of_the_area_are_two_thirds_of_the_text() -> None:
    assert fits(60, 40, LAW)
    assert not fits(60, 41, LAW)
    assert fits(60, 41, law(41))


def test_P5_of_two_packs_the_stricter_share_holds_and_silent_ones_ask_nothing() -> None:
    assert strictest_advertising([pack("uz", law(40)), pack("eu", None), pack("kz", law(30))]) == law(30)
    assert strictest_advertising([pack("eu", None)]) is None
    assert fits(10, 50, None)


def test_P5_two_languages_that_both_must_lead_cannot_be_told_and_another_than_ours_is_refused() -> None:
    torn = strictest_advertising([pack("uz", law(40)), pack("kz", law(40, Language.RUSSIAN))])
    assert isinstance(torn, CannotTell)
    assert isinstance(may_lead(torn), CannotTell)
    assert [reason.code for reason in torn.reasons] == ["advertising-language"]
    assert isinstance(may_lead(law(40, Language.RUSSIAN)), Deny)
    assert isinstance(may_lead(LAW), Allow)
    assert isinstance(may_lead(None), Allow)


@pytest.mark.parametrize(
    ("state", "same", "approved", "started"),
    [
        ("planned", False, "", "campaign-not-approved"),
        ("planned", True, "campaign-same-person", "campaign-not-approved"),
        ("approved", False, "", ""),
        ("approved", True, "campaign-same-person", ""),
        ("running", False, "", ""),
        ("stopped", False, "campaign-over", "campaign-over"),
        ("done", True, "campaign-over", "campaign-over"),
    ],
)
def test_U5_who_wrote_it_agrees_to_nothing_and_nothing_starts_unapproved(
    state: str, same: bool, approved: str, started: str
) -> None:
    assert code(may_approve("navroz", state, planned_by="a", by="a" if same else "b")) == approved
    assert code(may_start("navroz", state)) == started


def code(verdict: Verdict) -> str:
    return "" if isinstance(verdict, Allow) else verdict.reasons[0].code
