"""The vault: everything the rooms above may ask of keys, and nothing that would hand one out.

Callers keep slot numbers, sealed bytes and digests; the vault keeps the rest. Nothing derived from a slot is used
without first comparing the slot with the bytes it was derived from, so there is no moment in which a destroyed key
still opens anything, in any process (S2, R3, S6; design: Keys in slots).
"""

import hmac
from base64 import b32encode
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from omonat.base.errors import Fault, Refused, Unavailable
from omonat.base.ids import new_id
from omonat.vault import copies
from omonat.vault.beside import level_beside
from omonat.vault.box import Box, TamperedError, WrongKeyError
from omonat.vault.commitments import commit, salt_from
from omonat.vault.encoding import derive, frame, framed
from omonat.vault.history import KeyState
from omonat.vault.keyring import Keyring, Ring, RingFile
from omonat.vault.openings import Openings
from omonat.vault.root import RootKey
from omonat.vault.sealing import SealingKey
from omonat.vault.slots import RootOf, SlotFile
from omonat.vault.storage import check_storage, closed_folder
from omonat.vault.switch import Phase, settle, state
from omonat.vault.verify_only import HashCost, SecretHasher, SecretMatch

Json = Any  # what msgspec reads from and writes to JSON: text, whole numbers, floats, booleans, null, lists, objects

