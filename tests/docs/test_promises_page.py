"""The page of promises tells the truth of today."""

from scripts.promises import PAGE, written


def test_A1_the_page_of_promises_is_what_policy_states_and_tests_say() -> None:
    assert PAGE.read_text("utf-8") == written(), "run: python -m scripts.promises"
