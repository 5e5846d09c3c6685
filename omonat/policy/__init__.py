"""The law: read, lint, compare, compile and put into words one policy document. Pure: no clock, network or database.

    model       the typed, frozen document            reader, printer   YAML text to the document and back
    packs       what countries' law says, as data     schema            the JSON Schema for editors
    compiled    decision tables, `since`, retention   lint              contradictions, dead rules, missing words
    kinds       what each kind of item looks like     compare           two versions, by meaning

Keeps P1 (versions with a digest), P5 (packs), C1, L1–L3 and S4 (purpose × role × items), R1–R2 (due instants).
**Enforced** here: nothing runs that the tables do not grant. **Evidenced** elsewhere: every version published.
"""
