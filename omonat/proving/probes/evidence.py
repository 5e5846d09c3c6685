"""The witness and the keeping: the log, the four stores, the drill, the machine (A1, S3, S5, S6)."""

import asyncio
from secrets import randbelow
from typing import Final

from omonat.backup.standing import check
from omonat.base.errors import BadInput, Fault
from omonat.base.verdict import Allow, Deny
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
    uz="Himoya choralari roʻyxati: har birining egasi va koʻrib chiqish muddati bor; mashgʻulot muddati oʻtmagan boʻlishi kerak.",
    ru="Реестр мер защиты: у каждой есть владелец и срок пересмотра; учение по восстановлению не должно быть просрочено.",
    en="The register of safeguards: each has its owner and review period; the one with a date must not be overdue.",
)
async def safeguards(scene: Scene) -> Outcome:
    """Overdue safeguards show as broken; today one of them has a date."""
    found, listed = Findings(), scene.written.safeguards
    bare = [one.id for one in listed if one.owner not in scene.written.roles]
    found.note(bool(listed) and not bare, f"safeguards: {len(listed)}")
    verdict = await scene.house.safeguards.drill_standing()
    if not isinstance(verdict, Allow | Deny):
        return CannotTell(verdict.reasons[0].code)
    code = verdict.reasons[0].code if verdict.reasons else "within its period"
    found.note(isinstance(verdict, Allow), f"restore-drill: {code}")
    return found.outcome()


@probe(
    "S5",
    uz="Ishga tushishdagi xavfsizlik tekshiruvi hozir takrorlanadi: baza sozlamalari, fayl huquqlari, ulanish.",
    ru="Повторены проверки запуска: настройки базы, права на файлы, соединение.",
    en="The checks of the start are made again now: settings of the database, rights on files, the connection.",
)
async def machine(scene: Scene) -> Outcome:
    """What would keep the service from starting isn't there while it runs."""
    house = scene.house
    settings, database = house.settings, house.grounds.database
    found = [*safety.folder_findings(settings.home, *settings.secrets), *safety.address_findings(database.dsn)]
    found += await safety.server_findings(database, settings.archive_days)
    return Broken(tuple(sorted({one.code for one in found}))) if found else Kept(("database, files, connection: safe",))


PROBES = (log_holds, standing, safeguards, machine)
