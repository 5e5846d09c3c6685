"""The same proof, the same star; another proof, another star."""

import re
from hashlib import sha256
from xml.etree import ElementTree as Xml

from hypothesis import given
from hypothesis import strategies as st

from omonat.pages.girih import STARS, brand_sign, girih
from omonat.pages.words import KIT

DIGESTS = [sha256(bytes([seed, 7])).digest() for seed in range(200)]


@given(st.binary(min_size=32, max_size=32))
def test_T2_the_same_digest_is_the_same_star(digest: bytes) -> None:
    assert girih(digest, 44, "Star") == girih(bytes(digest), 44, "Star")


def test_T2_different_digests_are_different_stars() -> None:
    assert len({girih(digest, 44) for digest in DIGESTS}) == len(DIGESTS)


def test_every_kind_of_star_and_glaze_occurs() -> None:
    drawings = "".join(girih(digest, 44) for digest in DIGESTS)
    assert all(f'class="g{glaze}' in drawings for glaze in range(5))
    shapes = {tuple(re.findall(r"z", girih(digest, 44))).__len__() for digest in DIGESTS}
    assert len(shapes) >= len(STARS)


@given(st.binary(max_size=64), st.integers(min_value=8, max_value=2000))
def test_a_star_is_small_well_formed_and_within_its_frame(digest: bytes, size: int) -> None:
    drawing = girih(digest, size, "Star of the proof 9f2c 01ab 77e0")
    assert len(drawing.encode()) <= 4096
    root = Xml.fromstring(drawing)
    assert root.get("width") == str(size)
    for path in root.iter("{http://www.w3.org/2000/svg}path"):
        for x, y in re.findall(r"M(-?[\d.]+) (-?[\d.]+)", path.get("d") or ""):
            assert 0 <= float(x) <= 100
            assert 0 <= float(y) <= 100


def test_a_star_has_a_name_or_is_decoration_and_never_a_style() -> None:
    named, silent = girih(DIGESTS[0], 44, 'A "star" <of>'), girih(DIGESTS[0], 44)
    assert 'role="img"><title>A &quot;star&quot; &lt;of&gt;</title>' in named
    assert 'aria-hidden="true"' in silent
    assert "title" not in silent
    assert "style" not in named
    assert "url(" not in named


def test_the_sign_in_the_static_folder_is_the_sign_we_draw() -> None:
    assert (KIT / "static" / "sign.svg").read_text("utf-8") == brand_sign(100) + "\n"
