"""Reading a letter that came in: bytes of anybody's making into a few plain facts, within bounds (RFC 5322, 2045,
3834).

Nothing here trusts a header but the topmost Authentication-Results of the server that was set up. What can't be read
within the bounds is refused to the sender's server, which says so to the sender: no letter gets lost in silence.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.policy import compat32
from hashlib import sha256
from html import unescape
from typing import Final

from omonat.base.errors import BadInput
from omonat.mail.addresses import BOUNCE, LEAVE, parts
from omonat.mail.reports import report_in
from omonat.promises.mailbox import Letter, is_proved

LARGEST: Final = 1024 * 1024
"""Bytes; more is refused before it is read."""
_LARGEST_HEAD: Final = 64 * 1024
_MOST_PARTS: Final = 60
_TEXT: Final = 60_000
_KEPT: Final = 4_000
_SUBJECT: Final = 300
_MACHINES: Final = frozenset({"mailer-daemon", "postmaster", "no-reply", "noreply", "do-not-reply", "donotreply"})
_LISTS: Final = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
_CHARSET: Final = re.compile(
    r"(us-)?ascii|utf-?8|utf-16(le|be)?|iso-?8859-\d{1,2}|latin-?1|(windows|cp)-?125[0-8]|koi8-[ru]|cp866"
)
_ONE_ADDRESS: Final = re.compile(
    r'(?:(?:"[^"\\]*"|[^<>@",;:()\\]*)\s*<([^<>@\s",;:()\\]+@[^<>@\s",;:()\\]+)>|([^<>@\s",;:()\\]+@[^<>@\s",;:()\\]+))'
)
_LONGEST_FROM: Final = 1_000
_LONGEST_SIGN: Final = 300
_LONGEST_FIELD: Final = 2_000
_FIELD: Final = re.compile(rb"^content-[a-z-]+[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_HIDDEN: Final = frozenset({"script", "style", "head", "title", "template"})
_TAG: Final = re.compile(r"/?[a-z][a-z0-9]*", re.IGNORECASE)
_SPACES: Final = re.compile(r"\s+")
_BLOCKS: Final = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table", "hr"})
_BEGINS_QUOTE: Final = re.compile(
    r"-{2,}\s*(original message|исходное сообщение|пересылаемое сообщение|forwarded message|asl xabar)"
    r"|_{10,}\s*$|(from|от|от кого|kimdan|отправитель)\s*:\s.*@"
    r"|(on\b|в\b|[а-яё]{2},|\d{1,2}[ ./-]).{4,150}(wrote|пиш[её]т|написал\w*|yozdi)\s*\(?\w*\)?:\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the server in front said: the return path, empty for a report, and to which addresses of ours."""

    sender: str
    recipients: Sequence[str]


def read(raw: bytes, envelope: Envelope, *, server: str | None, ours: str) -> Letter:
    """The letter. `server` is the name under which the server in front writes its results, `ours` our mail domain.

    `leaves` is left empty: whose an address for leaving is, only the vault can say. Raises BadInput
    `letter-unreadable`.
    """
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    if len(head) > _LARGEST_HEAD or len(raw) > LARGEST or _too_many_parts(raw):
        raise BadInput("letter-unreadable")
    try:
        message = message_from_bytes(raw, policy=compat32)
        return _letter(message, raw, body, envelope, server=server, ours=ours)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError):  # of the parser
        raise BadInput("letter-unreadable") from None


def _letter(message: Message, raw: bytes, body: bytes, envelope: Envelope, *, server: str | None, ours: str) -> Letter:
    sender = _sender(message)
    results = [_plain(value) for value in message.get_all("Authentication-Results", [])]
    written = _text(message)
    own = _own_words(written)
    kept = own or written
    names = [parts(address)[:2] for address in envelope.recipients]
    returned = next((detail for name, detail in names if name == BOUNCE), "")
    return Letter(
        identity=_identity(message, raw, body),
        sender=sender,
        proved=is_proved(results, server=server, domain=sender.rpartition("@")[2]),
        subject=_clean(_decoded(message.get("Subject")))[:_SUBJECT],
        text=kept[:_KEPT],
        shortened=len(kept) > _KEPT,
        enclosures=sum(1 for part in _parts(message) if _is_enclosure(part)),
        automatic=_is_automatic(message, envelope, sender, ours) or bool(returned),
        to_leave=any(name == LEAVE for name, _ in names),
        report=report_in(message, returned),
    )


def _sender(message: Message) -> str:
    """The one address in From; empty where there is none, several, or one that two programs might read differently."""
    fields = [_plain(value) for value in message.get_all("From", [])]
    found = _ONE_ADDRESS.fullmatch(fields[0]) if len(fields) == 1 and len(fields[0]) < _LONGEST_FROM else None
    return (found[1] or found[2]) if found else ""


def _identity(message: Message, raw: bytes, body: bytes) -> bytes:
    """By which a second delivery is known: the fields of the way (Received and what stands with it) may differ."""
    name = _plain(message.get("Message-ID", "")).strip()
    if not name:
        return sha256(raw).digest()
    said = "\n".join((name, _plain(message.get("From", "")), _plain(message.get("Subject", ""))))
    return sha256(sha256(said.encode("utf-8", "replace")).digest() + sha256(body).digest()).digest()


