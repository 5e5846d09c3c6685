"""What we send is signed (RFC 6376, RFC 8463): compared with what the RFC prints, and read by an independent
checker."""

import os
import re
import subprocess
import sys
from base64 import b64decode
from collections import Counter
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)

from omonat.base.errors import BadInput
from omonat.jobs import _mail
from omonat.mail.carriers import Mail, Taken
from omonat.mail.compose import Unsubscribe, compose
from omonat.mail.dkim import SigningKey, canonical, fields_of, relaxed_body, signed, signing_keys
from omonat.mail.letter import write_letter
from tests.mail.conftest import LINKS, NOON, SENDER
from tests.mail.mailbox.conftest import MAIL, Post
from tests.mail.whole.test_whole_way import write

# RFC 8463, appendix A
SEED = b64decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
RSA = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACD"
    "fzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
)
HEAD = (
    "From: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>"
)
BODY = b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
ABOUT = (
    " v=1; a={algorithm}-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s={selector}; t=1528637909; h=from : to :\r\n subject : date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b="
)
OF_ED25519 = "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
OF_RSA = (
    "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2JzdA+L10"
    "TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8="
)


def test_S2_the_signature_is_the_one_that_the_rfc_prints() -> None:
    fields = fields_of(HEAD.encode())
    assert sha256(relaxed_body(BODY)).digest() == b64decode("2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=")
    key = SigningKey("brisbane", Ed25519PrivateKey.from_private_bytes(SEED))
    assert key.record() == "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    about = ABOUT.format(algorithm="ed25519", selector="brisbane")
    assert key.sign(canonical(fields, about)) == b64decode(OF_ED25519)
    public = load_der_public_key(b64decode(RSA))
    assert isinstance(public, RSAPublicKey)
    about = ABOUT.format(algorithm="rsa", selector="test")
    public.verify(b64decode(OF_RSA), canonical(fields, about), padding.PKCS1v15(), SHA256())


def test_S2_bodies_are_the_same_whatever_their_blanks() -> None:
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"  # RFC 6376, section 3.4.5
    assert relaxed_body(b"") == b""
    assert relaxed_body(b"\r\n\r\n") == b""
    assert relaxed_body(b"x") == b"x\r\n"


