"""Names across scripts: one key for one person written in Uzbek Latin, Uzbek Cyrillic or Russian.

`Gʻulom`, `G'ulom`, `Ғулом` and `Гулом` meet; so do `Shahnoza`, `Шаҳноза` and `Шахноза`. Many spellings share a key on
purpose: a key finds candidates, it proves nothing. The name itself is kept as typed.
"""

import re
import unicodedata

APOSTROPHES = "ʻʼ‘’`´'′ʹˈ＇"
_CYRILLIC = dict(
    zip(
        "абвгғдеёжзийкқлмнопрстуўфхҳцчшщъыьэюя",
        "a b v g g d e yo j z i y k q l m n o p r s t u o f h h ts ch sh sh _ i _ e yu ya".replace("_", "-").split(" "),
        strict=True,
    )
)
_SAME_SOUND = (  # Russian and Uzbek habits for one sound; applied in order
    (re.compile(r"x|kh"), "h"),
    (re.compile(r"q"), "k"),
    (re.compile(r"w"), "v"),
    (re.compile(r"zh|dj|dzh"), "j"),
    (re.compile(r"shch|sch"), "sh"),
    (re.compile(r"ts|c(?!h)"), "s"),
    (re.compile(r"iy\b|ij\b|yy\b"), "i"),
    (re.compile(r"y(?=[aeiou])|i(?=[ao])"), ""),
    (re.compile(r"(.)\1+"), r"\1"),
)
_VOWELS = str.maketrans("ou", "aa")  # Olim is Алим in Russian, Qosim Касым, Yoʻldosh Юлдаш


def script_of(name: str) -> str:
    """`latin`, `cyrillic`, `mixed` or `other`."""
    found = {_script(sign) for sign in name if sign.isalpha() and sign not in APOSTROPHES}
    return found.pop() if len(found) == 1 else "mixed" if found else "other"


def _script(sign: str) -> str:
    word = unicodedata.name(sign, "").partition(" ")[0].lower()
    return word if word in {"latin", "cyrillic"} else "other"


def match_key(name: str) -> str:
    """The key under which spellings of one name meet: words transliterated, folded and sorted (order varies)."""
    words = re.split(r"[\s\-–,.]+", name.casefold())
    return " ".join(sorted(key for key in map(_word_key, words) if key))


def _word_key(word: str) -> str:
    bare = "".join(sign for sign in word if sign not in APOSTROPHES)
    latin = "".join(_CYRILLIC.get(sign, sign) for sign in bare).replace("-", "")
    plain = "".join(s for s in unicodedata.normalize("NFKD", latin) if not unicodedata.combining(s))
    for sound, letter in _SAME_SOUND:
        plain = sound.sub(letter, plain)
    return plain.translate(_VOWELS)
