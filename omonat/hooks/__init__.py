"""Hooks: a door outwards. Tells the company's other systems what to erase, at the address the operator registered (T1).

It holds no rule: what is to be told, and until when, is the business of `omonat.flows.systems`.
"""
