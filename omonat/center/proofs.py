"""Proofs a person can keep: an entry of theirs, the newest checkpoint, the keys, and the program that checks them."""

import asyncio
from importlib.resources import files

from omonat.base.errors import BadInput
from omonat.base.ids import is_id
from omonat.center.looked import told
from omonat.center.visit import Answer, Visit
from omonat.evidence.reader import Recorded, Signed


async def entry(visit: Visit) -> Answer:
    """The proof of one entry that concerns the person; anybody else's is not found."""
    name = _named(visit)
    recorded = await visit.house.my_data.own_entry(visit.person, name)
    signed = _covering(visit, recorded)
    proof = None
    if signed is not None:
        proof = await asyncio.to_thread(visit.house.evidence.prove, recorded.body, recorded.index or 0, signed)
    return visit.page(
        "proof.html", event=told(visit, recorded.entry), body=recorded.body.decode(), proof_of=proof, shown=signed
    )


def _named(visit: Visit) -> str:
    """The entry of the address. Raises BadInput `evidence-not-found` for what no entry is called."""
    name = str(visit.request.path_params["entry"])
    if not is_id("ev", name):
        raise BadInput("evidence-not-found")
    return name


def _covering(visit: Visit, recorded: Recorded) -> Signed | None:
    """The checkpoint the proof is given under: a witnessed one where there is one. None for the seconds before it."""
    if recorded.index is None:
        return None
    try:
        return visit.house.evidence.covering(recorded.index)
    except BadInput:
        return None


async def download(visit: Visit) -> Answer:
    """The `.tlog-proof` of an entry. Raises BadInput `evidence-proof-pending` for the seconds before the checkpoint."""
    name = _named(visit)
    await visit.house.my_data.own_entry(visit.person, name)
    return visit.file(bytes(await visit.house.evidence.proof(name)), f"{name}.tlog-proof")


async def checkpoint(visit: Visit) -> Answer:
    """What the line at the foot of every page stands on. For everybody: it says nothing about anybody."""
    signed = visit.signed()
    keys = [key.vkey for key in visit.house.keys.pinned]
    return visit.page("checkpoint.html", signed=signed, keys=keys)


async def note(visit: Visit) -> Answer:
    """The checkpoint exactly as it was signed."""
    signed = visit.signed()
    if signed is None:
        raise BadInput("evidence-proof-pending")
    return visit.file(signed.raw, "checkpoint")


async def keys(visit: Visit) -> Answer:
    """The public keys, one a line, as the verifier takes them."""
    lines = [key.vkey for key in visit.house.keys.pinned]
    return visit.file(("\n".join(lines) + "\n").encode(), "keys.txt")


async def verifier(visit: Visit) -> Answer:
    """The program that checks proofs without us."""
    source = files("omonat.evidence").joinpath("verifier.py").read_bytes()
    return visit.file(source, "verifier.py")
