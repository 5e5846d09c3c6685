"""What may go on sheets, and the way there and back at the command line (S2)."""
# ruff: noqa: F811 - a fixture that asks for another one is meant to have its name

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pyrage
import pytest

from omonat.base import paper
from omonat.base.errors import Refused
from omonat.flows import on_paper
from omonat.flows.locking import is_noise
from omonat.house import system_clock
from omonat.promises.security.leaving import Seal
from tests.flows.conftest import Clock, Shop, at_the_command_line, house, settings, shop  # noqa: F401 - fixtures
from tests.offline.conftest import Device, changed, count, device  # noqa: F401 - a fixture
from tests.paper.scanner import scanned, text_on


@pytest.fixture
def clock() -> Clock:
    """The house lives when the command line does."""
    return Clock(system_clock())


READER = pyrage.x25519.Identity.generate()
SECRET = ("Dilnoza Muhrxonova, +998 90 111 22 33\n" * 90).encode()


def sealed_to_reader(content: bytes = SECRET) -> bytes:
    return bytes(pyrage.encrypt(content, [READER.to_public()]))


def omonat(*words: object, language: str = "en") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "omonat", *map(str, words)]
    environment = {**os.environ, "OMONAT_LANGUAGE": language}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
def test_S2_what_is_sealed_goes_on_sheets_and_comes_back(tmp_path: Path, language: str) -> None:
    file, sheets, back = tmp_path / "one.age", tmp_path / "sheets.pdf", tmp_path / "back"
    file.write_bytes(sealed_to_reader())
    printed = omonat("paper", "print", file, "--out", sheets, language=language)
    assert printed.returncode == 0, printed.stderr
    assert sheets.stat().st_mode & 0o077 == 0
    seen = scanned(sheets.read_bytes())
    assert [len(codes) for codes in seen] == [len(paper.codes(file.read_bytes()))]
    read_by_eye = text_on(sheets.read_bytes())
    assert "Muhrxonova" not in read_by_eye
    assert paper.batch_of(file.read_bytes()) in read_by_eye
    (tmp_path / "codes.txt").write_text("\n".join(code for codes in seen for code in codes))
    joined = omonat("paper", "join", tmp_path / "codes.txt", "--out", back, language=language)
    assert joined.returncode == 0, joined.stderr
    (found,) = back.iterdir()
    assert found.suffix == ".age"
    assert pyrage.decrypt(found.read_bytes(), [READER]) == SECRET


def test_S2_sheets_of_more_than_one_file_are_scanned_together(tmp_path: Path) -> None:
    files = [tmp_path / "one.age", tmp_path / "other.age"]
    for size, file in enumerate(files, 1):
        file.write_bytes(sealed_to_reader(os.urandom(3_000 * size)))
    assert omonat("paper", "print", *files, "--out", tmp_path / "sheets.pdf").returncode == 0
    seen = scanned((tmp_path / "sheets.pdf").read_bytes())
    assert [len(codes) for codes in seen] == [5, 6, 2]
    first, rest = tmp_path / "first.txt", tmp_path / "rest.txt"
    first.write_text("\r\n".join(seen[2] + seen[0]))
    rest.write_text("\n".join(seen[1][:-1]))
    missing = omonat("paper", "join", first, rest, "--out", tmp_path / "back")
    assert missing.returncode == 3
    assert "these of 8 codes are missing:" in missing.stderr
    assert not (tmp_path / "back").exists()
    rest.write_text("\n".join(seen[1]))
    assert omonat("paper", "join", first, rest, "--out", tmp_path / "back").returncode == 0
    assert {file.read_bytes() for file in (tmp_path / "back").iterdir()} == {file.read_bytes() for file in files}


