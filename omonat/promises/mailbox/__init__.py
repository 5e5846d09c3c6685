"""The mailbox: what people write to the webmaster's address is read, and acted on (C3, L6, A2, N2).

C3: whoever writes that they want no more letters gets none, whether the vault knows the address or not. L6: a
permission to use the location is changed by writing. A2: complaints, and requests to see, correct or delete, become
requests with a number and a deadline; so does whatever isn't understood.

Enforced: plain rules of words, no guessing; a request counts once its sender is proved; an address that left,
complained or gave a letter back is refused at the moment of sending. Evidenced: each choice, request and suppression
is an entry. Attested: that the mail server in front removes forged Authentication-Results (RFC 8601, section 5) is
its operator's word.

Kept by: flow `mailbox` (acts), flow `suppressing`, the mail door (listens, reads, answers).
"""

from omonat.promises.mailbox.authentication import is_proved
from omonat.promises.mailbox.facts import Letter, Report, Wish
from omonat.promises.mailbox.rule import language_of, wishes_in
from omonat.promises.mailbox.suppression import Suppressed, decide_address

__all__ = ["Letter", "Report", "Suppressed", "Wish", "decide_address", "is_proved", "language_of", "wishes_in"]
