"""Changes in plain words: what is new between two versions, as a page, a letter and the command line say it (P2, P3).

Labels are never inflected, so each sentence is built for them to stand in unchanged. What reaches further comes first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from omonat.policy.changes import Change, changes
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Words
from omonat.policy.prose_terms import cap, term, why
from omonat.policy.prose_voice import Voice, voice_of
from omonat.policy.prose_words import BASES, PHRASES, listed, lowered
from omonat.policy.words import Basis, RecipientKind


def _w(uz: str, ru: str, en: str) -> Words:
    return Words(uz=uz, ru=ru, en=en)


@dataclass(frozen=True, slots=True)
class Told:
    """One change in words: what happened to what, and what it means. `change` is what it says."""

    title: str
    lines: tuple[str, ...]
    change: Change


_TITLES: Mapping[str, Words] = {
    "purpose-new": _w("Yangi maqsad: {name}", "Новая цель: {name}", "A new purpose: {name}"),
    "items-new": _w(
        "Koʻproq maʼlumot ishlatiladi: {name}", "Используется больше данных: {name}", "More data is used: {name}"
    ),
    "roles-new": _w(
        "Koʻproq xodim koʻradi: {name}", "Видит больше сотрудников: {name}", "More of our people see it: {name}"
    ),
    "use-back": _w("Yana ishlatiladi: {name}", "Снова используется: {name}", "Used again: {name}"),
    "basis-weaker": _w(
        "Boshqa huquqiy asos: {name}", "Другое правовое основание: {name}", "Another lawful basis: {name}"
    ),
    "occasions-more": _w(
        "Koʻproq hollarda ishlatiladi: {name}",
        "Используется в большем числе случаев: {name}",
        "Used on more occasions: {name}",
    ),
    "kept-longer": _w("Uzoqroq saqlanadi: {name}", "Хранится дольше: {name}", "Kept longer: {name}"),
    "recipient-new": _w("Yangi oluvchi: {name}", "Новый получатель: {name}", "A new recipient: {name}"),
    "disclosure-new": _w(
        "Oluvchiga koʻproq beriladi: {name}", "Получателю передаётся больше: {name}", "A recipient gets more: {name}"
    ),
    "recipient-moved": _w("Oluvchi oʻzgardi: {name}", "Получатель изменился: {name}", "A recipient changed: {name}"),
    "objection-lost": _w(
        "Endi eʼtiroz bildirib boʻlmaydi: {name}", "Возразить больше нельзя: {name}", "You can object no longer: {name}"
    ),
    "promise-gone": _w("Vaʼda olib tashlandi: {name}", "Обещание снято: {name}", "A promise was dropped: {name}"),
    "age-lower": _w("Yosh chegarasi pasaydi", "Возрастная граница снижена", "An age limit is lower"),
    "required": _w("Endi majburiy: {name}", "Теперь обязательно: {name}", "Required from now on: {name}"),
    "consent-dropped": _w(
        "Roʻyxatdan chiqdi: {name}", "Вышло из списка согласий: {name}", "Off the list of consents: {name}"
    ),
    "item-new": _w("Yangi maʼlumot turi: {name}", "Новый вид данных: {name}", "A new kind of data: {name}"),
    "service-new": _w("Yangi xizmat: {name}", "Новая услуга: {name}", "A new service: {name}"),
    "role-new": _w("Yangi lavozim: {name}", "Новая роль: {name}", "A new role: {name}"),
    "promise-new": _w("Yangi vaʼda: {name}", "Новое обещание: {name}", "A new promise: {name}"),
    "purpose-gone": _w("Endi ishlatilmaydi: {name}", "Больше не используется: {name}", "No longer done: {name}"),
    "items-gone": _w(
        "Kamroq maʼlumot ishlatiladi: {name}", "Используется меньше данных: {name}", "Less data is used: {name}"
    ),
    "roles-gone": _w(
        "Kamroq xodim koʻradi: {name}", "Видит меньше сотрудников: {name}", "Fewer of our people see it: {name}"
    ),
    "basis-milder": _w(
        "Endi faqat roziligingiz bilan: {name}",
        "Теперь только с вашего согласия: {name}",
        "Only with your consent now: {name}",
    ),
    "occasions-fewer": _w(
        "Kamroq hollarda ishlatiladi: {name}",
        "Используется в меньшем числе случаев: {name}",
        "Used on fewer occasions: {name}",
    ),
    "kept-shorter": _w("Qisqaroq saqlanadi: {name}", "Хранится меньше: {name}", "Kept for less time: {name}"),
    "recipient-gone": _w("Endi berilmaydi: {name}", "Больше не передаётся: {name}", "No longer a recipient: {name}"),
    "disclosure-gone": _w(
        "Oluvchiga kamroq beriladi: {name}", "Получателю передаётся меньше: {name}", "A recipient gets less: {name}"
    ),
    "objection-won": _w(
        "Endi eʼtiroz bildirsa boʻladi: {name}", "Теперь можно возразить: {name}", "You can object now: {name}"
    ),
    "age-higher": _w("Yosh chegarasi koʻtarildi", "Возрастная граница повышена", "An age limit is higher"),
    "optional": _w("Endi ixtiyoriy: {name}", "Теперь необязательно: {name}", "Optional from now on: {name}"),
    "consent-asked": _w(
        "Rozilik soʻraladigan holat: {name}", "Случай, требующий согласия: {name}", "Consent is asked for: {name}"
    ),
    "item-gone": _w("Endi soʻralmaydi: {name}", "Больше не собирается: {name}", "No longer collected: {name}"),
    "service-gone": _w("Xizmat toʻxtatildi: {name}", "Услуги больше нет: {name}", "A service has ended: {name}"),
    "role-gone": _w("Lavozim olib tashlandi: {name}", "Роли больше нет: {name}", "A role is gone: {name}"),
}
_LABELLED = {"recipient": "recipient", "disclosure": "recipient", "promise": "promise", "item": "item"}
_LABELLED |= {"service": "service", "required": "service", "optional": "service", "role": "role"}

_ITEMS = _w("Maʼlumotlar: {list}.", "Данные: {list}.", "Data: {list}.")
_ROLES = _w("Kim koʻradi: {list}.", "Кто видит: {list}.", "Who sees it: {list}.")
_PURPOSES = _w("Nima uchun: {list}.", "Для чего: {list}.", "What for: {list}.")
_BASIS = _w("Huquqiy asos: {basis}.", "Правовое основание: {basis}.", "Lawful basis: {basis}.")
_FROM_TO = _w("Avval: {was}. Endi: {now}.", "Было: {was}. Стало: {now}.", "Before: {was}. Now: {now}.")
_KEPT = _w("Endi saqlanadi: {list}.", "Теперь хранится: {list}.", "Kept now: {list}.")
_COUNTRY = _w("Davlat: {country}.", "Страна: {country}.", "Country: {country}.")
_CONSENT = _w(
    "Siz rozi boʻlmaguningizcha bu qilinmaydi.",
    "Без вашего согласия этого не будет.",
    "Not done unless you consent.",
)
_AGREE = _w(
    "Avval bergan maʼlumotingiz faqat siz rozi boʻlsangiz shunday ishlatiladi.",
    "То, что вы дали раньше, используется так, только если вы согласитесь.",
    "What you gave before is used so only if you agree.",
)
_TELL = _w(
    "Avval bergan maʼlumotingiz faqat xabar sizga yetgach shunday ishlatiladi.",
    "То, что вы дали раньше, используется так только после того, как вы об этом узнали.",
    "What you gave before is used so only once you have been told.",
)
_AGES: Mapping[str, Words] = {
    "child-under": _w(
        "Bolalar maʼlumotini ota-onasiz olmaslik yoshi.",
        "Возраст, до которого данные ребёнка не берутся без родителя.",
        "The age below which nothing is taken of a child without a parent.",
    ),
    "consent-under": _w(
        "Ota-ona ham rozi boʻlishi kerak boʻlgan yosh.",
        "Возраст, до которого согласие даёт и родитель.",
        "The age below which a parent consents as well.",
    ),
    "images-under": _w(
        "Suratga olishga ota-ona rozi boʻladigan yosh.",
        "Возраст, до которого на съёмку соглашается родитель.",
        "The age below which a parent consents to being filmed.",
    ),
}
_KINDS: Mapping[RecipientKind, Words] = {
    RecipientKind.PROCESSOR: _w("bizning topshirigʻimiz bilan", "по нашему поручению", "on our behalf"),
    RecipientKind.CONTROLLER: _w("oʻz javobgarligi bilan", "под свою ответственность", "in its own responsibility"),
    RecipientKind.AUDITOR: _w("auditor", "аудитор", "auditor"),
    RecipientKind.AUTHORITY: _w("davlat organi", "государственный орган", "public authority"),
    RecipientKind.PUBLIC: _w("hammaga ochiq", "открыто для всех", "open to everybody"),
}
_WAITS = frozenset(
    {"purpose-new", "items-new", "roles-new", "use-back", "basis-weaker", "occasions-more", "kept-longer"}
)
"""Changes the program holds back by itself for each person until they were told (`since`)."""
SAME = _w(
    "Bu ikki tahrir bir xil ishlaydi: farq faqat soʻzlarda.",
    "Эти две редакции действуют одинаково: отличаются только слова.",
    "These two versions do the same: only their words differ.",
)
MORE = _w("… va yana {many} ta oʻzgarish.", "… и ещё изменений: {many}.", "… and {many} more changes.")


def told(old: CompiledPolicy, new: CompiledPolicy, language: str) -> tuple[Told, ...]:
    """Every change of meaning between the two, in words; empty when they do the same."""
    return tuple(in_words(change, old, new, language) for change in changes(old, new))


def in_words(change: Change, old: CompiledPolicy, new: CompiledPolicy, language: str) -> Told:
    """One change in words."""
    of, before = (old, new) if change.kind.endswith("-gone") else (new, old)
    name = ""
    if change.about in _AGES:
        lines = [_AGES[change.about][language], _FROM_TO[language].format(was=change.was, now=change.now)]
    else:
        name = of.label(_LABELLED.get(change.kind.partition("-")[0], "purpose"), change.about, language)
        lines = list(_lines(change, of, before, language))
    return Told(_TITLES[change.kind][language].format(name=name), tuple(lines), change)


def briefly(found: Sequence[Told], language: str, most: int) -> str:
    """What must be told, as paragraphs of a letter, at most so many changes; the rest is counted."""
    telling = [one for one in found if one.change.tell]
    paragraphs = [" ".join((f"{one.title}.", *one.lines)) for one in telling[:most]]
    if len(telling) > most:
        paragraphs.append(MORE[language].format(many=len(telling) - most))
    return "\n\n".join(paragraphs)


def _lines(change: Change, of: CompiledPolicy, before: CompiledPolicy, language: str) -> Iterable[str]:
    voice = voice_of(of.policy, language, of.packs)
    kind = change.kind
    if kind == "purpose-new":
        yield of.purposes[change.about].tells[language]
    if kind in ("promise-new", "promise-gone"):
        yield of.policy.promises[change.about].tells[language]
    if change.items:
        yield _ITEMS[language].format(list=lowered(voice.list(change.items)))
    if change.roles and kind != "items-gone":
        yield _ROLES[language].format(list=lowered(listed([of.roles[r].says[language] for r in change.roles])))
    if change.purposes:
        names = [of.purposes[p].says[language] for p in change.purposes]
        yield _PURPOSES[language].format(list=lowered(listed(names)))
    yield from _particulars(change, of, before, voice)
    if change.agree:
        by_consent = of.purposes[change.about].basis is Basis.CONSENT
        yield (_CONSENT if by_consent else _AGREE)[language]
    elif change.tell and kind in _WAITS:
        yield _TELL[language]


def _particulars(change: Change, of: CompiledPolicy, before: CompiledPolicy, voice: Voice) -> Iterable[str]:
    language = voice.language
    match change.kind:
        case "purpose-new":
            yield _BASIS[language].format(basis=lowered(voice(BASES[Basis(change.now)])))
        case "basis-weaker" | "basis-milder":
            was, now = (lowered(voice(BASES[Basis(basis)])) for basis in (change.was, change.now))
            yield _FROM_TO[language].format(was=was, now=now)
        case "kept-longer" | "kept-shorter":
            then = _periods(change, before, voice_of(before.policy, language, before.packs))
            if new := [phrase for phrase in _periods(change, of, voice) if phrase not in then]:
                yield _KEPT[language].format(list="; ".join(new))
        case "recipient-new":
            recipient = of.policy.recipients[change.about]
            if recipient.tells is not None:
                yield voice(recipient.tells)
            yield _COUNTRY[language].format(country=recipient.country.upper())
        case "recipient-moved":
            was, now = (_place(place, voice) for place in (change.was, change.now))
            yield _FROM_TO[language].format(was=was, now=now)


def _periods(change: Change, of: CompiledPolicy, voice: Voice) -> tuple[str, ...]:
    """How long the items are kept for the purpose: each rule with its reason, and the end of all, by service."""
    found = []
    for service in of.services.values():
        if change.about not in service.for_ and change.about not in service.offers:
            continue
        schedule = of.policy.retention[service.keeps]
        rules = [r for r in schedule.rules if any(r.covers(item) for item in change.items)]
        said = [f"{term(rule, voice)} ({why(rule, voice)})" for rule in rules]
        said.append(voice(PHRASES["at-most"]).format(span=cap(schedule.at_most, voice)))
        found += [f"{lowered(voice(service.says))} – {phrase}" for phrase in said]
    return tuple(dict.fromkeys(found))


def _place(kind_and_country: str, voice: Voice) -> str:
    kind, _, country = kind_and_country.partition(", ")
    return f"{voice(_KINDS[RecipientKind(kind)])}, {country.upper()}"
