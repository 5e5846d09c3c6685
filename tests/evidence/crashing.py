"""A process that works on a log until a named step, then dies as `kill -9` would; started by test_crash.py.

crashing.py DSN FOLDER STEP      three entries, then the sequencer until STEP
crashing.py DSN FOLDER submit    entries for ever, eight at once; every acknowledged receipt is printed
"""

import asyncio
import os
import sys
from pathlib import Path

from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.pool import Database
from omonat.evidence.entry import Entry
from omonat.evidence.folder import LogFolder
from omonat.evidence.journal import Journal
from omonat.evidence.keys import LogKeys
from omonat.evidence.sequencer import Sequencer
from tests.evidence.conftest import ORIGIN, START, fixed_key


def now() -> Instant:
    return START


async def submit_for_ever(journal: Journal) -> None:
    while True:
        receipt = await journal.submit(Entry(new_id("ev"), START, "use:person:authorised", {"purpose": "survey"}))
        print(receipt.token, flush=True)


async def main(dsn: str, folder: str, step: str) -> None:
    keys = LogKeys.of(ORIGIN, log=fixed_key(1), clock=fixed_key(2), receipts=fixed_key(3))
    database = await Database.connect(dsn, size=3)
    journal = Journal(database, origin=ORIGIN, receipts=keys.receipts, clock=now)
    await journal.start()
    if step == "submit":
        await asyncio.gather(*(submit_for_ever(journal) for _ in range(8)))
    for _ in range(3):
        receipt = await journal.submit(Entry(new_id("ev"), START, "use:person:authorised", {"purpose": "survey"}))
        print(receipt.token, flush=True)

    def die(reached: str) -> None:
        if reached == step:
            os._exit(9)

    sequencer = Sequencer(database, LogFolder(Path(folder)), keys, clock=now, holder="seq_crashing", reached=die)
    await sequencer.open()
    await sequencer.advance()


asyncio.run(main(*sys.argv[1:]))
