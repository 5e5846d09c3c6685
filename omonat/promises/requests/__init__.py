"""Requests and complaints: anyone may complain or ask about data, and gets a number, a deadline and an answer (A2, Q2).

Enforced: a request moves only along its states; what changes somebody's data is worked on only once the channel is
proved; one member of staff has it at a time, in a role the policy lets read it; none is closed without an answer;
the deadline is the strictest of the law packs. Evidenced: every step. Attested: that an answer is a good one.

Kept by: `omonat.flows.ask`, `omonat.flows.answer_requests`; the text, the contact and the answer are records like any
others, so retention, erasure, holds and *who looked* know them.
"""
