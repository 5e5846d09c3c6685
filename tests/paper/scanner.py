"""A scanner: what stands in the codes of a PDF, as a machine that sees the printed sheets reads it."""

import pypdfium2
import zxingcpp

_DOTS_AN_INCH = 200


def scanned(pdf: bytes) -> list[list[str]]:
    """The codes of each sheet, in the order they are seen."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [_codes(page) for page in document]
    finally:
        document.close()


def text_on(pdf: bytes) -> str:
    """What can be read on the sheets with one's eyes, a blank for whatever stands between words."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return " ".join(word for page in document for word in page.get_textpage().get_text_range().split())
    finally:
        document.close()


def _codes(page: pypdfium2.PdfPage) -> list[str]:
    seen = page.render(scale=_DOTS_AN_INCH / 72, grayscale=True)
    points = memoryview(bytes(seen.buffer)).cast("B", shape=(seen.height, seen.stride))
    return [code.text for code in zxingcpp.read_barcodes(points, formats=zxingcpp.BarcodeFormat.QRCode)]
