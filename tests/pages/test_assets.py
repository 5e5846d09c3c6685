"""Static files are named by their content, squeezed, and unreachable otherwise."""

import gzip
import re
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from omonat.pages import assets as house
from omonat.pages.render import KIT_STATIC, Door


@pytest.fixture(name="client")
def a_client() -> TestClient[Litestar]:
    return TestClient(Litestar([house.static_handler([KIT_STATIC])], logging_config=None))


def test_T1_the_stylesheet_names_only_files_of_this_origin() -> None:
    css = house.assets(*KIT_STATIC)["omonat.css"].body.decode()
    addresses = re.findall(r"url\(([^)]+)\)", css)
    assert addresses
    assert all(address.startswith("/static/kit/") for address in addresses)
    assert "@import" not in css
    assert "http" not in css


def test_an_address_changes_with_its_content(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "one" / "a.js").write_text("1")
    (tmp_path / "two" / "a.js").write_text("2")
    first, second = house.assets("x", tmp_path / "one")["a.js"], house.assets("x", tmp_path / "two")["a.js"]
    assert first.address != second.address
    assert re.fullmatch(r"/static/x/a\.[0-9a-f]{12}\.js", first.address)


def test_a_file_is_served_squeezed_and_for_ever(client: TestClient[Litestar]) -> None:
    asset = house.assets(*KIT_STATIC)["omonat.css"]
    answer = client.get(asset.address, headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content == asset.body
    assert asset.squeezed is not None
    assert gzip.decompress(asset.squeezed) == asset.body
    bare = client.get(asset.address, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in bare.headers
    assert bare.content == asset.body


@pytest.mark.parametrize(
    "path",
    ["/static/", "/static/kit/omonat.css", "/static/kit/../render.py", "/static/kit/%2e%2e/words.py", "/static/x"],
)
def test_nothing_else_is_reachable(client: TestClient[Litestar], path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_kind_of_file_nobody_declared_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.exe").write_bytes(b"x")
    with pytest.raises(ValueError, match="nobody declared"):
        house.assets("y", tmp_path)


def test_a_stylesheet_that_names_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a{b:url(gone.svg)}")
    with pytest.raises(ValueError, match="not there"):
        house.assets("z", tmp_path)


def test_a_door_names_its_own_files_and_the_kits(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "own.js").write_text("1")
    door = Door("d", tmp_path)
    assert door.asset("own.js").startswith("/static/d/own.")
    assert door.asset("kit/omonat.css").startswith("/static/kit/omonat.")
    with pytest.raises(KeyError):
        door.asset("gone.js")


def test_each_font_stands_beside_its_licence() -> None:
    names = set(house.assets(*KIT_STATIC))
    for font in (name for name in names if name.endswith(".woff2")):
        family = font.removeprefix("fonts/").partition("-")[0]
        assert f"fonts/{family}.LICENSE.txt" in names
