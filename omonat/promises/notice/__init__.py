"""Notice: who was told of which version, and when. Keeps P1, P2; N1 and N3 grow here.

Enforced: a use introduced later than a record waits until its person was told (`omonat.promises.use`, step 6), and
`told` never skips a version, except up to one that was accepted as a whole. Evidenced: publication, every telling and
every acceptance. Attested: nothing.

Kept by: `omonat.flows.choose` (tell), `omonat.flows.collect` (accepted), `omonat.flows.publish_policy`.
"""
