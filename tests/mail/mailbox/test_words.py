"""What people write, in three languages and both scripts, and what is made of it (C3, L6, A2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.promises.mailbox import Letter, Wish, language_of, wishes_in


def letter(text: str, subject: str = "") -> Letter:
    return Letter(identity=b"", sender="", proved=False, subject=subject, text=text)


LEAVE, DELETE, ACCESS, COMPLAIN = {Wish.LEAVE}, {Wish.DELETION}, {Wish.ACCESS}, {Wish.COMPLAINT}
END, CHANGE, CORRECT, OBJECT = {Wish.END_LOCATION}, {Wish.CHANGE_LOCATION}, {Wish.CORRECTION}, {Wish.OBJECTION}

SAID = [
    ("Unsubscribe", LEAVE, "en"),
    ("please unsubscribe me", LEAVE, "en"),
    ("Remove me from your mailing list!", LEAVE, "en"),
    ("Отпишите меня от рассылки", LEAVE, "ru"),
    ("Не присылайте мне больше писем", LEAVE, "ru"),
    ("Удалите меня из рассылки", LEAVE, "ru"),
    ("Obunani bekor qiling", LEAVE, "uz"),
    ("Menga boshqa xat yubormang", LEAVE, "uz"),
    ("Обунани бекор қилинг", LEAVE, "uz"),
    ("удалите все мои данные", DELETE, "ru"),
    ("Please delete my account and everything", DELETE, "en"),
    ("Maʼlumotlarimni oʻchiring", DELETE, "uz"),
    ("malumotlarimni o'chirib tashlang iltimos", DELETE, "uz"),
    ("Маълумотларимни учириб ташланг", DELETE, "uz"),
    ("Какие данные вы храните обо мне?", ACCESS, "ru"),
    ("What data do you hold about me?", ACCESS, "en"),
    ("Qanday maʼlumotlarim bor sizlarda?", ACCESS, "uz"),
    ("Shikoyat: kuryer qoʻpol gapirdi", COMPLAIN, "uz"),
    ("Хочу пожаловаться на курьера", COMPLAIN, "ru"),
    ("I want to complain about your courier", COMPLAIN, "en"),
    ("Отзываю разрешение на местоположение", END, "ru"),
    ("Не хочу, чтобы вы использовали моё местоположение", END, "ru"),
    ("stop using my location", END, "en"),
    ("Joylashuvimga ruxsatni bekor qilaman", END, "uz"),
    ("Жойлашувимдан фойдаланманг", END, "uz"),
    ("I allow my location while the order is open", CHANGE, "en"),
    ("Разрешаю доступ к моему местоположению на день", CHANGE, "ru"),
    ("Joylashuvimga ruxsat beraman", CHANGE, "uz"),
    ("Исправьте мой адрес", CORRECT, "ru"),
    ("Ismim xato yozilgan, tuzating", CORRECT, "uz"),
    ("I object to the use of my data for analytics", OBJECT, "en"),
    ("Отпишите меня и удалите мои данные", LEAVE | DELETE, "ru"),
]


@pytest.mark.parametrize(("text", "wishes", "language"), SAID)
def test_C3_L6_A2_a_wish_is_understood_as_people_write_it(text: str, wishes: set[Wish], language: str) -> None:
    assert wishes_in(letter(text)) == wishes
    assert wishes_in(letter("", subject=text)) == wishes
    assert wishes_in(letter(f"Assalomu alaykum!\n\n{text}\n\nRahmat.")) == wishes
    assert wishes_in(letter(text.upper())) == wishes
    assert language_of(letter(text)) == language


@pytest.mark.parametrize(
    "text",
    [
        "Don't unsubscribe me, I like your letters",
        "Не отписывайте меня",
        "Where is your location?",
        "What are your opening hours?",
        "Сколько стоит плов?",
        "Osh qancha turadi?",
        "My new address for delivery is Chilonzor 5",
        "",
        "🙂",
    ],
)
def test_A2_nobody_guesses(text: str) -> None:
    assert wishes_in(letter(text)) == frozenset()


def test_C3_the_subject_of_an_answer_and_what_stands_far_below_are_not_the_senders_wish() -> None:
    assert wishes_in(letter("Thank you, see you soon", subject="Re: Unsubscribe")) == frozenset()
    assert wishes_in(letter("\n".join(["Qator"] * 20 + ["unsubscribe"]))) == frozenset()


@given(st.text(max_size=3_000), st.text(max_size=300))
def test_A2_any_text_is_looked_at_without_harm(text: str, subject: str) -> None:
    assert wishes_in(letter(text, subject)) <= frozenset(Wish)
    assert language_of(letter(text, subject)) in ("uz", "ru", "en")
