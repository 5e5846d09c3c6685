"""A door's static files: read once at start, named by their content, gzipped. `assets` serves them; apart, as whoever
only says words needs no web framework.

`static/omonat.css` of the kit is served as `/static/kit/omonat.<12 hex of its SHA-256>.css`; a changed file has a new
address, so nothing is ever stale. `url(…)` in a stylesheet is rewritten the same way.
"""

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

PREFIX = "/static"
_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".png": "image/png",
    ".txt": "text/plain",
}
_SQUEEZED = {".css", ".js", ".svg", ".txt"}
_URL = re.compile(r"url\(\s*['\"]?(?!data:|#|/)([^'\")]+)['\"]?\s*\)")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it goes over the wire; `squeezed` is its gzip form, None where that would not help."""

    address: str
    kind: str
    body: bytes
    squeezed: bytes | None


@cache
def assets(owner: str, folder: Path) -> Mapping[str, Asset]:
    """All files of `folder` by their path inside it. A kind of file nobody declared is an error, not served."""
    found: dict[str, Asset] = {}
    files = [file for file in folder.rglob("*") if file.is_file()] if folder.is_dir() else []
    for file in sorted(files, key=lambda file: (file.suffix == ".css", file.as_posix())):
        name = file.relative_to(folder).as_posix()
        if file.suffix not in _TYPES:
            raise ValueError(f"a static file of a kind nobody declared: {name}")
        body = file.read_bytes()
        if file.suffix == ".css":
            body = _with_hashed_urls(body.decode(), name, found).encode()
        found[name] = _asset(owner, name, file.suffix, body)
    return found


def _asset(owner: str, name: str, suffix: str, body: bytes) -> Asset:
    mark = sha256(body).hexdigest()[:12]
    address = f"{PREFIX}/{owner}/{name.removesuffix(suffix)}.{mark}{suffix}"
    squeezed = gzip.compress(body, 9, mtime=0) if suffix in _SQUEEZED else None
    return Asset(address, _TYPES[suffix], body, squeezed)


def _with_hashed_urls(css: str, name: str, found: Mapping[str, Asset]) -> str:
    base = Path(name).parent

    def hashed(match: re.Match[str]) -> str:
        target = (base / match[1]).as_posix()
        if target not in found:
            raise ValueError(f"{name} names `{match[1]}`, which is not there")
        return f"url({found[target].address})"

    return _URL.sub(hashed, css)
