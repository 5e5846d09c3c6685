"""The menu: what the kitchen calls a dish, what people read in three languages, and the price in tiyin."""

from collections.abc import Mapping
from dataclasses import dataclass

from omonat.pages import N_

SECTIONS = (N_("Plov"), N_("From the tandoor and the cauldron"), N_("Soups"), N_("Salads and bread"), N_("Drinks"))
DELIVERY_FEE = 15_000_00


@dataclass(frozen=True, slots=True)
class Dish:
    """One line of the menu. `name` is the dish's own name, the same in every language but for the script."""

    id: str
    section: str
    name: str
    name_ru: str
    about: str
    price: int

    def named(self, language: str) -> str:
        """The name as this language's readers know it."""
        return self.name_ru if language == "ru" else self.name


_PALOV, _OVEN, _SOUPS, _COLD, _DRINKS = SECTIONS
_ALL = (
    Dish("toy-oshi", _PALOV, "Toʻy oshi", "Свадебный плов", N_("Rice, lamb, yellow carrots, chickpeas"), 45_000),
    Dish("choyxona-palov", _PALOV, "Choyxona palov", "Чайханский плов", N_("Beef, garlic, whole chillies"), 52_000),
    Dish(
        "bayram-palov",
        _PALOV,
        "Bayram palovi",
        "Праздничный плов",
        N_("With quince and barberries"),
        58_000,
    ),
    Dish("somsa", _OVEN, "Tandir somsa", "Самса из тандыра", N_("Lamb and onion in layered dough"), 12_000),
    Dish("manti", _OVEN, "Manti", "Манты", N_("Steamed, with sour cream"), 9_000),
    Dish("lagmon", _OVEN, "Qovurma lagʻmon", "Жареный лагман", N_("Hand-pulled noodles, beef, peppers"), 38_000),
    Dish("norin", _OVEN, "Norin", "Нарын", N_("Fine-cut noodles with cured meat"), 42_000),
    Dish("shorva", _SOUPS, "Shoʻrva", "Шурпа", N_("Clear broth, lamb, potatoes, turnip"), 36_000),
    Dish("mastava", _SOUPS, "Mastava", "Мастава", N_("Rice soup with vegetables and suzma"), 30_000),
    Dish("achchiq-chuchuk", _COLD, "Achchiq-chuchuk", "Аччик-чучук", N_("Tomatoes, onion, chilli, cut thin"), 15_000),
    Dish("non", _COLD, "Samarqand noni", "Самаркандская лепёшка", N_("Baked this morning"), 8_000),
    Dish("choy", _DRINKS, "Koʻk choy", "Зелёный чай", N_("A pot, with lemon if you wish"), 10_000),
    Dish("ayron", _DRINKS, "Ayron", "Айран", N_("Cold, with mint, half a litre"), 14_000),
)
MENU: Mapping[str, Dish] = {dish.id: dish for dish in _ALL}
SOM = 100


def by_section() -> list[tuple[str, list[Dish]]]:
    """The menu as it is printed."""
    return [(section, [dish for dish in _ALL if dish.section == section]) for section in SECTIONS]


@dataclass(frozen=True, slots=True)
class Line:
    """So many of a dish."""

    dish: Dish
    count: int

    @property
    def sum(self) -> int:
        """Tiyin."""
        return self.dish.price * SOM * self.count


def lines(cart: Mapping[str, int]) -> list[Line]:
    """The cart in the order of the menu; what isn't on the menu any more is left out."""
    return [Line(dish, cart[dish.id]) for dish in _ALL if cart.get(dish.id, 0) > 0]


def total(cart: Mapping[str, int]) -> int:
    """What the order costs with delivery, in tiyin."""
    return sum(line.sum for line in lines(cart)) + DELIVERY_FEE


def as_ordered(cart: Mapping[str, int], delivery: str) -> list[dict[str, object]]:
    """The order lines as the API takes them: the kitchen's names, prices in tiyin; `delivery` in the reader's words."""
    ordered: list[dict[str, object]] = [
        {"item": line.dish.name, "count": line.count, "price": line.dish.price * SOM} for line in lines(cart)
    ]
    return [*ordered, {"item": delivery, "count": 1, "price": DELIVERY_FEE}]
