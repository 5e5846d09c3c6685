"""Identity: who a person is, who acts, and how either proves it. Keeps S4, B2, Q1 and the sign-in of every door.

Enforced: a credential is a row that can end; a code opens once, counts its attempts in one statement and dies soon; a
staff member signs in with password and one-time code, and not past role or training. Evidenced: issue, end, sign-in
and lock-out. Attested: that a staff member is who the privacy officer registered.

Kept by: `omonat.flows.clients`, `omonat.flows.staff`, `omonat.flows.sign_in`, the doors' web sessions.
"""
