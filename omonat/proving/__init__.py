"""Proving: each promise of the policy in force tried on the living installation, on people made for it (A1).

A probe names the promises it tries, says in one sentence what it does, and returns what it saw: `Kept`, `Broken` or
`CannotTell`. It acts through the flows everybody uses, and compares what they answer with the document as it was
published, never with the tables compiled from it. A promise nobody built is never called kept.
"""