def verify(letter: bytes, keys: dict[str, str]) -> list[str]:
    """Which selectors' signatures hold, by nothing but the letter and the published records; written for this test."""
    head, _, body = letter.partition(b"\r\n\r\n")
    fields = re.findall(rb"([^\r\n:]+):((?:[^\r\n]|\r\n[ \t])*)", head)
    body = re.sub(rb"[ \t]+", b" ", body)
    body = re.sub(rb" \r\n", b"\r\n", body)
    body = re.sub(rb"(\r\n)*\Z", b"", body) + b"\r\n"
    held = []
    for name, value in fields:
        if name != b"DKIM-Signature":
            continue
        tags = dict(re.findall(r"(\w+)=([^;]*)", re.sub(r"\s", "", value.decode())))
        assert b64decode(tags["bh"]) == sha256(body).digest()
        left = [one for one in fields if one[0] != b"DKIM-Signature"]
        data = b""
        for wanted in tags["h"].encode().split(b":"):
            for one in [one for one in left if one[0].lower() == wanted][-1:]:
                left.remove(one)
                data += wanted + b":" + re.sub(rb"[ \t]+", b" ", one[1].replace(b"\r\n", b"")).strip() + b"\r\n"
        bare = re.sub(rb"b=[^;]*\Z", b"b=", value)
        data += b"dkim-signature:" + re.sub(rb"[ \t]+", b" ", bare.replace(b"\r\n", b"")).strip()
        record = dict(re.findall(r"(\w+)=([^;]*)", keys[tags["s"]].replace(" ", "")))
        try:
            if record["k"] == "rsa":
                public = load_der_public_key(b64decode(record["p"]))
                assert isinstance(public, RSAPublicKey)
                public.verify(b64decode(tags["b"]), data, padding.PKCS1v15(), SHA256())
            else:
                curve = Ed25519PublicKey.from_public_bytes(b64decode(record["p"]))
                curve.verify(b64decode(tags["b"]), sha256(data).digest())
        except InvalidSignature:
            continue
        held.append(tags["s"])
    return held


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, ...]:
    """Two keys in their files, as a setting names them."""
    made = {"rsa1": generate_private_key(public_exponent=65537, key_size=2048), "ed1": Ed25519PrivateKey.generate()}
    for name, key in made.items():
        (tmp_path / name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return tuple(f"{name}={tmp_path / name}" for name in made)


async def test_S2_what_arrives_is_signed_and_nothing_a_reader_sees_can_be_changed(
    post: Post, keys: tuple[str, ...]
) -> None:
    arrived: list[bytes] = []
    keep = post.catcher.keep_letter
    post.catcher.keep_letter = lambda to, raw: (arrived.append(raw), keep(to, raw))[1]  # type: ignore[method-assign]
    settings = msgspec.structs.replace(post.shop.house.settings, dkim_keys=keys, smtp_security="none")
    carrier = _mail(settings, post.shop.clock)
    assert carrier is not None
    letter = write_letter("newsletter-welcome", "ru", {}, sender=SENDER, links=LINKS, name="Дилноза Каримова")
    ways = Unsubscribe("https://beshqozon.example/unsubscribe/x", SENDER.mailbox)
    message = compose(letter, message_id="msg_x", sender=SENDER, to=MAIL, unsubscribe=ways, now=NOON)
    assert await carrier.hand_over(Mail(MAIL, message)) == Taken()
    records = {key.selector: key.record() for key in signing_keys(keys)}
    (raw,) = arrived
    assert verify(raw, records) == ["rsa1", "ed1"]
    assert raw.isascii()  # no server on the way has to set it anew
    for old, new in (
        (b"Subject: ", b"Subject: !"), (b"From: ", b"From: x@evil.example\r\nFrom: "), (b"To: ", b"To: x"),
        (b"List-Unsubscribe-Post: ", b"List-Unsubscribe-Post: x"), (b"/unsubscribe/x", b"/unsubscribe/y"),
        (b"Date: ", b"Date: Mon, "),
    ):  # fmt: skip
        changed = raw.replace(old, new, 1)
        assert changed != raw
        assert verify(changed, records) == [], old
    added = raw.replace(b"\r\n\r\n", b"\r\nFrom: x@evil.example\r\n\r\n", 1)
    assert verify(added, records) == []


async def test_S2_without_a_key_letters_go_unsigned(post: Post) -> None:
    await write(post.shop.house, await post.member())
    arrived: list[bytes] = []
    keep = post.catcher.keep_letter
    post.catcher.keep_letter = lambda to, raw: (arrived.append(raw), keep(to, raw))[1]  # type: ignore[method-assign]
    assert await post.drain.once() == Counter(sent=1)
    assert b"DKIM-Signature" not in arrived[0]
    assert signed(b"From: a@b.example\r\n\r\nx\r\n", (), now=NOON) == b"From: a@b.example\r\n\r\nx\r\n"


def test_S2_a_key_that_cannot_sign_is_refused_at_the_start(tmp_path: Path, keys: tuple[str, ...]) -> None:
    weak = tmp_path / "weak"
    weak.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    good = keys[0].partition("=")[2]
    for one in (f"s={weak}", f"s={tmp_path / 'nowhere'}", f"s;x={good}", f"-s={good}", f"s s={good}"):
        with pytest.raises(BadInput) as said:
            signing_keys([one])
        assert said.value.code == "dkim-key-unusable"


def test_S2_the_command_line_makes_a_key_and_prints_its_record(tmp_path: Path) -> None:
    def omonat(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "OMONAT_HOME": str(tmp_path / "home"), **more}
        command = [sys.executable, "-m", "omonat", "mail", "dkim", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    none = omonat()
    assert none.returncode == 0
    assert none.stdout == ""
    assert "unsigned" in none.stderr
    file = tmp_path / "dkim.pem"
    sender = {"OMONAT_SMTP_FROM": "webmaster@beshqozon.uz"}
    made = omonat("--new", str(file), **sender)
    assert file.stat().st_mode & 0o777 == 0o600
    pieces = re.fullmatch(r'omonat\._domainkey\.beshqozon\.uz\. IN TXT ((?:"[^"]{1,255}" ?)+)\n', made.stdout)
    assert pieces is not None
    again = omonat(OMONAT_DKIM_KEYS=f"omonat={file}", **sender)
    assert again.stdout == made.stdout
    assert omonat("--new", str(file)).returncode == 2  # never over another key
    assert "k=ed25519" in omonat("--new", str(tmp_path / "two.pem"), "--ed25519").stdout
