"""Shares of the root key: enough rebuild it, fewer say nothing, and a wrong one is told from every other (S6)."""

import hmac
import itertools
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.base.ids import new_id
from omonat.vault import bech32m
from omonat.vault.root import RootKey
from omonat.vault.shares import Gathering, Share, ShareSet, combine, keep_set, kept_set, make_set, split, times

INSTALLATION = "ins_b5qkyi2tf3d7w4v5o6p7q3r2sa"

# BIP-350, "Test vectors for Bech32m".
GOOD = (
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
)
NOT_WHOLE_BYTES = ("11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",)
BAD = ("y1b0jsk6g", "lt1igcx5c0", "in1muywd", "mm1crxm3i", "au1s5cgom", "m1vuxwez", "16plkw9", "1p2gdwpf")

# SLIP-39's published mnemonics "humidity disease …" (2 of 2 given) and "wildlife deal ceramic …" (3 of 3 given), 256
# bits, as the bytes their words stand for. SLIP-39 uses the same field; it puts the secret at 255 and at 254 four bytes
# of an HMAC over it, before the HMAC's key, so each vector proves itself.
SLIP39 = (
    {
        2: "81e5473f4b7f66094f888d2f98fe0ded6a692dc72c65dc498d6e28bee6ebdfcc",
        1: "19e366e9b2e34851e52132c31c2b2c957321bf5ce6c9c1410ea1ddf5fef92c27",
    },
    {
        0: "82a363ed145a49a4e37311253c105846c0afb13b74e5ddda9cc25d7aae49bc89",
        1: "d127f1f9bc12e3856fb3983104783b71480d249d80101568def4a41100177dfb",
        4: "4bde8a604105f3a6c32f2f547131aafea756725a28e80a14d59d8f05c4adcca5",
    },
)


def slowly(a: int, b: int) -> int:
    """Multiplication in the field as FIPS 197 writes it, bit by bit."""
    product = 0
    for i in range(8):
        if b >> i & 1:
            product ^= a << i
    for i in range(14, 7, -1):
        if product >> i & 1:
            product ^= 0x11B << i - 8
    return product


def a_set(
    root: RootKey, threshold: int = 3, count: int = 5, after: ShareSet | None = None
) -> tuple[ShareSet, list[str]]:
    made, shares = make_set(root, INSTALLATION, threshold, count, after=after)
    return made, [share.print_out(INSTALLATION, count) for share in shares]


def refusal(held: Gathering, text: str) -> str:
    before = held.numbers
    with pytest.raises(OmonatError) as caught:
        held.add(text)
    assert held.numbers == before, "what is refused is not taken"
    return caught.value.code


def test_S6_the_field_is_the_published_one() -> None:
    assert times(0x57, 0x83) == 0xC1, "FIPS 197, 4.2"
    assert times(0x57, 0x13) == 0xFE, "FIPS 197, 4.2.1"
    assert all(times(a, b) == slowly(a, b) for a in range(256) for b in range(256))
    for values in SLIP39:
        known = {number: bytes.fromhex(value) for number, value in values.items()}
        secret, proof = combine(known, 255), combine(known, 254)
        assert hmac.digest(proof[4:], secret, "sha256")[:4] == proof[:4]


@given(st.binary(min_size=32, max_size=32), st.integers(2, 16), st.integers(0, 14), st.randoms(use_true_random=False))
def test_S6_any_threshold_of_shares_gives_the_secret_back(
    secret: bytes, threshold: int, more: int, rng: random.Random
) -> None:
    count = min(16, threshold + more)
    values = split(secret, threshold, count)
    chosen = rng.sample(sorted(values), threshold)
    assert combine({number: values[number] for number in chosen}) == secret
    assert combine(values) == secret


def test_S6_fewer_shares_fit_every_secret_equally() -> None:
    """Whatever the two known shares of three, any secret at all has a third share that would prove it."""
    known = {number: value for number, value in split(bytes(32), 3, 5).items() if number < 3}
    for guess in (bytes(32), os.urandom(32), b"\xff" * 32):
        third = combine({0: guess, **known}, at=3)
        assert combine({**known, 3: third}) == guess


@pytest.mark.parametrize(("threshold", "count"), [(1, 5), (0, 0), (6, 5), (3, 17), (-1, 3)])
def test_S6_sets_that_protect_nothing_are_not_made(root: RootKey, threshold: int, count: int) -> None:
    with pytest.raises(BadInput) as caught:
        a_set(root, threshold, count)
    assert caught.value.code == "shares-impossible"


def test_S6_bech32m_is_the_published_one() -> None:
    for text in GOOD:
        name = text.rpartition("1")[0]
        assert bech32m.encode(name, bech32m.decode(name, text)) == text
    for text in NOT_WHOLE_BYTES:
        with pytest.raises(ValueError, match="bits left over"):
            bech32m.decode(text.rpartition("1")[0], text)
    for text in BAD:
        with pytest.raises(ValueError, match=r"not of this form|mistyped"):
            bech32m.decode(text.rpartition("1")[0], text)
    with pytest.raises(ValueError, match="longer"):
        bech32m.encode("omonat", bytes(60))


