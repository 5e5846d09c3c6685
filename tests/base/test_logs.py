"""S2: whatever is logged, by whomever, only listed fields of harmless form get out."""

import io
import json
import logging

from hypothesis import given
from hypothesis import strategies as st

from omonat.base.logs import ALLOWED, log, only_allowed

SECRET = "Nilufar +998901234567 n.karimova@example.uz"


def test_S2_a_listed_field_gets_out(lines: io.StringIO) -> None:
    log("omonat.jobs").info("worker-restarted", worker="web", pid=71, exit=-9, route="/v1/evidence/{id}")
    line = json.loads(lines.getvalue())
    line.pop("time")
    assert line == {
        "event": "worker-restarted",
        "level": "info",
        "logger": "omonat.jobs",
        "worker": "web",
        "pid": 71,
        "exit": -9,
        "route": "/v1/evidence/{id}",
    }


def test_S2_a_field_nobody_listed_never_gets_out_nor_does_its_name(lines: io.StringIO) -> None:
    log("omonat.api").warning("request-refused", phone="+998901234567", **{SECRET: 1}, code="item-not-needed")
    text = lines.getvalue()
    assert "998901234567" not in text
    assert "Nilufar" not in text
    assert json.loads(text)["withheld"] == "unlisted"


def test_S2_a_listed_field_with_a_value_of_another_form_is_withheld(lines: io.StringIO) -> None:
    log("omonat.api").info(
        "request-done", purpose=SECRET, count=998901234567, status="Nilufar", route="/me/+998901234567"
    )
    line = json.loads(lines.getvalue())
    assert line["withheld"] == "count,purpose,route,status"
    assert "Nilufar" not in lines.getvalue()


def test_S2_an_event_that_is_a_sentence_is_not_repeated(lines: io.StringIO) -> None:
    log("omonat.api").error(f"could not write to {SECRET}")
    assert json.loads(lines.getvalue())["event"] == "unnamed-event"


def test_S2_an_exception_is_its_class_and_its_way_never_its_words(lines: io.StringIO) -> None:
    def deep() -> None:
        raise ValueError(SECRET)

    try:
        deep()
    except ValueError:
        log("omonat.api").exception("request-failed")
    line = json.loads(lines.getvalue())
    assert line["error"] == "ValueError"
    assert "deep" in line["trail"]
    assert "Nilufar" not in lines.getvalue()


def test_S2_what_other_libraries_say_is_reduced_to_who_and_where(lines: io.StringIO) -> None:
    try:
        raise KeyError(SECRET)
    except KeyError:
        logging.getLogger("uvicorn.error").exception("Exception for %s", SECRET)
    line = json.loads(lines.getvalue())
    assert (line["event"], line["logger"], line["error"]) == ("library-message", "uvicorn.error", "KeyError")
    assert line["place"].startswith("test_logs:")
    assert "Nilufar" not in lines.getvalue()


@given(
    fields=st.dictionaries(
        st.sampled_from(sorted(ALLOWED)) | st.text(max_size=12),
        st.text(max_size=40) | st.integers() | st.binary(max_size=8) | st.lists(st.text(max_size=5), max_size=2),
    )
)
def test_S2_no_line_ever_holds_a_field_outside_the_list_or_a_long_number(fields: dict[str, object]) -> None:
    kept = only_allowed(None, "info", {**fields, "event": fields.get("event", "tested")})
    assert set(kept) <= ALLOWED
    for value in kept.values():
        assert isinstance(value, str | int)
        assert isinstance(value, str) or abs(value) < 1e9