_SUITE = b"\x01"
_BOXES_KEPT = 2048
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Vault:
    """One installation's vault, as one process uses it. Safe among threads and across forks."""

    def __init__(
        self, slots: SlotFile, keyring: Keyring, warnings: tuple[str, ...], hash_cost: HashCost, openings: Openings
    ) -> None:
        self.openings = openings
        """Which entry each section was opened for; reconciled with the log."""
        self.installation = slots.installation
        self.warnings = warnings
        """Names of filesystems on which destroying a key may leave its bytes behind; empty when all is well."""
        self._slots = slots
        self._keyring = keyring
        self._hasher = SecretHasher(hash_cost)
        self._section = frame("omonat/section/v1", self.installation)
        self._boxes: dict[tuple[int, int, str], tuple[bytes, bytes, Box]] = {}
        self._older_boxes = self._boxes

    @classmethod
    def open(
        cls,
        home: Path,
        root: RootKey,
        *,
        create: bool = False,
        other_copies: Sequence[Path] = (),
        copying_storage_ok: bool = False,
        hash_cost: HashCost | None = None,
        root_of: RootOf | None = None,
    ) -> "Vault":
        """Open the vault under `home`/keys; with `create`, make it where there is none yet.

        `other_copies` are the further registered slot files, in the order they were registered. A vault whose slots
        are lost is never begun anew over the old one: its numbers would come back. `root_of` lets an open vault follow
        when its root is rotated. Raises Refused (root-wrong, root-not-yet, root-replaced, key-file-open,
        key-storage-copies), Unavailable (keys-missing, key-copies-missing), Fault (keys-changed).
        """
        folder = home / "keys"
        paths = [folder / "slots", *other_copies]
        ring_file = RingFile(folder / "keyring", root, root_of=root_of, other_copies=other_copies)
        begun = ring_file.path.exists()
        for path in paths:
            closed_folder(path.parent, create=create and not begun)
        warnings = {w for path in paths for w in check_storage(path.parent, copying_ok=copying_storage_ok)}
        if create and not begun:
            if any(path.exists() for path in paths):
                raise Unavailable("keys-missing", file=str(ring_file.path))
            ring_file.create(new_id("ins"))
        settle(paths)
        _check_rotation(folder, root)
        if other_copies and all(path.exists() for path in paths):
            ring_file.level(copies.installation_of(paths, root))  # proved before anything is written beside them
            level_beside(paths)
        ring, _ = ring_file.read()
        if create and not ring.slots_made:  # perhaps begun by a process that died, or that is at it just now
            ring_file.change(lambda ring: _with_slots(ring, paths, root))
            ring, _ = ring_file.read()
        if not ring.slots_made:
            raise Unavailable("keys-missing", file=str(paths[0]))
        slots = SlotFile.open(paths, root, ring.installation, root_of=root_of)
        vault = cls(
            slots,
            Keyring(ring_file, slots),
            tuple(sorted(warnings)),
            hash_cost or HashCost(),
            Openings(home / "openings"),
        )
        if vault.lookup_epoch == 0:
            vault.begin_lookup_epoch(after=0)
        return vault

    # Slots ----------------------------------------------------------------------------------------------------------

    def reserve_slots(self, count: int) -> list[int]:
        """`count` slot numbers nobody ever had, for persons, records and their evidence. Usually touches no file."""
        return self._slots.reserve(count)

    def prepare_slots(self, spare: int) -> None:
        """Make slots ahead, in a quiet moment, so that no request has to."""
        self._slots.prepare(spare)

    def destroy_slots(self, numbers: Iterable[int]) -> None:
        """Destroy these secrets on every registered copy, for good; all of them cost one flush. Blocks: use a thread.

        Doing it again is harmless. Raises Fault keys-not-durable: then the process must end.
        """
        doomed = set(numbers)
        self._slots.destroy(doomed)
        for boxes in (self._boxes, self._older_boxes):
            for key in [key for key in tuple(boxes) if key[0] in doomed or key[1] in doomed]:
                boxes.pop(key, None)

    def is_destroyed(self, number: int) -> bool:
        """Whether this slot's secret was destroyed; False for a damaged slot."""
        return self._slots.is_destroyed(number)

    def living_of(self, numbers: Iterable[int]) -> list[int]:
        """Those of these slots whose secret isn't destroyed on every registered copy; a damaged one is among them."""
        return self._slots.living_of(numbers)

    @property
    def copies(self) -> int:
        """On how many registered copies of the slots a key is destroyed."""
        return self._slots.copies

    def key_state(self) -> KeyState:
        """How far the key file has come; tells an older one from a newer."""
        header = self._slots.state()
        return KeyState(header.high_water, header.generation)

    def destroyed_since(self, generation: int) -> list[tuple[int, int]]:
        """Slots destroyed by batches after `generation`, each with its batch; reads the whole key file."""
        return self._slots.destroyed_since(generation)

    def catch_up(self, state: KeyState, destroyed: Iterable[int]) -> int:
        """Bring a key file from a backup up to what the control journal knows; how many keys are lost with it."""
        return self._slots.catch_up(state.high_water, state.generation, destroyed)

    def compare_copy(self, raw: bytes) -> tuple[int, int, int]:
        """A copied slot file beside ours: slots that are the same, that were destroyed here since, and all others.

        Comparing bytes needs no second key file: what is equal opens as ours does.
        """
        return self._slots.compare_copy(raw)

    def register_copy(self, path: Path) -> None:
        """Add one more copy of the slots, on another disk; from now on a key counts as destroyed when it is on all.

        Every process must then be started again with the path as the last of `other_copies`.
        """
        closed_folder(path.parent, create=True)
        self._slots.register(path)
        self._keyring.beside(path)
        level_beside([*self._slots.paths])

    # Sections -------------------------------------------------------------------------------------------------------

    def seal_section(
        self,
        *,
        person: str,
        person_slot: int,
        record: str,
        record_slot: int,
        category: str,
        version: int,
        items: Mapping[str, Json],
    ) -> bytes:
        """One section of one record, sealed. `version` is the policy ordinal the record carries.

        Raises Refused key-destroyed when either slot is gone.
        """
        box = self._section_box(person_slot, record_slot, category)
        return box.seal(_encode(items), self._section_context(person, record, category, version))

    def open_section(
        self,
        *,
        person: str,
        person_slot: int,
        record: str,
        record_slot: int,
        category: str,
        version: int,
        sealed: bytes,
        entry: str = "",
    ) -> dict[str, Json]:
        """The items of a section, opened for the evidence entry of this id, which must come to be: `omonat evidence
        reconcile` finds every opening that no entry speaks of.

        Raises Refused key-destroyed, Fault section-tampered for sealed bytes that were changed or belong to another
        person, record, category or version, Unavailable openings-unwritable."""
        box = self._section_box(person_slot, record_slot, category)
        self.openings.note(entry)
        try:
            return _decode(box.open(sealed, self._section_context(person, record, category, version)))
        except (WrongKeyError, TamperedError):
            raise Fault("section-tampered", category=category) from None

    def section_opens(
        self,
        *,
        person: str,
        person_slot: int,
        record: str,
        record_slot: int,
        category: str,
        version: int,
        sealed: bytes,
    ) -> bool:
        """Whether a section still opens; what is in it is not given out. For the proof of a restore."""
        try:
            box = self._section_box(person_slot, record_slot, category)
            box.open(sealed, self._section_context(person, record, category, version))
        except (WrongKeyError, TamperedError, Refused, Fault):
            return False
        return True

    def _section_box(self, person_slot: int, record_slot: int, category: str) -> Box:
        person = self._slots.slot(person_slot)
        record = self._slots.slot(record_slot)
        key = (person_slot, record_slot, category)
        kept = self._boxes.get(key) or self._older_boxes.get(key)
        if kept is not None and kept[0] == person and kept[1] == record:
            return kept[2]
        open_slot = self._slots.open_slot
        secrets = open_slot(person_slot, person) + open_slot(record_slot, record)
        box = Box(derive(secrets, _key_context(category)))
        if len(self._boxes) >= _BOXES_KEPT // 2:
            self._older_boxes, self._boxes = self._boxes, {}
        self._boxes[key] = (person, record, box)
        return box

    def _section_context(self, person: str, record: str, category: str, version: int) -> bytes:
        """`frame(label, installation, person, record, category, version, suite)`; spelled out because it is hot."""
        return self._section + framed(person) + framed(record) + _context_tail(category, version)

    # Look-ups and digests -------------------------------------------------------------------------------------------

    @property
    def lookup_epoch(self) -> int:
        """The look-up epoch whose key new digests are made under; begun elsewhere, it is seen here at once."""
        return self._keyring.ring().lookup_epoch

    @property
    def oldest_lookup_epoch(self) -> int:
        """The oldest look-up epoch that wasn't ended: digests of those before it find nobody any more."""
        return self._keyring.oldest_lookup_epoch()

    def lookup_digest(self, kind: str, normalised: str, *, epoch: int | None = None) -> bytes:
        """32 bytes to find a person by; different for every kind, epoch and installation. The caller normalises.

        Raises Refused key-destroyed for an epoch that was ended.
        """
        epoch = self.lookup_epoch if epoch is None else epoch
        secret = self._keyring.use(f"lookup/{epoch}", bytes)
        return hmac.digest(secret, frame("omonat/lookup/v1", self.installation, kind, normalised), "sha256")

    def lookup_digests(self, kind: str, normalised: str) -> list[bytes]:
        """As `lookup_digest`, under every epoch whose key exists, the current first: whoever is looked for is found
        while the key is being changed."""
        epochs = range(self.lookup_epoch, self.oldest_lookup_epoch - 1, -1)
        return [self.lookup_digest(kind, normalised, epoch=epoch) for epoch in epochs]

    def begin_lookup_epoch(self, *, after: int) -> int:
        """Start the look-up epoch that follows `after`; rows are then digested anew, and the old epoch is ended.

        Gives the current epoch; two processes asking at once begin only one."""
        return self._keyring.begin_lookup_epoch(after)

    def end_lookup_epoch(self, epoch: int) -> None:
        """Destroy the key of an epoch that is over: what was digested under it can be found no more, in backups too."""
        self._keyring.end_lookup_epoch(epoch)

    def keyed_digest(self, context: str, data: bytes) -> bytes:
        """32 bytes that tell equal data from different, under one named context; for idempotency keys, rate limits,
        one-time codes. Nobody without the vault can guess what was digested."""
        secret = self._keyring.use("digests", bytes)
        return hmac.digest(secret, frame("omonat/digest/v1", self.installation, context, data), "sha256")

    def pseudonym(self, kind: str, identity: str) -> str:
        """A stable name for staff in the log (`psn_…`), from which without the vault nobody gets back to the person."""
        secret = self._keyring.use("pseudonyms", bytes)
        digest = hmac.digest(secret, frame("omonat/pseudonym/v1", self.installation, kind, identity), "sha256")
        return f"psn_{b32encode(digest[:16]).decode().rstrip('=').lower()}"

    # Commitments ----------------------------------------------------------------------------------------------------

    def commitment(self, *, evidence_slot: int, entry: str, field: str, value: str) -> str:
        """What the log keeps of `value` in one field of one entry: 43 characters of base64url.

        It says nothing once the evidence slot is destroyed. Raises Refused key-destroyed when it already is.
        """
        return commit(salt_from(self._slots.secret(evidence_slot), entry, field), entry, field, value)

    def salt(self, *, evidence_slot: int, entry: str, field: str) -> bytes:
        """The opening of a commitment, 32 bytes: given to the person, it proves what the log says about them."""
        return salt_from(self._slots.secret(evidence_slot), entry, field)

    # Small sealed values --------------------------------------------------------------------------------------------

    def seal_value(self, context: str, plaintext: bytes, *, slot: int | None = None) -> bytes:
        """A small value, bound to a named context that should name its row (`outbox:msg_…`).

        With `slot`, it dies with that slot, in backups too: give the person's wherever the value concerns one.
        """
        box, bound = self._value_box(context, slot)
        return box.seal(plaintext, bound)

    def open_value(self, context: str, sealed: bytes, *, slot: int | None = None) -> bytes:
        """What `seal_value` sealed for the same context and slot. Raises Fault sealed-value-changed, Refused
        key-destroyed."""
        box, bound = self._value_box(context, slot)
        try:
            return box.open(sealed, bound)
        except (WrongKeyError, TamperedError):
            raise Fault("sealed-value-changed") from None

    def _value_box(self, context: str, slot: int | None) -> tuple[Box, bytes]:
        secret = self._keyring.use("values", bytes) if slot is None else self._slots.secret(slot)
        bound = frame("omonat/value/v1", self.installation, context, slot or 0)
        return Box(derive(secret, bound)), bound

    # Signing and verify-only ----------------------------------------------------------------------------------------

    def signing_key(self, name: str) -> Ed25519PrivateKey:
        """The installation's signing key of this name (`evidence-log`, `receipts`, `forms`), made on first use."""
        context = frame("omonat/signing-key/v1", self.installation, name)
        return self._keyring.use(
            f"signing/{name}", lambda secret: Ed25519PrivateKey.from_private_bytes(derive(secret, context))
        )

    # Sealed forms ---------------------------------------------------------------------------------------------------

    @property
    def sealing_key(self) -> int:
        """The number of the key that forms are sealed to now; 0 before the first."""
        return self._keyring.newest("sealing")

    def begin_sealing_key(self, *, after: int) -> int:
        """Make the sealing key that follows number `after`; the older ones open until they are ended.

        Gives the newest number; two processes asking at once make only one."""
        return self._keyring.begin_next("sealing", after)

    def sealing_public(self, number: int) -> bytes:
        """The public half of a sealing key: whoever has it can seal, and nobody without the vault can open.

        Raises Refused key-destroyed."""
        return self._sealing(number).public

    def open_form(self, number: int, sealed: bytes, info: bytes) -> bytes:
        """What somebody sealed to this key for exactly this `info`. It has not been in the vault before: what is in it
        is taken in, or forgotten.

        Raises Refused key-destroyed, BadInput sealed-form-changed."""
        return self._sealing(number).open(sealed, info)

    def end_sealing_key(self, number: int) -> None:
        """Destroy an older sealing key: what is still sealed to it, on any device, opens no more. Blocks."""
        if number < self.sealing_key:
            self._keyring.end(f"sealing/{number}")

    def _sealing(self, number: int) -> SealingKey:
        context = frame("omonat/sealing-key/v1", self.installation, number)
        return self._keyring.use(f"sealing/{number}", lambda secret: SealingKey(derive(secret, context)))

    def hash_secret(self, secret: str) -> bytes:
        """A password or answer, hashed and sealed: it can be checked and never be read. Slow by design: use a thread.

        Raises BadInput secret-too-long."""
        return self.seal_value("verify-only", self._hasher.hash(secret))

    def verify_secret(self, stored: bytes | None, secret: str) -> SecretMatch:
        """Whether `secret` is the one stored; with nothing stored, NO at the same price. Slow by design: use a thread.

        `STALE` means yes, and store `hash_secret` anew. Raises Fault sealed-value-changed."""
        return self._hasher.check(None if stored is None else self.open_value("verify-only", stored), secret)


