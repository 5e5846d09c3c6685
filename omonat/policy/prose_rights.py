"""What people can do and where: the two chapters that follow the document's own ones (A2, A3, C2, C3, Q2, R1)."""

from omonat.policy.model import Policy, Words
from omonat.policy.prose_blocks import Chapter, Fact, Facts
from omonat.policy.words import Basis

RIGHTS = Words(uz="Huquqlaringiz", ru="Ваши права", en="Your rights")
CONTACT = Words(uz="Aloqa", ru="Контакты", en="Contact")
CENTER = "/me"
_PLACES = (
    CENTER,
    f"{CENTER}/data",
    f"{CENTER}/copy",
    f"{CENTER}/delete",
    f"{CENTER}/choices",
    f"{CENTER}/choices",
    "/complain",
)
"""Where each right is exercised, in the order of `_RIGHTS`; a complaint needs no account."""

_RIGHTS: tuple[tuple[Words, Words], ...] = (
    (
        Words(uz="Koʻrish", ru="Посмотреть", en="See"),
        Words(
            uz="Maxfiylik markazida (/me) siz haqingizda nima saqlanishi, nega va qachongacha ekani hamda "
            "kim koʻrgani turadi.",
            ru="В центре приватности (/me) видно, что о вас хранится, зачем, до какого срока и кто это смотрел.",
            en="The Privacy Center (/me) shows what is held about you, why, until when, and who looked.",
        ),
    ),
    (
        Words(uz="Tuzatish", ru="Исправить", en="Correct"),
        Words(
            uz="Ism, manzil, telefon yoki elektron pochtangizni maxfiylik markazida oʻzingiz tuzatasiz; yangi telefon "
            "yoki elektron pochta kod bilan tasdiqlanadi. Qolganini tuzatishni bizdan soʻrang.",
            ru="Имя, адрес, телефон и электронную почту вы исправляете сами в центре приватности; новый телефон "
            "или адрес почты подтверждается кодом. Об остальном попросите нас.",
            en="Correct your name, address, phone or e-mail in the Privacy Center yourself; a new phone or e-mail is "
            "confirmed by a code. Ask us to correct anything else.",
        ),
    ),
    (
        Words(uz="Yuklab olish", ru="Скачать", en="Take away"),
        Words(
            uz="Maxfiylik markazida hamma maʼlumotlaringizni bitta fayl qilib oling: oʻqish uchun yoki boshqa "
            "dastur uchun.",
            ru="Возьмите в центре приватности все свои данные одним файлом: чтобы читать или для другой программы.",
            en="Take all your data as one file from the Privacy Center: to read, or for another program.",
        ),
    ),
    (
        Words(uz="Oʻchirish", ru="Удалить", en="Delete"),
        Words(
            uz="Maxfiylik markazida hammasini yoki bir qismini oʻzingiz oʻchirasiz, buni kod bilan tasdiqlaysiz. "
            "Qonun yoki ochiq nizo saqlashni talab qilsa, nima va qachongacha qolishini oldindan aytamiz.",
            ru="Удалите всё или часть сами в центре приватности и подтвердите это кодом. Если закон или открытый "
            "спор требует что-то хранить, мы заранее скажем, что остаётся и до какого срока.",
            en="Delete all of it or a part yourself in the Privacy Center, and confirm it with a code. Where the law "
            "or an open dispute requires keeping something, we say before what stays and until when.",
        ),
    ),
    (
        Words(uz="Cheklash va eʼtiroz", ru="Ограничить и возразить", en="Restrict and object"),
        Words(
            uz="Maxfiylik markazida foydalanishni oʻzingiz cheklaysiz yoki qonuniy manfaatga asoslangan maqsadga "
            "eʼtiroz bildirasiz.",
            ru="В центре приватности вы сами ограничиваете использование или возражаете против цели, основанной на "
            "законном интересе.",
            en="Restrict the use yourself in the Privacy Center, or object there to a purpose that rests on a "
            "legitimate interest.",
        ),
    ),
    (
        Words(uz="Rozilikni chaqirib olish", ru="Отозвать согласие", en="Withdraw consent"),
        Words(
            uz="Maxfiylik markazida bir bosishda, xatdagi havola orqali yoki quyidagi manzilga yozib. "
            "Xizmat bundan yomonlashmaydi.",
            ru="В одно нажатие в центре приватности, по ссылке в письме или письмом на адрес ниже. "
            "Обслуживание от этого не ухудшится.",
            en="With one tap in the Privacy Center, by the link in a mail, or by writing to the address below. "
            "The service gets no worse for it.",
        ),
    ),
    (
        Words(uz="Shikoyat qilish", ru="Пожаловаться", en="Complain"),
        Words(
            uz="Rahbariyatga yozing, hisobingiz boʻlishi shart emas. "
            "Davlat organiga yoki sudga murojaat qilish huquqi ham sizda qoladi.",
            ru="Напишите руководству, учётная запись для этого не нужна. "
            "Право обратиться в государственный орган или суд остаётся за вами.",
            en="Write to management; you need no account. Your right to turn to an authority or a court remains.",
        ),
    ),
)

_TERMS = {
    "company": Words(uz="Kompaniya", ru="Компания", en="Company"),
    "tax-id": Words(uz="STIR", ru="ИНН", en="Tax number"),
    "address": Words(uz="Manzil", ru="Адрес", en="Address"),
    "phone": Words(uz="Telefon", ru="Телефон", en="Phone"),
    "mailbox": Words(uz="Elektron pochta", ru="Электронная почта", en="E-mail"),
}


def rights(policy: Policy, language: str) -> Chapter:
    """What a person can do about the data, and how."""
    rows = [Fact(right[language], how[language], link=to) for (right, how), to in zip(_RIGHTS, _PLACES, strict=True)]
    if not any(purpose.basis is Basis.CONSENT for purpose in policy.purposes.values()):
        rows = [row for row in rows if row.term != _RIGHTS[5][0][language]]
    return Chapter("rights", RIGHTS[language], (Facts("rights", tuple(rows)),))


def contact(policy: Policy, language: str) -> Chapter:
    """Whom to write to."""
    company = policy.controller
    found = {
        "company": company.name,
        "tax-id": company.tax_id,
        "address": company.address[language] if company.address else None,
        "phone": company.phone,
        "mailbox": company.mailbox,
    }
    links = {"mailbox": f"mailto:{company.mailbox}"}
    rows = tuple(Fact(_TERMS[n][language], value, link=links.get(n, "")) for n, value in found.items() if value)
    return Chapter("contact", CONTACT[language], (Facts("contact", rows),))
