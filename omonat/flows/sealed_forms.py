"""Sealed forms: what a desk without a network filled in, taken in exactly once (S1).

The device has the public key and what it signs with; it can't read back what it sealed. Each form goes the way of any
collection, at the time it was filled in, with every refusal of `collect`, and is noted as taken in the same
transaction: by whatever way it comes again, nothing is done twice. A refused form is told by code and reason; nothing
of it is kept, and the refusal is an entry.

1. the device: its credential is alive, and the signature is its own; else nobody hears more. A form that a visitor's
   browser sealed comes with the credential of the site that passes it on, which can't read it
2. seen before? then what was answered
3. when it was filled in, and under which notice: neither in the future nor older than the setting allows
4. open it, and collect
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Any, Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta, Struct

from omonat.base.errors import BadInput, OmonatError, Refused, Unavailable
from omonat.base.failpoints import reach
from omonat.base.ids import is_id, new_id
from omonat.base.instants import DAY, MINUTE, Instant, from_rfc3339
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.clients import require_client
from omonat.flows.collect import Collect, CollectRequest, Sealed
from omonat.flows.devices import Device, Devices
from omonat.flows.forms import shown_version
from omonat.flows.grounds import Grounds
from omonat.flows.sealing_keys import SealingKeys
from omonat.flows.use import Credential
from omonat.vault.encoding import bytes_of
from omonat.vault.sealing import form_info, signed_part

_queries: Final = load("omonat.flows", "sealed_forms.sql")
_SKEW: Final = 5 * MINUTE
"""How far a device's clock may be off: a form from a little later is of now."""
_REMEMBERED: Final = 32 * DAY
"""Longer than the setting can allow, so that raising it brings nothing in twice."""
_MOST: Final = 200


class SealedForm(Struct, rename="kebab", forbid_unknown_fields=True, kw_only=True, frozen=True):
    """One form as the device made it: who, what and when in the clear, all it asked sealed."""

    id: Annotated[str, Meta(max_length=40, description="Made up by the device: `sfm_` and 128 random bits.")]
    key: Annotated[int, Meta(ge=1, le=1_000_000, description="The number of the key it is sealed to.")]
    service: Annotated[str, Meta(min_length=1, max_length=100, description="A name declared in the policy.")]
    form: Annotated[str, Meta(max_length=500, description="The token that came with the form.")]
    made_at: Annotated[
        str,
        Meta(max_length=40, description="When it was filled in, RFC 3339.", extra_json_schema={"format": "date-time"}),
    ]
    sealed: Annotated[str, Meta(max_length=90_000, description="HPKE, base64url: docs/formats.md.")]
    signature: Annotated[str, Meta(max_length=100, description="A device's, Ed25519, base64url.")] = ""


class Batch(Struct, rename="kebab", forbid_unknown_fields=True, kw_only=True, frozen=True):
    """What one device hands in, over the network or on a stick."""

    format: Literal["omonat-sealed-forms/1"]
    device: Annotated[str, Meta(max_length=60, description="The device: the first part of its credential, `omk_…`.")]
    forms: Annotated[tuple[SealedForm, ...], Meta(min_length=1, max_length=_MOST)]


class _Content(Struct, rename="kebab", forbid_unknown_fields=True, kw_only=True, frozen=True):
    """What is in a sealed form; blanks behind it hide how long it is."""

    items: Annotated[dict[str, Any], Meta(max_length=200)]
    consents: Annotated[dict[str, bool], Meta(max_length=100)] = {}
    accepted: bool = False
    case: Annotated[str, Meta(max_length=121)] | None = None
    language: Literal["uz", "ru", "en"] = "uz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of one form: `taken` now, `repeated` as before, `refused` for good, or to be sent again `later`."""

    id: str
    state: Literal["taken", "repeated", "refused", "later"]
    entry: str = ""
    person: str | None = None
    record: str | None = None
    case: str | None = None
    error: OmonatError | None = None


def read_batch(raw: bytes) -> Batch:
    """A batch from a file. Raises BadInput batch-malformed."""
    try:
        return msgspec.json.decode(raw, type=Batch)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadInput("batch-malformed") from None


