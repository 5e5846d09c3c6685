"""Whether the mail server in front proved the sender (RFC 8601). Pure.

1. Believed is the topmost Authentication-Results field alone, and only where it names the server that was set up:
   below it may stand what the sender wrote. That server removes forged ones (RFC 8601, section 5).
2. `dmarc=pass` for the very domain of From proves it; so does `dkim=pass` whose signing domain is that domain or one
   above it.
3. A field that says two things about DMARC, or can't be read to its end, proves nothing.
"""

import re
from collections.abc import Iterator, Sequence

_TOKEN = re.compile(r'\s*(?:(;)|(=)|"((?:[^"\\]|\\.)*)"|([^\s;="()]+))', re.DOTALL)
_LONGEST = 4_000


def is_proved(results: Sequence[str], *, server: str | None, domain: str) -> bool:
    """Whether the address's domain is proved. `results` are the values of all such fields, topmost first."""
    if server is None or not results or not domain or len(results[0]) > _LONGEST:
        return False
    try:
        (name, *_), *found = _statements(results[0])
    except ValueError:
        return False
    if name.casefold() != server.casefold():
        return False
    domain = domain.casefold()
    said = [
        (words[0].casefold().partition("/")[0], words[2].casefold(), _properties(words[3:]))
        for words in found
        if _is_result(words)
    ]
    dmarc = [(result, about) for method, result, about in said if method == "dmarc"]
    if dmarc:
        return len(dmarc) == 1 and dmarc[0][0] == "pass" and dmarc[0][1].get("header.from", "") == domain
    signers = [about.get("header.d", "") for method, result, about in said if (method, result) == ("dkim", "pass")]
    return any(signer and (domain == signer or domain.endswith(f".{signer}")) for signer in signers)


def _statements(value: str) -> Iterator[list[str]]:
    """The server's name and each result, as words and equals signs. Raises ValueError for what has no such form."""
    words: list[str] = []
    plain, at = _without_comments(value).strip(), 0
    while at < len(plain):
        token = _TOKEN.match(plain, at)
        if token is None:
            raise ValueError
        at = token.end()
        if token[1]:
            yield words or [""]
            words = []
        else:
            words.append(token[2] or token[4] or f'"{token[3]}')  # a quoted string is no name of anything
    yield words or [""]


def _without_comments(value: str) -> str:
    """Comments nest; a parenthesis in a quoted string is none."""
    kept, depth, quoted, escaped = [], 0, False, False
    for letter in value:
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter == '"' and not depth:
            quoted = not quoted
        elif letter == "(" and not quoted:
            depth += 1
            continue
        elif letter == ")" and not quoted:
            depth -= 1
            if depth < 0:
                raise ValueError
            continue
        if not depth:
            kept.append(letter)
    if depth or quoted or escaped:
        raise ValueError
    return "".join(kept)


def _is_result(words: Sequence[str]) -> bool:
    return len(words) >= 3 and words[1] == "="


def _properties(words: Sequence[str]) -> dict[str, str]:
    """`ptype.property=value`, each name once: the first one counts as nothing where another follows."""
    found: dict[str, str] = {}
    for place in range(1, len(words) - 1):
        if words[place] == "=":
            name = words[place - 1].casefold()
            found[name] = "" if name in found else words[place + 1].casefold()
    return found
