"""Keeping: what must survive the loss of a disk, and what an old copy must never undo (S6, C4, R3).

    frames journal_file    the control journal: sealed, chained, append-only files
    shipper pin            from committed changes to the journal and its copies, seconds after the acknowledgement
    standing               database, log, journal and keys compared: a rolled-back one is found at the start
    tables parts manifest  the four parts of a backup: data, log, journal, and apart from them the keys
    take restore           making one; bringing one back
    replay gap prove       what the journal knows, what only the log knows, and the proof that both were obeyed
    drill                  a restore beside the running service, measured and removed

Enforced: nothing is served from a restored home before it was proved; a store older than the others refuses to serve.
Evidenced: every backup, restore and drill. Attested: that copies lie in another place, and keys apart from data.
"""
