"""Business clients: who is named is owed what the procedure says, and is told under a receipt of their own (N1).

The client made for it is a sole trader: their row goes with them, with whom to tell there and what they were told.
"""

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, Instant
from omonat.base.verdict import Allow
from omonat.evidence import verifier
from omonat.flows.business_clients import Giving
from omonat.flows.client_procedures import PROMISE, Procedure
from omonat.flows.client_register import GivenNotice
from omonat.flows.clients_owed import RULE
from omonat.flows.officers import may_speak
from omonat.policy.model import RoleKind
from omonat.promises.notice.clients import CHANNELS, Step, check_steps
from omonat.proving.outcome import Findings, Outcome, UntoldError, probe
from omonat.proving.scene import Scene

_NO_CHANNEL = "pigeon"


def _staff_who(scene: Scene, *, speak: bool) -> str:
    """A role of staff that may speak for the company to clients, or one that may not."""
    for role in scene.policy.roles.values():
        if role.kind is RoleKind.HUMAN and isinstance(may_speak(scene.policy, role.id, PROMISE), Allow) is speak:
            return role.id
    raise UntoldError("no-speaker")


async def _in_force(scene: Scene) -> Procedure:
    versions = await scene.house.client_procedures.every()
    procedure = next((one for one in versions if one.approved_at is not None), None)
    if procedure is None:
        raise UntoldError("no-procedure")
    return procedure


@probe(
    "N1",
    uz="Namuna tadbirkor mijoz boʻladi: tartib talab qilgani aytilishi kerak deb turishi, aytilgach kvitansiya bilan "
    "yozilishi kerak. Begona yoʻl, kelajakdagi vaqt va vakolatsiz xodim rad etilishi kerak.",
    ru="Пробный предприниматель становится клиентом: положенное по порядку должно ждать, а сообщённое записываться с "
    "квитанцией. Чужой способ, будущее время и сотрудник без полномочий должны быть отклонены.",
    en="A sole trader made for it becomes a client: what the procedure asks for must wait, and be recorded with a receipt "
    "once told. Another way, a time to come and staff who don't speak for the company must be refused.",
)
async def told_by_the_procedure(scene: Scene) -> Outcome:
    """The procedure is a register by two, and each notice is on record as it was given."""
    found, procedure = Findings(), await _in_force(scene)
    controller = scene.written.controller
    whole = isinstance(check_steps(procedure.steps, mailbox=controller.mailbox, phone=controller.phone), Allow)
    by_two = procedure.approved_by not in (None, procedure.written_by)
    found.note(whole and by_two, f"procedure {procedure.version}: {len(procedure.steps)}", *procedure.entries.values())
    by, stranger = [await scene.people.member(_staff_who(scene, speak=each)) for each in (True, False)]
    guest, flow = await scene.people.guest(), scene.house.business_clients
    client = await flow.register(by=by, trader=guest.id)
    try:
        for part in dict.fromkeys(step.part for step in procedure.steps):
            found.note(True, f"{part}: named", await flow.contact(client, guest.id, part, by=by))
        for step in procedure.steps:
            await _one_step(scene, found, client, step, procedure, by)
        await _refused(scene, found, client, procedure.steps[0], by, stranger)
        waits = (await scene.row("work_about", rule=RULE, about=client))["waits"]
        found.note(waits == 0, f"work left: {waits}")
    finally:
        await flow.end(client, by=by)
    return found.outcome()


async def _one_step(  # noqa: PLR0917 - one step at one client
    scene: Scene, found: Findings, client: str, step: Step, procedure: Procedure, by: str
) -> None:
    """Owed from the day they became a client where the step says so; recorded as it was told; owed no more."""
    flow, now = scene.house.business_clients, scene.house.grounds.clock()
    before = await flow.show(client)
    due = [one.due for one in before.owed if one.step == step.id]
    if step.occasion == "engaged":
        waits = (await scene.row("work_about", rule=RULE, about=f"{client} {step.id}"))["waits"]
        latest = now + step.within * DAY
        found.note(len(due) == waits == 1 and due[0] <= latest, f"{step.id}: owed {len(due)}, work {waits}")
    channel = step.channels[0]
    (given,) = await flow.give(Giving(client=client, step=step.id, channel=channel, at=now), by=by)
    after = await flow.show(client)
    owed = sum(one.step == step.id for one in after.owed)
    found.note(owed == 0, f"{step.id}: owed after {owed}")
    found.note(given in after.given, f"{step.id}: {'on record' if given in after.given else 'not on record'}")
    right = (given.procedure, given.step, given.version, given.channel, given.at) == (
        procedure.version, step.id, scene.policy.ordinal, channel, now,
    )  # fmt: skip
    found.note(right, f"{step.id}: {given.channel}, {given.procedure}, {given.version}", given.entry)
    said = await _receipt(scene, given)
    found.note(not said, f"{step.id}: {said or 'receipt'}")
    confirmed = await flow.acknowledge(client, given.entry, at=now, by=by)
    (noted,) = [one for one in (await flow.show(client)).given if one.entry == given.entry]
    found.note(noted.acknowledgement == confirmed, f"{step.id}: confirmed", confirmed)


async def _receipt(scene: Scene, given: GivenNotice) -> str:
    """What is wrong with a receipt: it holds for who has nothing but the keys, and the entry is the one that tells it."""
    recorded = await scene.house.evidence.entry(given.entry)
    facts = recorded.entry.facts
    if (facts["step"], facts["channel"], facts["procedure"]) != (given.step, given.channel, given.procedure):
        return "another entry"
    pinned = verifier.Pinned.of([key.vkey for key in scene.house.keys.pinned])
    try:
        leaf, _ = verifier.open_receipt(given.receipt, pinned)
    except verifier.Wrong as wrong:
        return f"receipt {wrong.kind}"
    return "" if leaf == verifier.leaf_hash(recorded.body) else "receipt of another entry"


async def _refused(  # noqa: PLR0917 - one client
    scene: Scene, found: Findings, client: str, step: Step, by: str, stranger: str
) -> None:
    flow, now = scene.house.business_clients, scene.house.grounds.clock()
    other = next((each for each in CHANNELS if each not in step.channels), _NO_CHANNEL)
    right = Giving(client=client, step=step.id, channel=step.channels[0], at=now)
    for what, giving, who, code in (
        ("another way", Giving(client=client, step=step.id, channel=other, at=now), by, "client-notice-unclear"),
        ("a time to come", Giving(client=client, step=step.id, channel=right.channel, at=Instant(now + DAY)), by,
         "client-notice-unclear"),
        ("who doesn't speak", right, stranger, "speaker-needed"),
    ):  # fmt: skip
        try:
            (given,) = await flow.give(giving, by=who)
            found.note(False, f"{what}: recorded", given.entry)
        except (BadInput, Refused) as refused:
            found.note(refused.code == code, f"{what}: {refused.code}")


PROBES = (told_by_the_procedure,)