def _pretended() -> dict[str, tuple[bytes, str]]:
    """What somebody in a hurry, or somebody who cheats, would have printed."""
    whole = sealed_to_reader()
    head = whole[: whole.index(b"\n--- ") + 49]
    forms = {
        "format": "omonat-sealed-forms/1",
        "device": "omk_x",
        "forms": [
            {
                "id": "sfm_x", "key": 1, "service": "order", "form": "omf1.x.y", "made-at": "2026-12-01T09:00:00Z",
                "sealed": "RGlsbm96YSBNdWhyeG9ub3ZhLCArOTk4IDkwIDExMSAyMiAzMywgTXVocmxpayBrb8q7Y2hhc2ksIDc",
            }
        ],
    }  # fmt: skip
    return {
        "plain": (SECRET, "paper-unsealed"),
        "nothing": (b"", "paper-unsealed"),
        "a password": (bytes(pyrage.passphrase.encrypt(SECRET, "to‘rtta uzun so‘z")), "paper-password"),
        "plain behind a head of age": (head + SECRET, "paper-unsealed"),
        "plain with noise before it": (head + os.urandom(64) + SECRET, "paper-unsealed"),
        "a head alone": (head, "paper-unsealed"),
        "armoured": (b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n", "paper-unsealed"),
        "plain in a form": (json.dumps(forms).encode(), "paper-unsealed"),
    }


@pytest.mark.parametrize("what", sorted(_pretended()))
def test_S2_what_is_not_encrypted_to_its_recipient_never_goes_on_paper(what: str) -> None:
    content, code = _pretended()[what]
    with pytest.raises(Refused) as refused:
        on_paper.codes_of(content)
    assert refused.value.code == code


def test_S2_one_file_that_is_not_sealed_keeps_all_from_being_printed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(SECRET)
    (tmp_path / "sealed.age").write_bytes(sealed_to_reader())
    tried = omonat("paper", "print", tmp_path / "sealed.age", tmp_path / "file", "--out", tmp_path / "sheets.pdf")
    assert tried.returncode == 5
    assert "Muhrxonova" not in tried.stderr
    assert not (tmp_path / "sheets.pdf").exists()


def test_S2_ciphertext_is_never_taken_for_text() -> None:
    assert all(is_noise(os.urandom(size)) for size in range(48, 4_000, 3))


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_S2_a_key_of_ssh_is_a_recipient_as_well(kind: str, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", tmp_path / "key"], check=True)
    theirs = pyrage.ssh.Recipient.from_str((tmp_path / "key.pub").read_text().strip())
    assert on_paper.seal_of(bytes(pyrage.encrypt(b"short", [theirs]))) is Seal.RECIPIENT


def test_S2_no_file_is_written_over(tmp_path: Path) -> None:
    file, sheets = tmp_path / "one.age", tmp_path / "sheets.pdf"
    file.write_bytes(sealed_to_reader())
    sheets.write_text("mine")
    assert omonat("paper", "print", file, "--out", sheets).returncode == 2
    assert sheets.read_text() == "mine"
    (tmp_path / "codes.txt").write_text("\n".join(paper.codes(file.read_bytes())))
    assert omonat("paper", "join", tmp_path / "codes.txt", "--out", tmp_path).returncode == 2
    assert sorted(each.name for each in tmp_path.iterdir()) == ["codes.txt", "one.age", "sheets.pdf"]


async def test_S2_forms_come_by_paper_as_by_a_stick_and_each_once(shop: Shop, device: Device, tmp_path: Path) -> None:
    forms = [await device.seal() for _ in range(3)]
    raw = msgspec.json.encode(device.batch(*forms))
    assert on_paper.seal_of(raw) is Seal.VAULT
    lines = list(on_paper.codes_of(raw))
    sheets, half = tmp_path / "sheets.txt", tmp_path / "half.txt"
    sheets.write_text("\n".join(reversed(lines)))
    half.write_text("\n".join(lines[1:]))
    missing = await at_the_command_line(shop, "offline", "import", str(half))
    assert missing.returncode == 3
    assert await count(shop, "records") == 0
    taken = await at_the_command_line(shop, "offline", "import", str(sheets))
    assert taken.returncode == 0, taken.stderr
    assert [line.split("\t")[:2] for line in taken.stdout.splitlines()] == [[form.id, "taken"] for form in forms]
    again = await at_the_command_line(shop, "offline", "import", str(sheets))
    assert [line.split("\t")[1] for line in again.stdout.splitlines()] == ["repeated"] * 3
    assert await count(shop, "records") == 3


async def test_S1_a_form_exchanged_on_its_sheet_is_refused(shop: Shop, device: Device, tmp_path: Path) -> None:
    """Whoever makes a batch of their own gives it a name that fits; the device's signature doesn't."""
    one, other = await device.seal(), await device.seal()
    forged = msgspec.json.encode(device.batch(changed(one, sealed=other.sealed)))
    (tmp_path / "codes.txt").write_text("\n".join(paper.codes(forged)))
    tried = await at_the_command_line(shop, "offline", "import", str(tmp_path / "codes.txt"))
    assert tried.returncode == 5
    assert "form-signature-wrong" in tried.stdout
    assert await count(shop, "records") == 0