def _is_automatic(message: Message, envelope: Envelope, sender: str, ours: str) -> bool:
    """Whether a machine wrote it (RFC 3834, section 2): answered, two machines would write to each other for ever."""
    said = _plain(message.get("Auto-Submitted", "no")).partition(";")[0].strip().casefold()
    own = re.match(
        rf"\s*<(msg_[a-z2-7]{{26}})@{re.escape(ours)}>", _plain(message.get("Message-ID", "")), re.IGNORECASE
    )
    return bool(
        said not in ("", "no")
        or _plain(message.get("Precedence", "")).strip().casefold() in _LISTS
        or any(name in message for name in ("List-Id", "List-Post", "X-Autoreply", "X-Autorespond", "X-Loop"))
        or envelope.sender in ("", "<>")
        or own is not None
        or parts(sender)[0] in _MACHINES
        or message.get_content_type() == "multipart/report"
    )


def _text(message: Message) -> str:
    """What it says, the plain part before the HTML one."""
    shown = [part for part in _parts(message) if not _is_enclosure(part)]
    for wanted in ("text/plain", "text/html"):
        found = [_content(part) for part in shown if part.get_content_type() == wanted]
        if any(text.strip() for text in found):
            return _clean("\n".join(found))
    return ""


def _content(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    charset = (part.get_content_charset() or "utf-8").casefold()
    text = raw[:_TEXT].decode(charset if _CHARSET.fullmatch(charset) else "utf-8", "replace")
    return _without_markup(text) if part.get_content_type() == "text/html" else text


def _parts(message: Message) -> Iterator[Message]:
    """The parts that hold something. A letter within the letter is one of them: its words are somebody else's."""
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        for part in message.get_payload():
            if isinstance(part, Message):
                yield from _parts(part)
    else:
        yield message


def _is_enclosure(part: Message) -> bool:
    attached = part.get_filename() is not None or part.get_content_disposition() == "attachment"
    return attached or part.get_content_maintype() != "text"


def _own_words(text: str) -> str:
    """Without what was quoted: lines behind `>`, and everything from where a program says that it quotes. A signature
    behind `-- ` goes too."""
    kept: list[str] = []
    for line in text.split("\n"):
        if _BEGINS_QUOTE.match(line.strip()[:_LONGEST_SIGN]) or line in ("-- ", "--"):
            break
        if not line.lstrip().startswith(">"):
            kept.append(line)
    return "\n".join(kept).strip()


def _too_many_parts(raw: bytes) -> bool:
    """Parts in parts in parts, and endless parameters of one, cost a parser more than they cost a sender."""
    fields = [found.end() - found.start() for found in _FIELD.finditer(raw)]
    return len(fields) > 3 * _MOST_PARTS or any(length > _LONGEST_FIELD for length in fields)


def _without_markup(html: str) -> str:
    """The words of a page: nothing of it is loaded, nothing is run. One pass over it: the standard library's parser
    takes time that grows with the square of what is left open."""
    first, *rest = html.split("<")
    said, hidden, comment = [first], "", False
    for piece in rest:
        if comment or piece.startswith("!--"):
            _, end, shown = piece.partition("-->")
            comment = not end
        else:
            tag, end, shown = piece.partition(">")
            found = _TAG.match(tag)
            name = found[0].casefold() if found else ""
            if not name and not piece.startswith(("!", "?")):  # a mere sign
                end, shown = ">", f"<{piece}"
            if hidden:
                hidden = "" if name == f"/{hidden}" else hidden
            elif name in _HIDDEN:
                hidden = name
            elif name.lstrip("/") in _BLOCKS:
                said.append("\n")
            elif name.lstrip("/") == "blockquote":
                said.append("\n> " if name == "blockquote" else "\n")
        if end and not hidden:
            said.append(_SPACES.sub(" ", shown))
    return unescape("".join(said))


def _decoded(value: object) -> str:
    """A header in words (RFC 2047), whatever it is made of."""
    return "".join(_pieces(_plain(value)[:_LONGEST_FROM]))


def _pieces(value: str) -> Iterator[str]:
    for piece, charset in decode_header(value):
        if isinstance(piece, str):
            yield piece
        else:
            known = (charset or "utf-8").casefold()
            yield piece.decode(known if _CHARSET.fullmatch(known) else "utf-8", "replace")


def _plain(value: object) -> str:
    """A header's value on one line, as text that can be written."""
    return " ".join(str(value or "").encode("utf-8", "replace").decode("utf-8").split())


def _clean(text: str) -> str:
    """Lines of what can be seen: controls and marks that turn the direction of writing become spaces."""
    visible = (
        letter if letter == "\n" or unicodedata.category(letter)[0] != "C" else " "
        for letter in text.replace("\r\n", "\n").replace("\r", "\n")
    )
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in "".join(visible).split("\n"))).strip()
