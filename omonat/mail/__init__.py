"""The mail door: messages out and letters in (N2, C3, L6, A2, U3, U5, T1).

A loop of the jobs worker claims due rows of the outbox, asks the flow `send` for permission and address, puts the
message into words, and hands it to the mail relay or the SMS gateway. Neither address nor text is stored or logged.

Letters in come by SMTP or LMTP (`listener`), are read (`reading`, `reports`) and handed to the flow `mailbox`; what
they ask for is done before they are acknowledged.
"""
