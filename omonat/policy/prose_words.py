"""The words the notice is made of beside the document's own: closed vocabularies in three languages.

Labels of the document are never inflected, so these phrases are built to stand before or after them unchanged.
"""

from collections.abc import Mapping

from omonat.policy.durations import Duration
from omonat.policy.model import Words
from omonat.policy.words import Anchor, Basis, Factor, ItemClass, Keeping, SafeguardKind


def _w(uz: str, ru: str, en: str) -> Words:
    return Words(uz=uz, ru=ru, en=en)


TITLE = _w("Maxfiylik siyosati", "Политика конфиденциальности", "Privacy policy")

BASES: Mapping[Basis, Words] = {
    Basis.CONTRACT: _w("Shartnoma", "Договор", "Contract"),
    Basis.CONSENT: _w("Rozilik", "Согласие", "Consent"),
    Basis.LEGAL_OBLIGATION: _w("Qonuniy majburiyat", "Обязанность по закону", "Legal obligation"),
    Basis.LEGITIMATE_INTEREST: _w("Qonuniy manfaat", "Законный интерес", "Legitimate interest"),
}

FACTORS: Mapping[Factor, Words] = {
    Factor.OBLIGATION: _w("qonuniy majburiyat", "обязанность по закону", "legal obligation"),
    Factor.NORM: _w("soha meʼyori", "отраслевая норма", "industry norm"),
    Factor.CONTRACT: _w("shartnoma", "договор", "contract"),
    Factor.DISPUTE: _w("nizo boʻlsa", "на случай спора", "in case of a dispute"),
    Factor.CONSENT: _w("rozilik", "согласие", "consent"),
    Factor.INTEREST: _w("qonuniy manfaat", "законный интерес", "legitimate interest"),
    Factor.RELEVANCE: _w("dolzarblik", "актуальность", "relevance"),
}

AFTER: Mapping[Anchor, Words] = {
    Anchor.COLLECTED: _w("olingan paytdan", "с момента получения", "from collection"),
    Anchor.CASE_OPENED: _w("ochilgan paytdan", "с момента открытия", "from opening"),
    Anchor.CASE_CLOSED: _w("yakunlangan paytdan", "с момента завершения", "from completion"),
    Anchor.LAST_COMPLAINT: _w("oxirgi shikoyatdan", "с последней жалобы", "from the last complaint"),
    Anchor.CONSENT_WITHDRAWN: _w(
        "rozilik chaqirib olingan paytdan", "с момента отзыва согласия", "from the withdrawal of consent"
    ),
    Anchor.ACCOUNT_CLOSED: _w(
        "hisob yopilgan paytdan", "с момента закрытия учётной записи", "from the closing of the account"
    ),
    Anchor.LAST_SEEN: _w("oxirgi tashrifdan", "с последнего посещения", "from the last visit"),
}

UNTIL: Mapping[Anchor, Words] = {
    Anchor.COLLECTED: _w("olinguncha", "до получения", "until collection"),
    Anchor.CASE_OPENED: _w("ochilguncha", "до открытия", "until opening"),
    Anchor.CASE_CLOSED: _w("yakunlanguncha", "до завершения", "until completion"),
    Anchor.LAST_COMPLAINT: _w("oxirgi shikoyatgacha", "до последней жалобы", "until the last complaint"),
    Anchor.CONSENT_WITHDRAWN: _w("rozilik chaqirib olinguncha", "до отзыва согласия", "until consent is withdrawn"),
    Anchor.ACCOUNT_CLOSED: _w("hisob yopilguncha", "до закрытия учётной записи", "until the account is closed"),
    Anchor.LAST_SEEN: _w("oxirgi tashrifgacha", "до последнего посещения", "until the last visit"),
}