class SealedForms:
    """The flow, put together once per process. `days`: for how long a form may be on its way."""

    def __init__(self, grounds: Grounds, collect: Collect, keys: SealingKeys, devices: Devices, *, days: int) -> None:
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._clock = grounds.clock
        self._collect = collect
        self._keys = keys
        self._devices = devices
        self._days = days

    async def __call__(self, batch: Batch) -> Sequence[Taken]:
        """Take in what can be, the oldest first; answers in the order of the batch.

        Raises Refused device-unknown, Unavailable.
        """
        device = await self._devices.live(batch.device)
        found: dict[int, Taken] = {}
        for n in sorted(range(len(batch.forms)), key=lambda n: _instant(batch.forms[n])):
            found[n] = await self._take(device, batch.forms[n])
            reach("sealed-form.answered")
        return [found[n] for n in range(len(batch.forms))]

    async def passed_on(self, credential: Credential, form: SealedForm) -> Taken:
        """Take in a form that was sealed in a visitor's browser for the site of this credential.

        Raises Refused credential-refused, and what it is refused with; Unavailable.
        """
        async with self._database.connection() as connection:
            client = await require_client(connection, credential, self._clock())
        site = Device(id=client.id, source=client.source, key=b"", secret=credential.secret_digest)
        taken = await self._take(site, form)
        if taken.error is not None:
            raise taken.error
        return taken

    async def drop_old(self) -> None:
        """Forget forms that would be refused for their age."""
        async with self._database.connection() as connection:
            await _queries.drop_sealed_forms(connection, now=self._clock())

    async def _take(self, device: Device, form: SealedForm) -> Taken:
        """One form. What went wrong is told of it alone, and a refusal of what the device did sign is an entry."""
        collecting, sealed = False, b""
        try:
            info, sealed = self._signed(device, form)
            if (before := await self._before(device, form, sealed)) is not None:
                return before
            request = await self._opened(device, form, info, sealed)
            reach("sealed-form.opened")
            collecting = True
            answer = await self._collect(request)
        except Unavailable as error:
            return Taken(id=form.id, state="later", error=error)
        except (BadInput, Refused) as error:
            if error.code == "form-taken":  # somebody else brought it in this very moment
                return await self._before(device, form, sealed) or Taken(id=form.id, state="later", error=error)
            noted = error.code == "form-signature-wrong" or (collecting and isinstance(error, Refused))
            return await self._refused(device, form, error, noted=noted)
        return Taken(
            id=form.id, state="taken", entry=str(answer.evidence["id"]), person=answer.person, record=answer.record,
            case=answer.case,
        )  # fmt: skip

    def _signed(self, device: Device, form: SealedForm) -> tuple[bytes, bytes]:
        """What it is bound to, and the sealed bytes. Raises Refused form-signature-wrong."""
        info = form_info(
            self._vault.installation, key=form.key, id=form.id, device=device.id, service=form.service, form=form.form,
            made_at=form.made_at,
        )  # fmt: skip
        try:
            sealed = bytes_of(form.sealed)
            if device.key:  # else its credential came with the form
                public = Ed25519PublicKey.from_public_bytes(device.key)
                public.verify(bytes_of(form.signature), signed_part(info, sealed))
        except (InvalidSignature, ValueError):
            raise Refused("form-signature-wrong") from None
        return info, sealed

    async def _before(self, device: Device, form: SealedForm, sealed: bytes) -> Taken | None:
        """What was answered when it came before. Raises BadInput form-id-reused for another form of the same id."""
        async with self._database.connection() as connection:
            row = await _queries.taken_form(connection, id=form.id)
        if row is None:
            return None
        if row["device"] != device.id or not compare_digest(bytes(row["digest"]), sha256(sealed).digest()):
            raise BadInput("form-id-reused")
        return Taken(
            id=form.id, state="repeated", entry=row["entry"], person=row["person"], record=row["record"],
            case=row["case_id"],
        )  # fmt: skip

    async def _opened(self, device: Device, form: SealedForm, info: bytes, sealed: bytes) -> CollectRequest:
        """The collection that was sealed. Raises BadInput and Refused, never with a value."""
        now = self._clock()
        made_at = _instant(form)
        if not is_id("sfm", form.id) or made_at == 0:
            raise BadInput("sealed-form-malformed")
        if made_at > now + _SKEW:
            raise BadInput("form-of-the-future")
        if made_at <= now - self._days * DAY:
            raise Refused("form-too-old", days=str(self._days))
        version = shown_version(
            self._vault, form.form, service=form.service, now=made_at, valid=self._days * DAY, early=_SKEW
        )
        content = _content(self._vault.open_form(await self._keys.opening(form.key, now), sealed, info))
        return CollectRequest(
            credential=Credential(client=device.id, secret_digest=device.secret),
            service=form.service,
            items=content.items,
            version=version,
            consents=content.consents,
            case=content.case,
            language=content.language,
            accepted=content.accepted,
            at=min(made_at, now),
            sealed=Sealed(id=form.id, digest=sha256(sealed).digest(), kept_until=Instant(made_at + _REMEMBERED)),
        )

    async def _refused(self, device: Device, form: SealedForm, error: OmonatError, *, noted: bool) -> Taken:
        if not noted:
            facts = {"client": device.id, "code": error.code}
            if is_id("sfm", form.id):
                facts["form"] = form.id
            try:
                await self._journal.submit(Entry(new_id("ev"), self._clock(), "collect:form:refused", facts))
            except Unavailable as unwritten:
                return Taken(id=form.id, state="later", error=unwritten)
        return Taken(id=form.id, state="refused", error=error)


def _instant(form: SealedForm) -> Instant:
    """When it was filled in; 0 for what is no time."""
    try:
        return from_rfc3339(form.made_at)
    except (ValueError, OverflowError):
        return Instant(0)


def _content(raw: bytes) -> _Content:
    try:
        return msgspec.json.decode(raw, type=_Content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadInput("sealed-form-malformed") from None
