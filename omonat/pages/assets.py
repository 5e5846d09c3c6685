"""Static files: read once at start, named by their content, kept gzipped, cached for ever by browsers.

`static/omonat.css` of the kit is served as `/static/kit/omonat.<12 hex of its SHA-256>.css`; a changed file has a new
address, so nothing is ever stale. `url(…)` in a stylesheet is rewritten the same way. Nothing outside the folders
handed in can be reached: an address is a dictionary key, never a path on the disk.
"""

import gzip
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from litestar import Request, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response

PREFIX = "/static"
FOREVER = "public, max-age=31536000, immutable"
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


def static_handler(folders: Iterable[tuple[str, Path]]) -> HTTPRouteHandler:
    """One handler for the static files of all doors; `folders` are (owner, folder) pairs."""
    by_address = {asset.address: asset for owner, folder in folders for asset in assets(owner, folder).values()}

    @get(f"{PREFIX}/{{name:path}}", name="static", include_in_schema=False, sync_to_thread=False)
    def static(request: Request[Any, Any, Any]) -> Response[bytes]:
        asset = by_address.get(request.url.path)
        if asset is None:
            raise NotFoundException
        headers = {"cache-control": FOREVER, "x-content-type-options": "nosniff", "vary": "accept-encoding"}
        headers["cross-origin-resource-policy"] = "same-origin"
        body = asset.body
        if asset.squeezed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"], body = "gzip", asset.squeezed
        return Response(body, media_type=asset.kind, headers=headers)

    return static
