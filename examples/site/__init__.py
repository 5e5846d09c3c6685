"""BESHQOZON's own site, for the demo: a client of the API over HTTP with a credential of its own, and nothing more.

What people type goes straight to `POST /v1/collect` and is kept nowhere here: the site's own small database holds
carts, order numbers, and which person id belongs to a browser that signed up. Fields, notices and consents come from
`GET /v1/services/{service}/form`; so when the policy changes, the forms change.
"""