def _check_rotation(folder: Path, root: RootKey) -> None:
    """Say clearly which of two roots is wanted while a rotation is under way, or was just done."""
    rotation = state(folder)
    if rotation is None:
        return
    if rotation.phase is Phase.BUILDING and root.mark.hex() == rotation.new:
        raise Refused("root-not-yet")
    if rotation.phase is Phase.DONE and root.mark.hex() == rotation.old:
        raise Refused("root-replaced")


def prove_root(home: Path, root: RootKey, *, other_copies: Sequence[Path] = ()) -> None:
    """Make sure that `root` is the one these keys are sealed under: by its mark, and by the proof at the head of every
    copy. Opens nothing, changes nothing.

    Raises Refused root-wrong, Fault keys-changed, Unavailable keys-missing.
    """
    paths = [home / "keys" / "slots", *other_copies]
    for path in paths:
        copies.proved(path, root)


@lru_cache(1024)
def _key_context(category: str) -> bytes:
    return frame("omonat/section-key/v1", category)


@lru_cache(4096)
def _context_tail(category: str, version: int) -> bytes:
    return frame(category, version, _SUITE)


def _with_slots(ring: Ring, paths: Sequence[Path], root: RootKey) -> Ring:
    """The ring after its slots were made, unless they were made before: then they are never made again."""
    if ring.slots_made:
        return ring
    SlotFile.create(paths, root, ring.installation)
    return msgspec.structs.replace(ring, slots_made=True)
