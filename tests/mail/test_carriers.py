"""The relay and the gateway on real sockets: what is taken, what is tried again, what nobody can tell."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from examples.catcher import Catcher
from omonat.base.errors import BadInput
from omonat.mail.carriers import Mail, Rejected, Sms, Taken, TryLater, Unknown
from omonat.mail.compose import compose
from omonat.mail.sms import Gateway, GatewayCarrier
from omonat.mail.smtp import Relay, SmtpCarrier

from .conftest import NOON, SENDER, House, ScriptedGateway
from .test_letters import letter_of

TO = "gulnora@mail.example"
MISCONFIGURED = TryLater("message-carrier-misconfigured")


def mail(to: str = TO) -> Mail:
    message = compose(
        letter_of("order-confirmation", "uz"), message_id="msg_x", sender=SENDER, to=TO, unsubscribe=None, now=NOON
    )
    return Mail(to, message)


@asynccontextmanager
async def relay(**options: object) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A real SMTP server with aiosmtpd's options; its port and the letters it took."""
    taken: list[bytes] = []

    class Handler:
        async def handle_DATA(self, _server: SMTP, _session: object, envelope: object) -> str:
            taken.append(envelope.content)  # type: ignore[attr-defined]
            return "250 taken"

    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Handler(), hostname="relay.example", **options), "127.0.0.1", 0
    )
    yield server.sockets[0].getsockname()[1], taken
    server.close()


@asynccontextmanager
async def speaking(script: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]):  # type: ignore[no-untyped-def]
    """A relay that says exactly what the script says; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


def answers(*lines: str):  # type: ignore[no-untyped-def]
    """A script: one answer per line heard, the first at once; after the last one the connection is cut."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, line in enumerate(lines):
            if number:
                heard = await reader.readline()
                if lines[number - 1].startswith("354"):
                    while heard not in {b".\r\n", b""}:
                        heard = await reader.readline()
            writer.write(f"{line}\r\n".encode())
            await writer.drain()
        if lines[-1].startswith("354"):
            await reader.readline()  # hears the letter begin, and goes

    return script


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key, made for this run."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relay.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


def serving(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


async def test_U3_a_letter_goes_round_over_real_smtp(house: House) -> None:
    assert await SmtpCarrier(Relay("127.0.0.1", house.smtp_port)).hand_over(mail()) == Taken()
    (caught,) = house.catcher.newest()
    assert caught.to == TO
    assert caught.subject == "BESHQOZON: 41877-buyurtma qabul qilindi"
    assert caught.text == letter_of("order-confirmation", "uz").text()
    assert caught.headers["Message-ID"] == "<msg_x@beshqozon.example>"


async def test_S2_starttls_is_taken_when_offered_and_only_with_a_certificate_we_trust(
    certificate: tuple[Path, Path],
) -> None:
    async with relay(tls_context=serving(certificate), require_starttls=True) as (port, taken):
        trusting = ssl.create_default_context(cafile=certificate[0])
        assert await SmtpCarrier(Relay("127.0.0.1", port, tls=trusting)).hand_over(mail()) == Taken()
        assert len(taken) == 1
        assert await SmtpCarrier(Relay("127.0.0.1", port)).hand_over(mail()) == MISCONFIGURED
        assert len(taken) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_S2_a_password_goes_over_an_encrypted_connection_only(certificate: tuple[Path, Path]) -> None:
    heard: list[bytes] = []

    def check(_server: object, _session: object, _envelope: object, _mechanism: str, data: object) -> AuthResult:
        heard.append(data.password)  # type: ignore[attr-defined]
        return AuthResult(success=data.password == b"right", handled=False)  # type: ignore[attr-defined]

    options = {"authenticator": check, "auth_required": True}
    async with relay(tls_context=serving(certificate), **options) as (port, taken):
        trusting = ssl.create_default_context(cafile=certificate[0])
        named = {"user": "omonat", "password": "right", "tls": trusting}
        assert await SmtpCarrier(Relay("127.0.0.1", port, **named)).hand_over(mail()) == Taken()
        wrong = {**named, "password": "wrong"}
        assert await SmtpCarrier(Relay("127.0.0.1", port, **wrong)).hand_over(mail()) == MISCONFIGURED
        assert len(taken) == 1
    heard.clear()
    async with relay(**options, auth_require_tls=False) as (port, taken):
        assert await SmtpCarrier(Relay("127.0.0.1", port, **named)).hand_over(mail()) == MISCONFIGURED
        assert heard == taken == []


async def test_S2_without_encryption_only_this_machine_is_spoken_to(house: House) -> None:
    # 127.0.0.1 under a name of its own: the address alone decides what counts as this machine.
    far = Relay("0x7f000001", house.smtp_port)
    assert not far.is_local
    assert await SmtpCarrier(far).hand_over(mail()) == MISCONFIGURED
    assert house.catcher.newest() == []


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (("421 busy",), TryLater()),
        (("220 hello", "250 yes", "451 later"), TryLater()),
        (("220 hello", "250 yes", "550 not you"), MISCONFIGURED),
        (("220 hello", "250 yes", "250 ok", "450 mailbox busy"), TryLater()),
        (("220 hello", "250 yes", "250 ok", "550 no such mailbox"), Rejected()),
        (("220 hello", "250 yes", "250 ok", "250 ok", "451 not now"), TryLater()),
        (("220 hello", "250 yes", "250 ok", "250 ok", "554 never"), Rejected()),
        (("220 hello", "250 yes", "250 ok", "250 ok", "354 go", "452 full"), TryLater()),
        (("220 hello", "250 yes", "250 ok", "250 ok", "354 go", "554 unwanted"), Rejected()),
        (("220 hello", "250 yes", "250 ok", "250 ok", "354 go", "250 taken"), Taken()),
        (("220 hello", "250 yes", "250 ok"), TryLater()),
        (("220 hello", "250 yes", "250 ok", "250 ok", "354 go"), Unknown()),
    ],
)
async def test_each_answer_of_a_relay_has_its_outcome(said: tuple[str, ...], outcome: object) -> None:
    async with speaking(answers(*said)) as port:
        assert await SmtpCarrier(Relay("127.0.0.1", port), step=2).hand_over(mail()) == outcome