KEEPINGS: Mapping[Keeping, Words] = {
    Keeping.ENFORCED: _w(
        "Dastur orqali: bunga zid amal rad etiladi.",
        "Программой: действие, которое это нарушит, отклоняется.",
        "By the program: an act that would break it is refused.",
    ),
    Keeping.EVIDENCED: _w(
        "Dalil bilan: har bir amal oʻzgartirib boʻlmaydigan jurnalga yoziladi.",
        "Доказательством: каждое действие записывается в журнал, который нельзя подделать.",
        "By evidence: every act is written into a tamper-evident log.",
    ),
    Keeping.ATTESTED: _w(
        "Tasdiq bilan: masʼul shaxs buni sana va isbot bilan tasdiqlaydi.",
        "Подтверждением: ответственный удостоверяет это с датой и доказательством.",
        "By attestation: a responsible person states it, with a date and a proof.",
    ),
}

IN_PART = _w(
    "Qisman dastur orqali. Qolganini hozircha kompaniya xodimlari bajaradi.",
    "Частично программой. Остальное пока делают сотрудники компании.",
    "By the program in part. For now, people of the company do the rest.",
)
BY_PEOPLE = _w(
    "Hozircha kompaniya xodimlari orqali. Dastur buni hali oʻzi taʼminlamaydi.",
    "Пока сотрудниками компании. Программа сама этого ещё не обеспечивает.",
    "By people of the company for now. The program doesn’t see to it by itself yet.",
)
"""Instead of what a promise declares, where this program doesn't do all of it yet."""

SAFEGUARD_KINDS: Mapping[SafeguardKind, Words] = {
    SafeguardKind.ADMINISTRATIVE: _w("Tashkiliy", "Административная", "Administrative"),
    SafeguardKind.TECHNICAL: _w("Texnik", "Техническая", "Technical"),
    SafeguardKind.PHYSICAL: _w("Jismoniy", "Физическая", "Physical"),
}

CLASSES: Mapping[ItemClass, Words | None] = {
    ItemClass.ORDINARY: None,
    ItemClass.FINANCIAL: None,
    ItemClass.SPECIAL: _w("maxsus maʼlumot", "специальные данные", "special category"),
    ItemClass.BIOMETRIC: _w("biometrik maʼlumot", "биометрические данные", "biometric data"),
    ItemClass.CREDENTIAL: _w(
        "faqat tekshiriladi, hech kim oʻqiy olmaydi",
        "только проверяется, прочитать не может никто",
        "only checked, nobody can read it",
    ),
}

COLUMNS: Mapping[str, Words] = {
    "purpose": _w("Maqsad", "Цель", "Purpose"),
    "basis": _w("Qonuniy asos", "Правовое основание", "Lawful basis"),
    "items": _w("Maʼlumotlar", "Данные", "Data"),
    "how-long": _w("Qancha muddat", "Как долго", "How long"),
    "who": _w("Kim ishlatadi", "Кто использует", "Who uses it"),
    "service": _w("Xizmat", "Услуга", "Service"),
    "required": _w("Majburiy", "Обязательно", "Required"),
    "optional": _w("Ixtiyoriy", "По желанию", "Optional"),
    "offers": _w("Rozilik bilan", "С согласия", "With consent"),
    "sources": _w("Manba", "Откуда", "Where from"),
    "category": _w("Toifa", "Категория", "Category"),
    "remarks": _w("Izoh", "Примечание", "Remarks"),
    "at-most": _w("Koʻpi bilan", "Самое большее", "At most"),
    "recipient": _w("Oluvchi", "Получатель", "Recipient"),
    "ground": _w("Asos", "Основание", "Ground"),
    "cookie": _w("Kuki-fayl", "Файл cookie", "Cookie"),
    "lifetime": _w("Muddat", "Срок", "Lifetime"),
    "safeguard": _w("Himoya chorasi", "Мера защиты", "Safeguard"),
    "kind": _w("Turi", "Вид", "Kind"),
    "review": _w("Tekshiruv oraligʻi", "Период проверки", "Review period"),
    "proof": _w("Isbot", "Подтверждение", "Proof"),
}

