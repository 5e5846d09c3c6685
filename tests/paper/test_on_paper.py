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
from omonat.base.errors import BadInput, Refused
from omonat.base.ids import new_id
from omonat.flows import on_paper
from omonat.flows.locking import is_noise
from omonat.flows.sealed_forms import read_batch
from omonat.house import system_clock
from omonat.promises.security.leaving import Seal
from omonat.vault.encoding import text_of
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


def _forms(**parts: str) -> bytes:
    """A batch as a device saves it, sealed to somebody, with parts of its form replaced."""
    form = {
        "id": new_id("sfm"), "key": 1, "service": "order", "form": f"omf1.{'eA' * 20}.{'bB' * 20}",
        "made-at": "2026-12-01T09:00:00.000Z", "sealed": text_of(os.urandom(560)), "signature": text_of(os.urandom(64)),
    }  # fmt: skip
    device = parts.pop("device", new_id("omk"))
    batch = {"format": "omonat-sealed-forms/1", "device": device, "forms": [{**form, **parts}]}
    return json.dumps(batch, ensure_ascii=False).encode()


def _pretended() -> dict[str, tuple[bytes, str]]:
    """What somebody in a hurry, or somebody who cheats, would have printed."""
    whole = sealed_to_reader()
    head = whole[: whole.index(b"\n--- ") + 49]
    name = "Dilnoza Muhrxonova, +998901112233"
    told = head.replace(b"\n--- ", f"\n-> plain {name}\n\n--- ".encode())
    forms = _forms()
    plain = {
        "plain": SECRET, "nothing": b"", "plain behind a head of age": head + SECRET, "a head alone": head,
        "long and plain with noise before it": head + os.urandom(64) + SECRET,
        "plain in the head": told + whole[len(head) :], "armoured": b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n",
        "plain instead of a sealed form": _forms(sealed=text_of(SECRET)),
    }  # fmt: skip
    plain |= {f"plain as a form's {part}": _forms(**{part: name}) for part in
              ("id", "service", "form", "made-at", "signature", "device")}  # fmt: skip
    assert on_paper.seal_of(forms) is Seal.VAULT
    password = bytes(pyrage.passphrase.encrypt(SECRET, "to‘rtta uzun so‘z"))
    return {what: (content, "paper-unsealed") for what, content in plain.items()} | {
        "a password": (password, "paper-password")
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


def test_S2_of_a_batch_only_what_its_format_knows_is_printed() -> None:
    """A list that stands twice counts once, as every reader of it has it, and what stood in the first goes nowhere."""
    sealed, plain = _forms(), _forms(sealed=text_of(SECRET))
    list_of = lambda batch: batch[batch.index(b'"forms":') : -1]  # noqa: E731
    hidden = sealed.replace(b'"forms":', list_of(plain) + b', "forms":', 1)
    assert text_of(SECRET).encode() in hidden
    printed = on_paper.codes_of(hidden)
    (file,) = paper.joined({"codes": "\n".join(printed).encode()}).values()
    assert file == msgspec.json.encode(read_batch(sealed))


def test_S2_a_head_that_never_ends_is_refused_at_once() -> None:
    for line in (b"-> a ", b"-> X25519 " + b"A" * 43 + b"\n\n", b"-> " + b"!" * 16 + b"-grease\n\n"):
        head = b"age-encryption.org/v1\n" + line * (900_000 // len(line))
        with pytest.raises(Refused):
            on_paper.codes_of(head)
    with pytest.raises(BadInput, match="more than 200 sheets"):
        on_paper.codes_of(bytes(1_000_000))


def test_S2_whatever_the_tools_of_age_write_for_a_key_may_go_on_paper() -> None:
    """They put a line of noise of their own into each head."""
    assert {on_paper.seal_of(sealed_to_reader(b"short")) for _ in range(300)} == {Seal.RECIPIENT}


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
    (tmp_path / "full").touch()
    under = omonat("paper", "join", tmp_path / "codes.txt", "--out", tmp_path / "full" / "back")
    assert (under.returncode, "can't be written" in under.stderr) == (2, True)
    (tmp_path / "codes.txt").write_bytes(b"\n" * 8_000_001)
    assert "more than 8 MB" in omonat("paper", "join", tmp_path / "codes.txt", "--out", tmp_path / "back").stderr
    nowhere = omonat("paper", "print", file, "--out", tmp_path / "nowhere" / "sheets.pdf")
    assert (nowhere.returncode, "can't be written" in nowhere.stderr) == (2, True)


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


async def test_S2_a_foreign_sheet_in_the_heap_hides_nothing_of_the_others(
    shop: Shop, device: Device, tmp_path: Path
) -> None:
    ours, foreign = msgspec.json.encode(device.batch(await device.seal())), _forms()
    heap = tmp_path / "heap.txt"
    heap.write_text("\n".join([*paper.codes(foreign), *paper.codes(ours)]))
    taken = await at_the_command_line(shop, "offline", "import", str(heap))
    assert taken.returncode == 5
    assert [line.split("\t")[1] for line in taken.stdout.splitlines()] == ["taken"]
    assert "may hand in sealed forms" in taken.stderr
    assert await count(shop, "records") == 1


async def test_S1_a_scan_on_the_wrong_keyboard_is_told_as_one(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "codes.txt").write_text("ЩЬЩТФЕ/1/78102А96А5С9И880202744556СА5099В/0001/0001/Т5ЦЦ63ЕИЩЙ\n")
    tried = await at_the_command_line(shop, "offline", "import", str(tmp_path / "codes.txt"))
    assert (tried.returncode, "English keyboard" in tried.stderr) == (2, True)


async def test_S1_a_form_exchanged_on_its_sheet_is_refused(shop: Shop, device: Device, tmp_path: Path) -> None:
    """Whoever makes a batch of their own gives it a name that fits; the device's signature doesn't."""
    one, other = await device.seal(), await device.seal()
    forged = msgspec.json.encode(device.batch(changed(one, sealed=other.sealed)))
    (tmp_path / "codes.txt").write_text("\n".join(paper.codes(forged)))
    tried = await at_the_command_line(shop, "offline", "import", str(tmp_path / "codes.txt"))
    assert tried.returncode == 5
    assert "form-signature-wrong" in tried.stdout
    assert await count(shop, "records") == 0
