"""The safe: key slots, sealed sections, look-up digests, commitments, verify-only secrets (S2, S6, R3).

Pure files and cryptography. Callers hand in names and slot numbers and get back sealed bytes or digests, so the
database below never sees a key in any form. `docs/formats.md` states every byte.

Enforced: whatever is opened was sealed here for exactly this installation, person, record, category and version; a
destroyed slot refuses in every process at its very next use; a slot number is never given out twice.
"""
