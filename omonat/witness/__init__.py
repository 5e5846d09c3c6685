"""The witness for others' logs: a small program of its own that cosigns what it has seen grow, and nothing else.

It belongs on another machine, in other hands than the log it watches: whoever holds a log's key can write a second
history of it, but no honest witness will ever cosign two. It speaks C2SP tlog-witness, so any such log may use it, and
our log may use any such witness. It needs no database, no vault and no policy.

    rule    what may be cosigned, pure
    memory  the newest checkpoint of each log, its key, its folder; kept before anything is signed
    door    HTTP

Keeps S6 (alteration is detected, also by whoever holds the log's key). Enforced: never two roots for one size, never
back, whatever crashes. Evidenced: each cosignature; contradictions of a log are kept with its own signature under them.
"""
