"""How the demo's business clients are told (N1): one officer writes the procedure, the other approves it."""

from omonat.house import House
from omonat.promises.notice.clients import Step
from omonat.promises.notice.words import Words

WRITER, APPROVER = "102", "103"

AT_CONTRACT = {
    "uz": Words(
        title="Maʼlumotlaringiz haqida",
        text="Shartnoma uchun nima olinishi, nega va qachongacha saqlanishi siyosatimizda yozilgan. Aloqa uchun masʼul "
        "xodimingiz oʻz maʼlumotlarini Maxfiylik markazida koʻradi.",
    ),
    "ru": Words(
        title="О ваших данных",
        text="Что берётся для договора, зачем и до какого срока хранится, сказано в нашей политике. Ваш сотрудник для "
        "связи видит свои данные в Центре приватности.",
    ),
    "en": Words(
        title="About your data",
        text="What is taken for the contract, why and until when it is kept stands in our policy. Whoever you name as "
        "a contact sees their data in the Privacy Center.",
    ),
}
NEW_VERSION = {
    "uz": Words(
        title="Siyosat yangilandi",
        text="Siyosatimizning yangi tahriri kuchga kirdi. Nima oʻzgargani unda koʻrsatilgan.",
    ),
    "ru": Words(
        title="Политика обновлена",
        text="Вступила в силу новая редакция нашей политики. В ней показано, что изменилось.",
    ),
    "en": Words(
        title="The policy has changed",
        text="A new version of our policy is in force. It shows what has changed.",
    ),
}
BREACH = {
    "uz": Words(
        title="Maʼlumotlar xavfsizligi buzildi",
        text="Nima boʻlgani, kimlarga tegishli ekani va nima qilish kerakligi xabarda yozilgan.",
    ),
    "ru": Words(
        title="Нарушена безопасность данных",
        text="Что случилось, кого это касается и что делать, сказано в сообщении.",
    ),
    "en": Words(
        title="A breach of data security",
        text="What happened, whom it concerns and what to do stands in the message.",
    ),
}
PROCEDURE = (
    Step(
        id="at-contract", occasion="engaged", part="contract", within=3, channels=("contract", "letter"),
        says=AT_CONTRACT,
    ),
    Step(
        id="new-version", occasion="policy-version", part="privacy", within=10, channels=("email", "letter"),
        says=NEW_VERSION,
    ),
    Step(
        id="breach", occasion="security-breach", part="privacy", within=3, channels=("email", "sms", "letter"),
        says=BREACH,
    ),
)  # fmt: skip


async def tell_clients_by(house: House) -> None:
    """Put the procedure into force, unless one was written before."""
    versions = await house.client_procedures.every()
    if not versions:
        versions = [await house.client_procedures.write(PROCEDURE, by=WRITER)]
    if all(version.approved_by is None for version in versions):  # or a kill came in between
        await house.client_procedures.approve(versions[0].version, by=APPROVER)
