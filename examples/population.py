"""Made-up people of a restaurant in Uzbekistan: who they are, what they order, what they choose. Nobody of them exists.

`population(now=…)` is a pure function of seed, size and `now`: the same three give the same people, and everything is
dated backwards from `now`. Each household has a random stream of its own, so a larger population begins with the
smaller one's households. What comes out are `Step`s in the order of time, one to one with the calls a source system
makes: put a case, collect, assign, close, withdraw.

Among them, on purpose: one name in two scripts and with every apostrophe people type, numbers written in five ways,
families on one phone, teenagers, number holders who gave their number up and strangers who got it, orders still open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from examples.histories import WORDS, History, Step
from examples.spelling import APOSTROPHES, plain, to_cyrillic, to_latin
from omonat.base.instants import DAY, Instant, to_datetime

_OPERATORS = {"90": 20, "91": 18, "93": 14, "94": 13, "97": 9, "99": 9, "95": 6, "88": 5, "33": 3, "50": 2, "77": 1}
_LETTERS_AT = {"mail.example": 70, "pochta.example": 20, "beshqozon.example": 10}


@dataclass(frozen=True, slots=True)
class MadeUp:
    """One made-up person, as a human being; what the company knows of them is in their steps."""

    number: int
    household: int
    language: str
    female: bool
    name: str = field(repr=False)
    typed_name: str = field(repr=False)
    mobile: str = field(repr=False)
    email: str | None = field(repr=False)
    born: date = field(repr=False)
    address: Mapping[str, str] = field(repr=False)
    steps: tuple[Step, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Population:
    """Everybody. `recycled` pairs the numbers of those who gave a phone number up and those who have it now."""

    people: tuple[MadeUp, ...]
    recycled: tuple[tuple[int, int], ...]

    def steps(self) -> list[Step]:
        """All steps of everybody in the order of time; what happens at one instant stays in its order."""
        return sorted((step for person in self.people for step in person.steps), key=lambda step: step.at)


def population(
    *, now: Instant, size: int = 3_000, seed: str = "beshqozon", couriers: Sequence[str] = ("204", "205", "206")
) -> Population:
    """`size` people as of `now`. `couriers` are the staff refs to whom deliveries are assigned."""
    people: list[MadeUp] = []
    household = 0
    while len(people) < size:
        people += _Household(household, len(people), now, Random(f"{seed}/{household}"), couriers).people()  # noqa: S311
        household += 1
    del people[size:]
    return _with_recycled_numbers(people, now)


class _Household:
    """One to four people behind one door."""

    def __init__(self, number: int, first: int, now: Instant, rng: Random, couriers: Sequence[str]) -> None:
        self._number = number
        self._first = first
        self._now = now
        self._rng = rng
        self._couriers = couriers
        self._today = to_datetime(now).date()
        self._russian = rng.random() < 0.17
        self._address = self._make_address()

    def people(self) -> list[MadeUp]:
        rng = self._rng
        size = rng.choices((1, 2, 3, 4), (87, 9, 3, 1))[0]
        tongue: Mapping[str, list[str]] = WORDS["russian" if self._russian else "uzbek"]
        surname, shared = _common(rng, tongue["surnames"]), size > 1 and rng.random() < 0.6
        people: list[MadeUp] = []
        for place in range(size):
            child = place > 1 or (place == 0 and rng.random() < 0.01)
            number = self._first + place
            female = rng.random() < 0.5 if place != 1 else not people[0].female
            mobile = people[0].mobile if shared and people and (child or place == 1) else _mobile(number)
            people.append(self._one(number, tongue, surname=surname, female=female, child=child, mobile=mobile))
        return people

    def _one(
        self, number: int, tongue: Mapping[str, list[str]], *, surname: str, female: bool, child: bool, mobile: str
    ) -> MadeUp:
        rng = self._rng
        given = _common(rng, tongue["women" if female else "men"])
        name = self._full_name(given, _of_woman(surname) if female else surname, tongue["fathers"], female)
        if self._russian:
            language = rng.choices(("ru", "uz", "en"), (94, 3, 3))[0]
            typed = to_latin(name) if rng.random() < 0.12 else name
        else:
            language = rng.choices(("uz", "ru", "en"), (80, 16, 4))[0]
            typed = to_cyrillic(name) if rng.random() < 0.28 else _apostrophes(rng, name)
        born = self._today - timedelta(days=rng.randint(14 * 366, 18 * 365 - 5) if child else _age_in_days(rng))
        email = _email(rng, given, _of_woman(surname) if female else surname, number) if rng.random() < 0.58 else None
        person = MadeUp(number, self._number, language, female, name, typed, mobile, email, born, self._address)
        return replace(person, steps=History(person, rng, self._now, self._couriers).steps(grown_up=not child))

    def _full_name(self, given: str, surname: str, fathers: list[str], female: bool) -> str:
        rng = self._rng
        father = _common(rng, fathers)
        if self._russian:
            patronymic = _russian_patronymic(father, female)
        elif rng.random() < 0.55:
            patronymic = f"{father} {'qizi' if female else 'oʻgʻli'}"
        else:
            link = "yev" if father[-1] in "aio" else "ov"
            patronymic = f"{father}{link}{'na' if female else 'ich'}"
        order = rng.random()
        if order < 0.30:
            return f"{surname} {given} {patronymic}"
        return f"{given} {surname}" if order < 0.75 else f"{surname} {given}" if order < 0.93 else given

    def _make_address(self) -> Mapping[str, str]:
        rng = self._rng
        place = rng.choices(WORDS["places"], [place["weight"] for place in WORDS["places"]])[0]
        district = rng.choice(list(place["districts"]))
        address = {
            "region": place["region"],
            "district": district,
            "city": place["city"],
            "street": rng.choice(place["districts"][district]),
            "house": f"{rng.randint(1, 140)}{rng.choice(('', '', '', 'A', '/2'))}",
        }
        if rng.random() < 0.6:
            floor = rng.randint(1, 9)
            address |= {"entrance": str(rng.randint(1, 6)), "floor": str(floor), "flat": str(rng.randint(1, 90))}
        return address


def _with_recycled_numbers(people: list[MadeUp], now: Instant) -> Population:
    """Some number holders gave theirs up long ago, and a stranger who came lately has it now: one in about 250."""
    pairs: list[tuple[int, int]] = []
    alone = [p for p in people if sum(1 for q in _neighbours(people, p) if q.household == p.household) == 1]
    early = [p for p in alone if max(step.at for step in p.steps) < now - 150 * DAY]
    late = [p for p in alone if min(step.at for step in p.steps) > now - 120 * DAY]
    for old, new in zip(early[::9], late[::9], strict=False):
        if len(pairs) * 250 >= len(people):
            break
        people[new.number] = _with_number(new, old.mobile)
        pairs.append((old.number, new.number))
    return Population(tuple(people), tuple(pairs))


def _neighbours(people: Sequence[MadeUp], person: MadeUp) -> Sequence[MadeUp]:
    return people[max(0, person.number - 3) : person.number + 4]


def _with_number(person: MadeUp, mobile: str) -> MadeUp:
    def changed(step: Step) -> Step:
        items = step.body.get("items", {})
        if "contact.mobile" not in items:
            return step
        return replace(step, body={**step.body, "items": {**items, "contact.mobile": mobile}})

    return replace(person, mobile=mobile, steps=tuple(changed(step) for step in person.steps))


def _common(rng: Random, names: Sequence[str]) -> str:
    """A name from a list that is ordered by frequency: the first is about six times as frequent as the last."""
    return names[int(len(names) * rng.random() ** 1.6)]


def _of_woman(surname: str) -> str:
    return surname + {"v": "a", "в": "а", "н": "а"}.get(surname[-1], "") if len(surname) > 4 else surname


def _russian_patronymic(father: str, female: bool) -> str:
    if father.endswith("й"):
        return father[:-1] + ("евна" if female else "евич")
    return father + ("овна" if female else "ович")


def _apostrophes(rng: Random, name: str) -> str:
    typed = rng.choices(tuple(APOSTROPHES), tuple(APOSTROPHES.values()))[0]
    return name if typed == "ʻ" else name.replace("ʻ", typed).replace("ʼ", typed)


def _age_in_days(rng: Random) -> int:
    return int(min(88, 18.1 + rng.gammavariate(2.2, 8.5)) * 365.25)


def _mobile(number: int) -> str:
    """A number for person `number`, never the same twice: a mobile range and a subscriber number beginning with 0."""
    rng = Random(number)  # noqa: S311
    operator = rng.choices(tuple(_OPERATORS), tuple(_OPERATORS.values()))[0]
    return f"+998{operator}0{(number * 618_033 + 271_828) % 1_000_000:06}"


def _email(rng: Random, given: str, surname: str, number: int) -> str:
    host = rng.choices(tuple(_LETTERS_AT), tuple(_LETTERS_AT.values()))[0]
    return f"{plain(given)}.{plain(surname)}{number}@{host}"
