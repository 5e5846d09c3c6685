"""QR codes as drawings: for a bill, on paper or on a page, in light and in dark."""

from io import BytesIO
from typing import Any

import segno


def svg(address: str) -> str:
    """The code of an address, black on white with its quiet margin; no style, script or foreign reference in it. A
    point is half a millimetre wide, four dots of a till's printer."""
    return _drawn(address, scale=0.5, unit="mm", light="#fff")


def drawing(text: str) -> str:
    """The code of any text, as wide as whoever sets it says; without a ground, for white paper."""
    return _drawn(text)


def _drawn(text: str, **how: Any) -> str:
    drawn = BytesIO()
    code = segno.make_qr(text, error="m")
    code.save(drawn, kind="svg", xmldecl=False, nl=False, svgclass=None, lineclass=None, **how)
    return drawn.getvalue().decode("ascii")
