"""Children: nothing of a child under the threshold is stored without a parent (K1, K2, K3), and no image of the young.

Enforced: `rule.decide_age` at every collection that carries an age signal; a quarantined person is closed for every
purpose (`omonat.promises.use.rule`, step 4); `guardian.decide_guardian` before a guardian sees or changes anything;
`rule.decide_images` before a photo, video or recording of somebody too young is taken in or used. Evidenced: refusals,
signals, consents and what a guardian saw and did are entries without values. Attested: that somebody checked the form.
"""
