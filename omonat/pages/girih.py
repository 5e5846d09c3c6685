"""Girih: the star pattern of Uzbek tilework, drawn from a digest, so that the same proof is the same star.

The construction is Hankin's polygons in contact: from the middle of every side of a regular n-gon two rays leave under
a contact angle; where rays of neighbouring sides meet lie the points of an {n/k} star. Which n, which angle, what stands
inside, how the fields are glazed and which beads of the border are filled all come from bits of the digest.

Colours are classes (`g0` … `g4`, see omonat.css) with plain attributes behind them for places without our stylesheet.
"""

from hashlib import sha256
from html import escape
from math import cos, pi, sin, tan

_GLAZES = ("#0f6a73", "#9a5b00", "#2d6a3e", "#a3262f", "#1d2426")
_INNER_GLAZES = (0, 1, 2, 4)
_POINTS = (8, 10, 12)
_BEADS = 24
_MIDDLE = 50.0
_BRAND = bytes.fromhex("00" * 32)

Point = tuple[float, float]


class _Bits:
    """The digest read as a stream of small choices."""

    def __init__(self, digest: bytes) -> None:
        self._left = int.from_bytes(sha256(b"omonat girih\0" + digest).digest(), "big")

    def choose(self, options: int) -> int:
        self._left, chosen = divmod(self._left, options)
        return chosen


def girih(digest: bytes, size: int, title: str = "") -> str:
    """An SVG of `size` CSS pixels, at most 4 KB. With a title it is an image with that name, without one decoration."""
    bits = _Bits(digest)
    points, angle, heart = bits.choose(3), bits.choose(4), bits.choose(3)
    return _svg(_star(_POINTS[points], angle, heart, bits) + _border(bits), size, title)


def brand_sign(size: int, title: str = "") -> str:
    """Omonat's own sign: the eight-fold star, in one glaze, without a border."""
    outer, inner = _rosette(8, 46, 0.0), _rosette(8, 46, 0.0)
    del inner
    star = _hankin(8, 46, pi * 3 / 8)
    heart = _hankin(8, 46 * 0.46, pi / 4)
    parts = [
        _polygon(star, "g0", _GLAZES[0]),
        _polygon(heart, "paper", "#fbf9f4"),
        _outline(outer, "g0", _GLAZES[0], 3),
    ]
    return _svg("".join(parts), size, title)


def _star(n: int, angle: int, heart: int, bits: _Bits) -> str:
    """Tile, star, counter-star and heart, from the outside in; neighbouring fields never share a glaze."""
    outer, inner, middle = 43.0, 0.0, 0.0
    first, second = bits.choose(5), _INNER_GLAZES[bits.choose(4)]
    if second == first:
        second = (first + 1) % 5
    contact = pi * (0.5 - (2 + angle * 0.55) / n)
    star = _hankin(n, outer, contact)
    inner = min(abs_of(point) for point in star) * (0.92 if heart else 0.86)
    counter = _turned(_hankin(n, inner, contact * 0.92), pi / n if bits.choose(2) else 0.0)
    middle = min(abs_of(point) for point in counter) * 0.9
    tile = _rosette(n, outer, 0.0)
    parts = [_outline(tile, f"g{first}", _GLAZES[first], 1.6), _polygon(star, f"g{first}", _GLAZES[first])]
    parts.append(_polygon(counter, "paper", "#fbf9f4"))
    if heart == 0:
        parts.append(_polygon(_hankin(n, middle, contact), f"g{second}", _GLAZES[second]))
    elif heart == 1:
        parts.append(_polygon(_rosette(n // 2, middle, 0.0), f"g{second}", _GLAZES[second]))
    else:
        parts.append(_outline(_hankin(n, middle, contact), f"g{second}", _GLAZES[second], 3))
    return "".join(parts)


def _border(bits: _Bits) -> str:
    """A ring of beads, one bit each: a filled bead is a one."""
    filled: list[str] = []
    hollow: list[str] = []
    for index in range(_BEADS):
        x, y = _at(47.6, 2 * pi * index / _BEADS)
        (filled if bits.choose(2) else hollow).append(f"M{x:.1f} {y:.1f}h.01")
    return (
        f'<path d="{"".join(hollow)}" class="bead" stroke="#ddd7c9" stroke-width="3" stroke-linecap="round"/>'
        f'<path d="{"".join(filled)}" class="g0s" stroke="#0f6a73" stroke-width="3.6" stroke-linecap="round"/>'
    )


def _hankin(n: int, radius: float, contact: float) -> list[Point]:
    """The star inscribed in a regular n-gon: its points are the side middles, its notches where the rays meet."""
    apothem = radius * cos(pi / n)
    reach = apothem * sin(pi / n) / sin(contact + pi / n) if contact else apothem
    notch = (apothem * cos(pi / n) - _overlap(apothem, n, contact)) if contact else reach
    corners = []
    for index in range(n):
        at = 2 * pi * index / n
        corners += [_at(apothem, at), _at(notch, at + pi / n)]
    return corners


def _overlap(apothem: float, n: int, contact: float) -> float:
    """How far the rays of two neighbouring sides dip under the chord between the side middles."""
    return apothem * sin(pi / n) * tan(max(contact - pi / n, 0.05))


def _rosette(n: int, radius: float, turn: float) -> list[Point]:
    return [_at(radius, 2 * pi * index / n + pi / n + turn) for index in range(n)]


def _turned(points: list[Point], turn: float) -> list[Point]:
    return [
        (
            _MIDDLE + (x - _MIDDLE) * cos(turn) - (y - _MIDDLE) * sin(turn),
            _MIDDLE + (x - _MIDDLE) * sin(turn) + (y - _MIDDLE) * cos(turn),
        )
        for x, y in points
    ]


def abs_of(point: Point) -> float:
    """Distance from the middle of the drawing."""
    x, y = point
    return float(((x - _MIDDLE) ** 2 + (y - _MIDDLE) ** 2) ** 0.5)


def _at(radius: float, angle: float) -> Point:
    return _MIDDLE + radius * sin(angle), _MIDDLE - radius * cos(angle)


def _path(points: list[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"


def _polygon(points: list[Point], name: str, colour: str) -> str:
    return f'<path d="{_path(points)}" class="{name}" fill="{colour}"/>'


def _outline(points: list[Point], name: str, colour: str, width: float) -> str:
    return f'<path d="{_path(points)}" class="{name}s" fill="none" stroke="{colour}" stroke-width="{width:g}"/>'


def _svg(body: str, size: int, title: str) -> str:
    named = f'role="img"><title>{escape(title)}</title>' if title else 'aria-hidden="true">'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="girih" width="{size}" height="{size}" '
        f'viewBox="0 0 100 100" fill="none" {named}{body}</svg>'
    )