async def test_a_relay_that_is_not_there_is_tried_later(unused_tcp_port: int) -> None:
    assert await SmtpCarrier(Relay("127.0.0.1", unused_tcp_port)).hand_over(mail()) == TryLater()


async def test_a_relay_that_drips_its_words_is_cut_in_time() -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"220-still here\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with speaking(drip) as port:
        began = time.monotonic()
        assert await SmtpCarrier(Relay("127.0.0.1", port), step=5, longest=0.3).hand_over(mail()) == TryLater()
        assert time.monotonic() - began < 3


async def test_an_address_beyond_ascii_goes_to_relays_that_take_it_and_is_never_mangled(house: House) -> None:
    wide = mail("гулнора@mail.example")
    assert await SmtpCarrier(Relay("127.0.0.1", house.smtp_port)).hand_over(wide) == Taken()
    assert house.catcher.newest()[0].to == "гулнора@mail.example"
    async with speaking(answers("220 hello", "250 yes", "221 bye")) as port:
        assert await SmtpCarrier(Relay("127.0.0.1", port), step=2).hand_over(wide) == Rejected()


# The gateway ---------------------------------------------------------------------------------------------------------

SMS = Sms("msg_y", "+998901234567", "kod 271828")


@asynccontextmanager
async def carrier(gateway: ScriptedGateway, token: str | None = None) -> AsyncIterator[GatewayCarrier]:
    made = GatewayCarrier(Gateway(gateway.url, token=token), step=0.3, longest=1.0)
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (200, Taken()),
        (202, Taken()),
        (204, Taken()),
        (302, MISCONFIGURED),
        (400, Rejected()),
        (401, MISCONFIGURED),
        (422, Rejected()),
        (429, TryLater()),
        (500, TryLater()),
        (503, TryLater()),
        (504, Unknown()),
        ("cut", Unknown()),
        ("hang", Unknown()),
    ],
)
async def test_each_answer_of_the_gateway_has_its_outcome(
    gateway: ScriptedGateway, said: int | str, outcome: object
) -> None:
    gateway.script = [said]
    async with carrier(gateway) as sms:
        assert await sms.hand_over(SMS) == outcome
    assert len(gateway.requests) == 1  # a redirect was not followed, nothing was tried twice


async def test_the_gateway_hears_number_text_and_nothing_else(gateway: ScriptedGateway) -> None:
    async with carrier(gateway, token="s3cret") as sms:
        await sms.hand_over(SMS)
    headers, body = gateway.requests[0]
    assert json.loads(body) == {"to": "+998901234567", "text": "kod 271828"}
    assert headers["authorization"] == "bearer s3cret"
    assert headers["idempotency-key"] == "msg_y"


async def test_a_gateway_that_is_not_there_is_tried_later(unused_tcp_port: int) -> None:
    sms = GatewayCarrier(Gateway(f"http://127.0.0.1:{unused_tcp_port}/send"), step=0.5)
    assert await sms.hand_over(SMS) == TryLater()
    await sms.close()


@pytest.mark.parametrize("number", ["", "901234567", "+0998", "+998 90 123 45 67", "+998901234567\n", "../admin"])
async def test_T1_only_a_whole_number_is_sent_to_the_gateway(gateway: ScriptedGateway, number: str) -> None:
    async with carrier(gateway) as sms:
        assert await sms.hand_over(Sms("msg_y", number, "x")) == Rejected("message-address-malformed")
    assert gateway.requests == []


@pytest.mark.parametrize("url", ["http://gateway.example/send", "ftp://127.0.0.1/", "gateway", "https://", "http:///x"])
def test_S2_a_gateway_elsewhere_is_reached_encrypted_or_not_at_all(url: str) -> None:
    with pytest.raises(BadInput):
        Gateway(url)


def test_no_address_and_no_secret_shows_in_a_repr() -> None:
    letter = EmailMessage()
    shown = repr([Mail(TO, letter), SMS, Relay("h", 25, password="p4ss"), Gateway("https://g.example", token="t0ken")])
    for secret in (TO, "+998901234567", "271828", "p4ss", "t0ken"):
        assert secret not in shown


async def test_the_catcher_forgets_the_oldest(house: House) -> None:
    catcher = Catcher(house.clock, most=3)
    for number in range(5):
        catcher.keep_sms("+998901234567", str(number))
    assert [caught.text for caught in catcher.newest()] == ["4", "3", "2"]
