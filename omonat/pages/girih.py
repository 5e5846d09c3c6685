"""Girih: the star pattern of Uzbek tilework, drawn from a digest, so that the same proof is the same star.

The construction is Hankin's polygons in contact: from the middle of every side of a regular n-gon two rays leave under
the contact angle πk/n and run until they meet the middles k sides on: the star {n/k}. Its crossing lines cut the disc
into rings of kites, as glazed tiles are cut; ring m ends where lines m apart meet, at d / cos(πm/n) from the middle,
d = R · cos(πk/n) being the distance of every line. Which {n/k}, how the rings are glazed and which beads of the rim are
set come from the digest.

Colours are classes (`g0` … `g4`, `gp`: omonat.css lets them follow light and dark) with plain attributes behind them
for places without our stylesheet. No style attributes, so a strict content policy holds.
"""

from dataclasses import dataclass, replace
from hashlib import sha256
from html import escape
from itertools import pairwise
from math import cos, pi, sin

STARS = ((8, 3), (10, 3), (10, 4), (12, 4), (12, 5), (9, 4))
_PAPER = 5
_CLASSES = ("g0", "g1", "g2", "g3", "g4", "gp")
_COLOURS = ("#0f6a73", "#9a5b00", "#2d6a3e", "#a3262f", "#1d2426", "#fbf9f4")
_DISC, _RIM, _BEADS = 41.0, 47.0, 24
_WIDE_HEART = 18

Point = tuple[float, float]


class _Choices:
    """A digest read as a stream of small choices."""

    def __init__(self, digest: bytes) -> None:
        self._left = int.from_bytes(sha256(b"omonat girih\0" + digest).digest(), "big")

    def one_of(self, options: int) -> int:
        self._left, chosen = divmod(self._left, options)
        return chosen


@dataclass(frozen=True, slots=True)
class _Star:
    """The star {n/k} inscribed in a circle of `radius`, turned clockwise by `turn`."""

    n: int
    k: int
    turn: float
    radius: float = _DISC

    def reach(self, apart: int) -> float:
        """How far from the middle two of its lines meet that stand `apart` sides from each other."""
        return self.radius * cos(pi * self.k / self.n) / cos(pi * apart / self.n)

    def axis(self, index: int, apart: int) -> float:
        """The direction of such a meeting: crossings of even and of odd distance alternate."""
        return self.turn + 2 * pi * index / self.n + (pi / self.n if (self.k - apart) % 2 else 0.0)


def girih(digest: bytes, size: int, title: str = "") -> str:
    """An SVG of `size` CSS pixels, at most 4 KB. With a title it is an image of that name, without one decoration."""
    choices = _Choices(digest)
    n, k = STARS[choices.one_of(len(STARS))]
    star = _Star(n, k, pi / n * choices.one_of(2))
    ground, *rings, heart = glazes = _glazes(choices, k + 1)
    parts = [_plate(ground, star, choices.one_of(2))]
    parts += [_ring(star, k - 1 - index, glaze) for index, glaze in enumerate(rings)]
    parts.append(_heart(star, heart))
    if star.reach(1) > _WIDE_HEART:
        within = next(glaze for glaze in glazes if glaze != _PAPER) if heart == _PAPER else _PAPER
        parts.append(_ring(replace(star, radius=star.radius * 0.46), k - 1, within))
    return _svg(_rim(choices, ground) + "".join(parts), size, title)


def brand_sign(size: int, title: str = "") -> str:
    """Omonat's own sign: the khatim, two squares laid over each other, and in it the eight-fold star."""
    layers = [(2, 49.0, 0), (2, 40.5, _PAPER), (3, 36.0, 0), (3, 14.0, _PAPER)]
    return _svg("".join(_whole(_Star(8, k, 0.0, radius), glaze) for k, radius, glaze in layers), size, title)


def _glazes(choices: _Choices, fields: int) -> list[int]:
    """Two glazes and paper, dealt so that no two neighbouring fields are alike."""
    first = choices.one_of(5)
    second = (first + 1 + choices.one_of(4)) % 5
    palette = [first, second, _PAPER]
    dealt = [palette[choices.one_of(3)]]
    while len(dealt) < fields:
        others = [glaze for glaze in palette if glaze != dealt[-1]]
        dealt.append(others[choices.one_of(2)])
    return dealt


