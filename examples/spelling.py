"""How names are really written: Uzbek in Latin and Cyrillic, Russian in Cyrillic and Latin, apostrophes as typed."""

_PAIRS = {
    "oʻ": "ў",
    "gʻ": "ғ",
    "sh": "ш",
    "ch": "ч",
    "yo": "ё",
    "yu": "ю",
    "ya": "я",
    "ye": "е",
    "ts": "ц",
    "ʼ": "ъ",
}
_SINGLE = dict(zip("abdefghijklmnopqrstuvxyz", "абдефгҳижклмнопқрстувхйз", strict=True))
_FROM_RUSSIAN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e yo j z i y k l m n o p r s t u f x ts ch sh sh _ i _ e yu ya".replace("_", "-").split(),
        strict=True,
    )
)
APOSTROPHES = {"ʻ": 15, "'": 55, "’": 12, "`": 10, "‘": 8}
"""What people type for oʻ and gʻ, out of a hundred."""


def to_cyrillic(latin: str) -> str:
    """Uzbek Latin in Uzbek Cyrillic: `Yoʻldosh` → `Йўлдош`, `Ergash` → `Эргаш`."""
    return " ".join(_word_to_cyrillic(word) for word in latin.split(" "))


def _word_to_cyrillic(word: str) -> str:
    found, at, lower = "", 0, word.lower()
    while at < len(lower):
        pair = lower[at : at + 2]
        # `yoʻ` is йў, not ёʻ: the apostrophe belongs to the o before it
        if pair in _PAIRS and not (pair == "yo" and lower[at + 2 : at + 3] == "ʻ"):
            letter, step = _PAIRS[pair], 2
        elif lower[at] == "e" and at == 0:
            letter, step = "э", 1
        else:
            letter, step = _PAIRS.get(lower[at], _SINGLE.get(lower[at], lower[at])), 1
        found += letter.upper() if word[at].isupper() else letter
        at += step
    return found


def to_latin(russian: str) -> str:
    """Russian as it is typed on a Latin keyboard here: `Юлия` → `Yuliya`, `Хасанов` → `Xasanov`."""
    found = ""
    for letter in russian:
        latin = _FROM_RUSSIAN.get(letter.lower(), letter).replace("-", "")
        found += latin.capitalize() if letter.isupper() else latin
    return found


def plain(name: str) -> str:
    """Only the letters a to z, for the part of an e-mail address before the @."""
    latin = to_latin(name).lower()
    return "".join(letter for letter in latin if letter.isascii() and letter.isalpha())
