"""QR codes as drawings: for a bill, on paper or on a page, in light and in dark."""

from io import BytesIO

import segno


def svg(address: str) -> str:
    """The code of an address, black on white with its quiet margin; no style, script or foreign reference in it. A
    point is half a millimetre wide, four dots of a till's printer."""
    drawn = BytesIO()
    code = segno.make_qr(address, error="m")
    code.save(
        drawn, kind="svg", xmldecl=False, nl=False, scale=0.5, unit="mm", light="#fff", svgclass=None, lineclass=None
    )
    return drawn.getvalue().decode("ascii")
