"""How far somebody counts as told (P2, P4): notices without a gap, or a version accepted as a whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.promises.notice.rule import told_after

ordinals = st.integers(0, 12)


@pytest.mark.parametrize(
    ("told", "heard", "accepted", "after"),
    [
        pytest.param(1, [], 0, 1, id="nothing came"),
        pytest.param(1, [3, 2], 0, 3, id="notices in any order"),
        pytest.param(1, [3, 4], 0, 1, id="a gap holds back all after it"),
        pytest.param(1, [], 5, 5, id="a whole version, with all that stands in it"),
        pytest.param(1, [6], 5, 6, id="and on over what came before"),
        pytest.param(4, [], 2, 4, id="an older one takes nothing back"),
    ],
)
def test_P2_told_skips_no_version_but_up_to_one_accepted(
    told: int, heard: list[int], accepted: int, after: int
) -> None:
    assert told_after(told, heard, accepted) == after


@given(ordinals, st.lists(ordinals), ordinals)
def test_P2_whatever_is_told_of_was_accepted_or_came_without_a_gap(told: int, heard: list[int], accepted: int) -> None:
    after = told_after(told, heard, accepted)
    assert after >= max(told, accepted)
    assert set(range(max(told, accepted) + 1, after + 1)) <= set(heard)
