"""Serving static files (`files`): browsers keep them for ever, as a changed one has another address. Nothing outside
the folders handed in can be reached: an address is a dictionary key, never a path on the disk.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from litestar import Request, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response

from omonat.pages.files import PREFIX, assets

FOREVER = "public, max-age=31536000, immutable"


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