def _ring(star: _Star, m: int, glaze: int) -> str:
    """The n kites between the crossings m − 1, m and m + 1."""
    near, middle, far = (star.reach(apart) for apart in (m - 1, m, m + 1))
    step = pi / star.n
    kites = []
    for index in range(star.n):
        at = star.axis(index, m + 1)
        corners = [_at(far, at), _at(middle, at + step)]
        if m > 1:
            corners.append(_at(near, at))
        kites.append(_path([*corners, _at(middle, at - step)]))
    return _tile("".join(kites), glaze)


def _heart(star: _Star, glaze: int) -> str:
    return _tile(_path([_at(star.reach(1), star.axis(index, 1)) for index in range(star.n)]), glaze)


def _whole(star: _Star, glaze: int) -> str:
    """The star as one tile, without the cuts inside."""
    points: list[Point] = []
    for index in range(star.n):
        tip = star.axis(index, star.k)
        points += [_at(star.radius, tip), _at(star.reach(star.k - 1), tip + pi / star.n)]
    return f'<path d="{_path(points)}" class="{_CLASSES[glaze]}" fill="{_COLOURS[glaze]}"/>'


def _plate(glaze: int, star: _Star, round_one: int) -> str:
    """What the star lies on: the n-gon whose sides it touches, or the plate around its points."""
    if round_one:
        shape = f'<circle cx="50" cy="50" r="{_DISC:g}"'
    else:
        far = _DISC / cos(pi / star.n)
        shape = f'<path d="{_path([_at(far, star.axis(index, star.k + 1)) for index in range(star.n)])}"'
    edge = 4 if glaze == _PAPER else glaze
    return (
        f'{shape} class="{_CLASSES[glaze]} {_CLASSES[edge]}s" fill="{_COLOURS[glaze]}" '
        f'stroke="{_COLOURS[edge]}" stroke-width="1.2"/>'
    )


def _rim(choices: _Choices, glaze: int) -> str:
    """A hairline with beads: a set bead is a one."""
    beads = [_at(_RIM, 2 * pi * i / _BEADS) for i in range(_BEADS) if choices.one_of(2)]
    drawn = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in beads)
    name, colour = ("g4s", _COLOURS[4]) if glaze == _PAPER else (f"{_CLASSES[glaze]}s", _COLOURS[glaze])
    return (
        f'<circle cx="50" cy="50" r="{_RIM:g}" class="gl" stroke="#ddd7c9" stroke-width="1"/>'
        f'<path d="{drawn}" class="{name}" stroke="{colour}" stroke-width="3.4" stroke-linecap="round"/>'
    )


def _tile(path: str, glaze: int) -> str:
    """Tiles are set in a joint of paper."""
    return (
        f'<path d="{path}" class="{_CLASSES[glaze]} gps" fill="{_COLOURS[glaze]}" '
        f'stroke="{_COLOURS[_PAPER]}" stroke-width="1.3" stroke-linejoin="round"/>'
    )


def _at(radius: float, angle: float) -> Point:
    """A point by its distance from the middle and the clockwise angle from the top."""
    return 50 + radius * sin(angle), 50 - radius * cos(angle)


def _path(points: list[Point]) -> str:
    """Absolute start, relative lines: half the bytes."""
    rounded = [(round(x, 1), round(y, 1)) for x, y in points]
    steps = [f"l{_short(b[0] - a[0])} {_short(b[1] - a[1])}" for a, b in pairwise(rounded)]
    return f"M{_short(rounded[0][0])} {_short(rounded[0][1])}{''.join(steps)}z"


def _short(number: float) -> str:
    return f"{round(number, 1) + 0.0:g}"


def _svg(body: str, size: int, title: str) -> str:
    named = f'role="img"><title>{escape(title)}</title>' if title else 'aria-hidden="true">'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="girih" width="{size}" height="{size}" '
        f'viewBox="0 0 100 100" fill="none" {named}{body}</svg>'
    )
