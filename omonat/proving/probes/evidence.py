"""The witness and the keeping: the log, the four stores, the drill, the machine (A1, S3, S5, S6)."""

import asyncio
from secrets import randbelow
from typing import Final

from omonat.backup.standing import check
from omonat.base.errors import BadInput, Fault
from omonat.base.verdict import Allow, Deny
from omonat.base.verdict import CannotTell as CannotTellVerdict
from omonat.database import safety
from omonat.evidence import verifier
from omonat.proving.outcome import Broken, CannotTell, Findings, Kept, Outcome, probe
from omonat.proving.scene import Scene

WHOLE: Final = 200_000
"""Entries up to which the whole log is read; of a larger one a sample is proved."""
_SAMPLE: Final = 256


@probe(
    "A1",
    uz="Dalillar jurnali baytlaridan qayta tekshiriladi: imzo, daraxt, har bir yozuv; kattasidan tasodifiy namuna.",
    ru="Журнал доказательств проверен заново по байтам: подпись, дерево, каждая запись; большой — случайной выборкой.",
    en="The evidence log is checked again from its bytes: signature, tree, every entry; of a large one a random sample.",
)
async def log_holds(scene: Scene) -> Outcome:
    """Nobody changed what was done."""
    house = scene.house
    try:
        signed = house.evidence.checkpoint()
    except BadInput:
        return CannotTell("no-checkpoint")
    size = signed.checkpoint.size
    pinned = verifier.Pinned.of([key.vkey for key in house.keys.pinned])
    if size <= WHOLE:
        report = await asyncio.to_thread(verifier.verify_log, house.settings.log, pinned)
        said = f"entries: {report.size}, {report.verdict}"
        if report.code == verifier.INTACT:
            return Kept((said,))
        return Broken((said, *(f"{one.kind} {one.index}" for one in report.findings[:5])))
    return await _sampled(scene, size)


async def _sampled(scene: Scene, size: int) -> Outcome:
    found = Findings()
    indexes = {0, size - 1, *(randbelow(size) for _ in range(_SAMPLE))}
    rows = await scene.rows("entries_at", indexes=sorted(indexes))
    signed = scene.house.evidence.checkpoint()
    for row in rows:
        try:
            await asyncio.to_thread(scene.house.evidence.prove, bytes(row["body"]), row["index"], signed)
        except Fault as fault:
            found.note(False, f"{fault.code} {row['index']}")
    found.note(len(rows) == len(indexes), f"entries: {size}, proved: {len(rows)}")
    return found.outcome()


@probe(
    "S6",
    uz="Baza, kalitlar, jurnal va nazorat jurnali bir vaqtga tegishli ekani va tiklash mashgʻuloti muddati tekshiriladi.",
    ru="Проверено, что база, ключи, журнал и контрольный журнал относятся к одному времени, и что учение по восстановлению не просрочено.",
    en="Database, keys, log and control journal are compared: all of one time; and the restore drill must not be overdue.",
)
async def standing(scene: Scene) -> Outcome:
    """Nothing was rolled back, and a backup came back within the period the policy names."""
    found = Findings()
    await check(scene.house.stores)  # a Fault is a broken promise
    found.note(True, "stores: of one time")
    conflicts = scene.house.log.conflicts()
    found.note(not conflicts, f"witness conflicts: {len(conflicts)}")
    verdict = await scene.house.safeguards.drill_standing()
    if isinstance(verdict, Deny):
        found.note(False, verdict.reasons[0].code)
    elif not isinstance(verdict, Allow):
        return CannotTell(verdict.reasons[0].code)
    else:
        found.note(True, "drill: within its period")
    return found.outcome()


@probe(
    "S3",
    uz="Himoya choralari roʻyxati: har birining egasi va koʻrib chiqish muddati bor; birortasining muddati oʻtmagan va buzilmagan boʻlishi kerak.",
    ru="Реестр мер защиты: у каждой есть владелец и срок пересмотра; ни одна не должна быть просрочена или нарушена.",
    en="The register of safeguards: each has its owner and review period; none may be overdue or broken.",
)
async def safeguards(scene: Scene) -> Outcome:
    """Each was found in place within its period; the restore drill by holding it."""
    found, listed = Findings(), scene.written.safeguards
    bare = [one.id for one in listed if one.owner not in scene.written.roles]
    found.note(bool(listed) and not bare, f"safeguards: {len(listed)}")
    drill = await scene.house.safeguards.drill_standing()
    if not isinstance(drill, Allow | Deny):
        return CannotTell(drill.reasons[0].code)
    standing = [one for one in await scene.house.safeguards.standing() if not one.is_place]
    for one in standing:
        if not isinstance(one.verdict, Allow):
            found.note(False, f"{one.about}: {one.verdict.reasons[0].code}")
    stands = sum(isinstance(one.verdict, Allow) for one in standing)
    found.note(stands == len(listed), f"within their period: {stands} of {len(listed)}")
    return found.outcome()


@probe(
    "S5",
    uz="Ishga tushishdagi xavfsizlik tekshiruvi hozir takrorlanadi: baza sozlamalari, fayl huquqlari, ulanish. Bu mashina va bazaning mashinasi roʻyxatda, har bir server va xona muddatida tekshirilgan boʻlishi kerak.",
    ru="Повторены проверки запуска: настройки базы, права на файлы, соединение. Эта машина и машина базы должны быть в реестре, каждый сервер и каждое помещение – проверены в срок.",
    en="The checks of the start are made again now: settings of the database, rights on files, the connection. This machine and the database's must be in the register, each host and room looked at in time.",
)
async def machine(scene: Scene) -> Outcome:
    """What would keep the service from starting isn't there while it runs, and the register of hosts and rooms is true."""
    house, found = scene.house, Findings()
    settings, database = house.settings, house.grounds.database
    unsafe = [*safety.folder_findings(settings.home, *settings.secrets), *safety.address_findings(database.dsn)]
    unsafe += await safety.server_findings(database, settings.archive_days)
    for code in sorted({one.code for one in unsafe}):
        found.note(False, code)
    if not unsafe:
        found.note(True, "database, files, connection: safe")
    for name in await house.places.unregistered():
        found.note(False, f"host/{name}: not in the register")
    places = [one for one in await house.safeguards.standing() if one.is_place]
    for one in places:
        if isinstance(one.verdict, Deny):
            found.note(False, f"{one.about}: {one.verdict.reasons[0].code}")
    found.note(True, f"hosts and rooms in the register: {len(places)}")
    unplanned = [one for one in places if isinstance(one.verdict, CannotTellVerdict)]
    told = found.outcome()
    return CannotTell(unplanned[0].verdict.reasons[0].code) if unplanned and isinstance(told, Kept) else told


PROBES = (log_holds, standing, safeguards, machine)