def test_S6_a_share_is_read_however_it_is_typed(root: RootKey) -> None:
    _, (printed, *_) = a_set(root)
    share = Share.parse(printed)
    assert printed.startswith("# Omonat: share 1 of 5 of the root key; any 3 together open it\n")
    assert max(map(len, printed.splitlines())) <= 80
    plain = share.text()
    for typed in (plain, plain.upper(), "  ".join(plain), printed.replace(" ", "-"), printed + "\n"):
        assert Share.parse(typed) == share
    assert share.value.hex() not in repr(share)
    assert str(share.value) not in repr(share)


def test_S6_every_mistake_of_one_or_two_letters_is_found(root: RootKey) -> None:
    text = Share.parse(a_set(root)[1][0]).text()
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    for at in range(7, len(text)):
        for letter in letters.replace(text[at], ""):
            with pytest.raises(BadInput):
                Share.parse(text[:at] + letter + text[at + 1 :])
    rng = random.Random(6)
    for _ in range(500):
        wrong = list(text)
        for at in rng.sample(range(7, len(text)), 4):
            wrong[at] = rng.choice(letters.replace(wrong[at], ""))
        with pytest.raises(BadInput) as caught:
            Share.parse("".join(wrong))
        assert caught.value.code == "share-malformed"
    for swapped in range(7, len(text) - 1):
        other = text[:swapped] + text[swapped + 1] + text[swapped] + text[swapped + 2 :]
        if other != text:
            with pytest.raises(BadInput):
                Share.parse(other)


@pytest.mark.parametrize(
    "data", [b"", bytes(43), b"\x02" + bytes(42), b"\x01" + bytes(8) + b"\x01\x01" + bytes(32), b"\x01" + bytes(41)]
)
def test_S6_other_bytes_in_the_same_letters_are_no_share(data: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        Share.parse(bech32m.encode("omonat", data))
    assert caught.value.code == "share-malformed"


def test_S6_every_three_of_five_holders_rebuild_the_root_and_no_two_do(root: RootKey) -> None:
    made, papers = a_set(root)
    for three in itertools.permutations(papers, 3):
        held = Gathering(INSTALLATION, root.mark, made)
        for n, paper in enumerate(three):
            assert held.needed == 3 - n
            with pytest.raises(Refused) as caught:
                held.root()
            assert caught.value.code == "shares-too-few"
            held.add(paper)
        assert held.root().mark == root.mark


def test_S6_a_wrong_share_is_told_apart_and_the_others_go_on(root: RootKey) -> None:
    made, papers = a_set(root)
    newer, fresh = a_set(root, after=made)
    held = Gathering(INSTALLATION, root.mark, newer)
    share = Share.parse(fresh[1])
    forged = Share(share.place, share.set_id, share.threshold, share.number, os.urandom(32))
    renumbered = Share(share.place, share.set_id, share.threshold, 4, share.value)
    easier = Share(share.place, share.set_id, 2, share.number, share.value)
    beyond = Share(share.place, share.set_id, share.threshold, 9, share.value)
    stranger = Share.parse(make_set(root, new_id("ins"), 3, 5, after=None)[1][0].text())
    held.add(fresh[0])
    assert refusal(held, fresh[0]) == "share-repeated"
    assert refusal(held, fresh[1].replace("omonat1", "omonat")) == "share-malformed"
    assert refusal(held, papers[1]) == "share-old"
    assert refusal(held, stranger.text()) == "share-foreign"
    for false in (forged, renumbered, easier, beyond):
        assert refusal(held, false.text()) == "share-false"
    held.add(fresh[4])
    held.add(fresh[2])
    assert held.root().mark == root.mark


def test_S6_shares_open_even_where_their_list_is_lost(root: RootKey) -> None:
    made, papers = a_set(root)
    _, others = a_set(root, after=made)
    held = Gathering(INSTALLATION, root.mark, None)
    assert (held.threshold, held.needed) == (None, None)
    held.add(papers[3])
    assert (held.threshold, held.needed) == (3, 2)
    assert refusal(held, others[1]) == "share-old"
    held.add(papers[0])
    forged = Share.parse(papers[1])
    held.add(Share(forged.place, forged.set_id, 3, 2, os.urandom(32)).text())
    with pytest.raises(Refused) as caught:
        held.root()
    assert caught.value.code == "shares-wrong", "without the list, only all of them together can be judged"


def test_S6_shares_of_a_root_that_was_replaced_are_old(root: RootKey) -> None:
    made, papers = a_set(root)
    now = RootKey(os.urandom(32))
    assert refusal(Gathering(INSTALLATION, now.mark, made), papers[0]) == "share-old"


def test_S6_the_list_of_a_set_holds_no_share(root: RootKey, home: Path) -> None:
    (home / "keys").mkdir(mode=0o700, parents=True)
    assert kept_set(home) is None
    made, papers = a_set(root)
    keep_set(home, made)
    assert kept_set(home) == made
    file = home / "keys" / "shares"
    assert file.stat().st_mode & 0o777 == 0o600
    for paper in papers:
        share = Share.parse(paper)
        assert share.value not in file.read_bytes()
        assert share.value.hex() not in file.read_text()
    file.write_text(file.read_text().replace("{", "[", 1))
    with pytest.raises(OmonatError) as caught:
        kept_set(home)
    assert caught.value.code == "keys-changed"
