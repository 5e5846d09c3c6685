"""The root key, and the ground the keys stand on (S2, S5, S6)."""

import os
import pickle
import re
import tomllib
from pathlib import Path

import pytest

from omonat.base.codes import registry
from omonat.base.errors import BadInput, Fault, OmonatError, Refused, Unavailable
from omonat.vault import storage
from omonat.vault.root import RootKey

WORDS = "tandir non qozon osh choy"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


def test_S2_what_the_root_seals_opens_for_its_context_only(root: RootKey) -> None:
    sealed = root.seal(b"ring", b"contents")
    assert root.open(b"ring", sealed) == b"contents"
    for wrong in (lambda: root.open(b"rings", sealed), lambda: RootKey(os.urandom(32)).open(b"ring", sealed)):
        with pytest.raises(Refused) as caught:
            wrong()
        assert caught.value.code == "root-wrong"
    with pytest.raises(Fault):
        root.open(b"ring", sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_S6_a_root_shows_nothing_of_itself(root: RootKey) -> None:
    assert repr(root) == str(root) == "RootKey(…)"
    with pytest.raises(TypeError):
        pickle.dumps(root)
    for wrong in (b"", bytes(31), bytes(33)):
        with pytest.raises(BadInput):
            RootKey(wrong)


def test_S6_a_passphrase_gives_the_same_root_again(folder: Path) -> None:
    beside = folder / "root.json"
    first = RootKey.from_passphrase(WORDS, beside, n=2**10)
    assert beside.stat().st_mode & 0o777 == 0o600
    assert RootKey.from_passphrase(WORDS, beside).mark == first.mark
    assert RootKey.from_passphrase(WORDS + "!", beside).mark != first.mark
    assert RootKey.from_passphrase(WORDS, folder / "other.json", n=2**10).mark != first.mark, "salts differ"
    with pytest.raises(BadInput) as caught:
        RootKey.from_passphrase("short", folder / "third.json")
    assert caught.value.code == "passphrase-short"


@pytest.mark.parametrize(
    "change",
    [('"n": 1024', '"n": 1000'), ('"n": 1024', '"n": 1073741824'), ('"r": 8', '"r": 0'), ("scrypt", "md5"), ("{", "[")],
)
def test_S6_changed_parameters_are_refused(folder: Path, change: tuple[str, str]) -> None:
    beside = folder / "root.json"
    RootKey.from_passphrase(WORDS, beside, n=2**10)
    text = beside.read_text()
    assert change[0] in text
    beside.write_text(text.replace(*change))
    with pytest.raises(Fault) as caught:
        RootKey.from_passphrase(WORDS, beside)
    assert caught.value.code == "keys-changed"


def test_S6_a_root_file_is_read_only_when_closed_to_others(folder: Path) -> None:
    path = folder / "root"
    made = RootKey.make_file(path)
    assert RootKey.from_file(path).mark == made.mark
    with pytest.raises(FileExistsError):
        RootKey.make_file(path)
    (folder / "link").symlink_to(path)
    with pytest.raises(Unavailable):
        RootKey.from_file(folder / "link")
    path.chmod(0o604)
    with pytest.raises(Refused) as caught:
        RootKey.from_file(path)
    assert caught.value.code == "key-file-open"
    assert "0604" in str(caught.value)
    with pytest.raises(Unavailable):
        RootKey.from_file(folder / "nowhere")
    path.chmod(0o600)
    path.write_bytes(bytes(33))
    with pytest.raises(BadInput):
        RootKey.from_file(path)


def test_S6_a_root_comes_from_the_service_manager(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = os.urandom(32)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(Unavailable):
        RootKey.from_credential()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    with pytest.raises(Unavailable) as caught:
        RootKey.from_credential()
    assert caught.value.code == "root-missing"
    (folder / "omonat-root").write_bytes(secret)
    assert RootKey.from_credential().mark == RootKey(secret).mark


@pytest.mark.parametrize(
    ("magic", "refused", "warned"),
    [
        (0x9123683E, "btrfs", "btrfs"),
        (0x2FC12FC1, "zfs", "zfs"),
        (0xCA451A4E, "bcachefs", "bcachefs"),
        (0x6969, "nfs", "nfs"),
        (0x794C7630, None, "overlayfs"),
        (None, None, "unknown"),
        (0xEF53, None, None),
    ],
)
def test_R3_keys_lie_only_where_they_can_be_destroyed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, magic: int | None, refused: str | None, warned: str | None
) -> None:
    monkeypatch.setattr(storage, "filesystem_magic", lambda path: magic)
    expected = (warned,) if warned else ()
    if refused:
        with pytest.raises(Refused) as caught:
            storage.check_storage(folder)
        assert caught.value.code == "key-storage-copies"
        assert refused in str(caught.value)
        assert storage.check_storage(folder, copying_ok=True) == expected
    else:
        assert storage.check_storage(folder) == expected


def test_R3_the_filesystem_is_told_by_the_kernel(folder: Path) -> None:
    assert storage.filesystem_magic(Path("/proc")) == 0x9FA0
    assert storage.filesystem_magic(folder / "nowhere") is None


def test_S6_a_file_is_put_in_place_whole_or_not_at_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.write_new(folder / "ring", b"old", replace=False)

    def failing(descriptor: int) -> None:
        raise OSError(5, "input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(storage.os, "fsync", failing)
        with pytest.raises(OmonatError):
            storage.write_new(folder / "ring", b"new", replace=True)
    assert [file.name for file in folder.iterdir()] == ["ring"]
    assert (folder / "ring").read_bytes() == b"old"


def test_N1_every_code_the_vault_raises_has_its_words_and_no_other_is_kept() -> None:
    house = Path(storage.__file__).parent
    raised = {
        code
        for file in house.glob("*.py")
        for code in re.findall(r'(?:Fault|Refused|BadInput|Unavailable)\(\s*"([a-z-]+)"', file.read_text("utf-8"))
    }
    told = tomllib.loads((house.parent / "base" / "codes" / "vault.toml").read_text("utf-8"))
    assert raised == set(told) <= set(registry())
