"""The newsletter's page: its form comes from Omonat as HTML, and what a browser posts goes back there as it came.

Nothing here knows a field: when the policy asks for another one, the page does.
"""

from collections.abc import Mapping
from typing import Final

from markupsafe import Markup

from omonat_client import AsyncClient, Collected, Problem, WrongRequest

SERVICE: Final = "newsletter"
ADDRESS: Final = "contact.email"
PURPOSE: Final = "marketing-email"


async def drawn(client: AsyncClient, posted: Mapping[str, str], problem: Problem | None = None) -> Markup:
    """The fields for the page; filled in again, with what was wrong, where there was a problem."""
    html = await client.form_html(
        SERVICE, items=[ADDRESS, "contact.name"], offers=[PURPOSE], whole=False, posted=posted, problem=problem
    )
    return Markup(html)  # noqa: S704  (the API's own template, autoescaped)


async def taken(client: AsyncClient, posted: Mapping[str, str], *, person: str | None, key: str) -> Collected:
    """Hand it on. Raises OmonatProblem; a newsletter nobody could send is refused here, in the API's own words."""
    if not posted.get(ADDRESS, "").strip():
        raise WrongRequest(Problem(code="required-withheld", status=422, item=ADDRESS))
    return await client.collect(SERVICE, posted=posted, person=person, key=key)
