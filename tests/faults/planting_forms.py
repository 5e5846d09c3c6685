"""The other ways into collecting: a form as HTML that came back, and one that was sealed on a site."""

import json
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from omonat.base.ids import new_id
from omonat.base.instants import to_rfc3339
from omonat.flows.clients import parse_credential
from omonat.house import system_clock
from omonat.vault.encoding import bytes_of, text_of
from omonat.vault.sealing import form_info
from tests.faults.markers import marked
from tests.faults.planting import Planter
from tests.offline.conftest import SUITE

SERVICE: Final = "registration"


@dataclass
class Forms:
    """Fills them in."""

    hand: Planter

    async def plant(self) -> None:
        """Both."""
        await self._posted()
        await self._sealed()

    async def _items(self, name: str) -> dict[str, Any]:
        """What the service has to have, with this name."""
        policy = await self.hand.house.grounds.law.current()
        required = sorted(policy.form(SERVICE).required)
        given = {
            item: marked(policy.item(item), self.hand.mark(), len(self.hand.planted.needles))[0] for item in required
        }
        return given | {"contact.name": name, "contact.mobile": self.hand.phone()}

    async def _posted(self) -> None:
        posted = {name: str(value) for name, value in (await self._items(self.hand.mark("posted.name"))).items()}
        posted["omonat-form"] = (await self.hand.http.get(f"/site/forms/{SERVICE}")).json()["form"]
        body = {"service": SERVICE, "accepted": True, "posted": posted}
        await self._taken(await self.hand.done("/v1/collect", body, "site"))

    async def _sealed(self) -> None:
        """As the script on a page of the company's site seals it; the site passes it on unread."""
        given = (await self.hand.http.get(f"/site/forms/{SERVICE}")).json()
        form = {"id": new_id("sfm"), "key": given["key"], "service": SERVICE, "form": given["form"]}
        form["made-at"] = to_rfc3339(system_clock())
        info = form_info(
            given["installation"], key=form["key"], id=form["id"], service=SERVICE, form=form["form"],
            device=parse_credential(self.hand.credentials["site"]).client, made_at=form["made-at"],
        )  # fmt: skip
        content = {"items": await self._items(self.hand.mark("sealed.name")), "accepted": True}
        public = X25519PublicKey.from_public_bytes(bytes_of(given["public"]))
        form["sealed"] = text_of(SUITE.encrypt(json.dumps(content).encode(), public, info))
        await self._taken(await self.hand.done("/v1/sealed-forms", form, "site"))

    async def _taken(self, answer: Any) -> None:
        self.hand.planted.records.append((answer["person"], answer["record"], "contact.name"))
