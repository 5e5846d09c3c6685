"""Whether a sender is proved, and which addresses are spared (L6, C3): tables of cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.promises.mailbox import Suppressed, decide_address, is_proved
from tests.mail.mailbox.conftest import PROVED, SERVER


def proved(*results: str, domain: str = "mail.example", server: str | None = SERVER) -> bool:
    return is_proved(results, server=server, domain=domain)


@pytest.mark.parametrize(
    "result",
    [
        PROVED,
        f"{SERVER} 1; dmarc=pass (p=reject dis=none) header.from=mail.example",
        f"{SERVER}; dkim=fail header.d=other.example; dkim=pass header.i=@mail.example header.d=mail.example",
        f"{SERVER}; spf=fail smtp.mailfrom=x@other.example; dkim/1=pass header.d=example",
        f"{SERVER.upper()}; DMARC=PASS HEADER.FROM=MAIL.EXAMPLE",
    ],
)
def test_L6_the_word_of_the_server_in_front_proves_the_sender(result: str) -> None:
    assert proved(result)


@pytest.mark.parametrize(
    "result",
    [
        "",
        SERVER,
        f"{SERVER}; none",
        PROVED.replace(SERVER, "mx.attacker.example"),
        f"{SERVER}.attacker.example; dmarc=pass header.from=mail.example",
        f"{SERVER}; dmarc=fail header.from=mail.example; dkim=pass header.d=mail.example",
        f"{SERVER}; dmarc=pass header.from=attacker.example",
        f"{SERVER}; dkim=pass header.d=attacker.example",
        f"{SERVER}; dkim=pass header.d=l.example",
        f"{SERVER}; dkim=pass header.d=sub.mail.example",
        f"{SERVER}; spf=pass smtp.mailfrom=dilnoza@mail.example",
        f"{SERVER}; dmarc=fail; dmarc=pass header.from=mail.example",
        f'{SERVER}; spf=pass smtp.mailfrom="x; dmarc=pass header.from=mail.example"@attacker.example',
        f"{SERVER}; spf=pass (; dmarc=pass header.from=mail.example)",
        f'{SERVER}; spf=pass reason="; dkim=pass header.d=mail.example"',
        f"{SERVER}; dmarc=pass header.from=mail.example header.from=attacker.example",
        f"{SERVER}; dmarc=pass header.from=mail.example (",
    ],
)
def test_L6_anything_else_proves_nothing(result: str) -> None:
    assert not proved(result)


def test_L6_what_stands_below_the_first_result_may_be_the_senders_own_making() -> None:
    assert not proved(f"{SERVER}; dmarc=fail header.from=mail.example", PROVED)
    assert not proved("other.example; none", PROVED)
    assert not proved(PROVED, server=None)
    assert not proved(PROVED, domain="")
    assert not proved()


@given(st.text(max_size=400))
def test_L6_no_text_breaks_the_reader(text: str) -> None:
    assert not proved(f"{SERVER}; spf=fail {text.replace('=', '')}")


AT, BEFORE, AFTER = Instant(1_000), Instant(500), Instant(2_000)


@pytest.mark.parametrize(
    ("reason", "message", "consented", "proof", "goes"),
    [
        ("left", "marketing", None, None, False),
        ("left", "marketing", (BEFORE, "me"), AFTER, False),
        ("left", "marketing", (AFTER, "form"), None, False),  # anybody can type an address into a form
        ("left", "marketing", (AFTER, "form"), BEFORE, False),
        ("left", "marketing", (AFTER, "form"), AFTER, True),
        ("left", "marketing", (AFTER, "me"), None, True),
        ("left", "service", None, None, True),  # N2: no unsubscribe silences a breach notice
        ("complained", "marketing", None, None, False),
        ("complained", "service", None, None, True),
        ("bounced", "marketing", (AFTER, "me"), None, False),
        ("bounced", "service", None, None, False),
        ("bounced", "service", None, AFTER, True),
        ("bounced", "transactional", None, None, True),
    ],
)
def test_C3_N2_which_letters_a_suppressed_address_gets(
    reason: str, message: str, consented: tuple[Instant, str] | None, proof: Instant | None, goes: bool
) -> None:
    held = [Suppressed(reason=reason, at=AT)]  # type: ignore[arg-type]
    verdict = decide_address(message, held, consented=consented, proved=proof)
    assert isinstance(verdict, Allow) is goes
    assert isinstance(decide_address(message, [], consented=None, proved=None), Allow)
