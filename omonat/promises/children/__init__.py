"""Children: nothing of a child under the threshold is stored. Keeps K1; K2 and K3 grow here.

Enforced: `rule.decide_age` at every collection that carries an age signal; a quarantined person is closed for every
purpose (`omonat.promises.use.rule`, step 4). Evidenced: the refusal is an entry without the value. Attested: nothing.
"""
