"""The witness: what was done with personal data, written down so that nobody, ourselves included, can change it later.

    entry      what one act looks like as bytes, and its leaf hash
    journal    takes entries in: durable before it answers, with a signed receipt
    sequencer  gives committed entries their place, builds the tiles, signs the checkpoint
    tree note tiles proofs     RFC 6962 and C2SP, pure
    reader     who looked, one entry with its proof, the newest checkpoint
    verifier   checks a whole log from its bytes alone; needs nothing of Omonat

Keeps A1 (every promise has its evidence), S6 (alteration is detected) and the evidence side of R3, P4 and B2.
Enforced: no answer before the entry is durable; no checkpoint over bytes that do not recompute; append-only tables.
Evidenced: every act. Not enforced here: that a caller writes an entry at all (flows do; reconciliation counts).
"""