CAPTIONS: Mapping[str, Words] = {
    "purposes": _w("Maqsadlar roʻyxati", "Перечень целей", "List of purposes"),
    "services": _w("Har bir xizmatda nima soʻraladi", "Что спрашивается в каждой услуге", "What each service asks for"),
    "categories": _w("Toifalar va maʼlumotlar", "Категории и данные", "Categories and items"),
    "retention": _w("Saqlash muddatlari", "Сроки хранения", "How long data is kept"),
    "recipients": _w("Kimlarga beriladi", "Кому передаётся", "Who receives data"),
    "cookies": _w("Roʻyxatdagi kuki-fayllar", "Зарегистрированные файлы cookie", "Registered cookies"),
    "safeguards": _w("Himoya choralari", "Меры защиты", "Safeguards"),
}

PHRASES: Mapping[str, Words] = {
    "all-data": _w("barcha maʼlumotlar", "все данные", "all data"),
    "with-others": _w(
        "boshqa maqsad uchun saqlanayotgan paytda",
        "пока данные хранятся для других целей",
        "while kept for other purposes",
    ),
    "by-law": _w("qonunda belgilangan muddat", "срок, установленный законом", "the period set by law"),
    "per-document": _w("hujjatda koʻrsatilgani", "указанное в документе", "what the document names"),
    "no-personal-data": _w("shaxsiy maʼlumotsiz", "без персональных данных", "no personal data"),
    "session": _w("brauzer yopilguncha", "до закрытия браузера", "until the browser closes"),
    "necessary": _w("zarur", "необходимый", "necessary"),
    "with-consent": _w("faqat rozilik bilan", "только с согласия", "only with consent"),
    "pci": _w("odatda olinmaydi", "обычно не берётся", "normally not taken"),
    "every": _w("har {span}da", "раз в {span}", "every {span}"),
    "at-most": _w("koʻpi bilan {span}", "не дольше чем {span}", "at most {span}"),
    "not-typed": _w("oʻz-oʻzidan olinadi", "поступает само", "arrives by itself"),
}

_UNITS: Mapping[str, tuple[str, tuple[str, str, str], tuple[str, str]]] = {
    "years": ("yil", ("год", "года", "лет"), ("year", "years")),
    "months": ("oy", ("месяц", "месяца", "месяцев"), ("month", "months")),
    "weeks": ("hafta", ("неделя", "недели", "недель"), ("week", "weeks")),
    "days": ("kun", ("день", "дня", "дней"), ("day", "days")),
    "hours": ("soat", ("час", "часа", "часов"), ("hour", "hours")),
    "minutes": ("daqiqa", ("минута", "минуты", "минут"), ("minute", "minutes")),
    "seconds": ("soniya", ("секунда", "секунды", "секунд"), ("second", "seconds")),
}
_AT_ONCE = _w("darhol", "сразу", "at once")
_NBSP = "\u00a0"


def in_words(duration: Duration, language: str) -> str:
    """`P5Y` → “5 yil”, “5 лет”, “5 years”; number and unit never part. Nothing at all is “at once”."""
    parts = [(getattr(duration, unit), unit) for unit in _UNITS]
    spoken = [f"{count}{_NBSP}{_unit(count, unit, language)}" for count, unit in parts if count]
    return " ".join(spoken) or _AT_ONCE[language]


def _unit(count: int, unit: str, language: str) -> str:
    uz, ru, en = _UNITS[unit]
    if language == "uz":
        return uz
    if language == "en":
        return en[0] if count == 1 else en[1]
    if count % 10 == 1 and count % 100 != 11:
        return ru[0]
    return ru[1] if count % 10 in {2, 3, 4} and count % 100 not in {12, 13, 14} else ru[2]


def listed(words: list[str] | tuple[str, ...]) -> str:
    """Labels in a row; only the first keeps its capital, since labels are written as headings."""
    return ", ".join(word if place == 0 else lowered(word) for place, word in enumerate(words))


def lowered(label: str) -> str:
    """A label inside a sentence: its capital goes, unless it is an abbreviation such as IP or SMS."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def capital(phrase: str) -> str:
    """A phrase that stands alone begins with a capital."""
    return phrase[:1].upper() + phrase[1:]
