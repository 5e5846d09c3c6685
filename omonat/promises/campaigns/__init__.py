"""Campaigns: one text for many people, each of whom said yes to it (U5, U8, C3).

U5: marketing goes by consent alone. U8: so do invitations to surveys. C3: who takes a consent back gets nothing more,
even of a campaign that is already running.

Enforced: a campaign names a purpose, never people, and the purpose fixes its kind; a letter of one can't travel as a
service notice. Who said yes is read from their choices, and the rule of use decides again, for each, at the moment
their letter leaves. Nobody starts what they alone agreed to. One person has one letter of a campaign, by a unique key.
Evidenced: planned, approved, started, queued, stopped, ended, each with counts and nobody's name; every address that is
opened is a use with an entry of its own. Attested: that the words are what the purpose says they are.

Kept by: flows `campaigns` (plans, approves, starts, stops) and `campaign_letters` (queues), the outbox and the flow
`send` (ask again, hand over).
"""
