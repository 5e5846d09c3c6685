"""What becomes at rest of what is written in each text field of a door (S2).

A field is planted: its place is looked for on the disk. Or it takes no free words, and why is said: by its own name, or
by its last word, where that means the same everywhere. One that is neither fails the test, so whoever adds one says
which it is. What lies readable on purpose is planted as well, with the column of which the inventory says so.
"""

from collections.abc import Mapping
from typing import Final

READABLE: Final[Mapping[str, str]] = {
    "client.name": "clients.name",
    "message.once": "outbox.once",
    "announcement.": "announcements.said",
    "announcement-draft.": "announcements.draft",
    "media.medium": "media_publications.medium",
    "media.reference": "media_publications.reference",
    "many.": "service_rounds.said",
    "procedure.": "client_procedures.steps",
    "procedure-desk.": "client_procedures.steps",
    "business-client.name": "business_clients.name",
    "place.name": "places.name",
    "place.proof": "safeguard_reviews.proof",
    "safeguard.proof": "safeguard_reviews.proof",
    "campaign.name": "campaigns.name",
    "campaign.words-": "campaigns.texts",
    "site.cookie-name": "site_sightings.name",
}
"""Places, by their beginning, whose words lie readable on purpose, and the column the inventory says it of."""


def stated(place: str) -> str | None:
    """The column of the inventory that says of a place that its words lie readable; None: they are sealed."""
    return next((column for begins, column in READABLE.items() if place.startswith(begins)), None)


PLANTED: Final[Mapping[str, tuple[str, ...]]] = {
    # What people write
    "RequestBody.text": ("called.text",),
    "RequestBody.name": ("called.name",),
    "RequestBody.contact": ("called.contact",),
    "RequestBody.value": ("called.value",),
    "center/complain.html text": ("request.text", "center.text"),
    "center/complain.html name": ("request.name",),
    "center/complain.html contact": ("request.contact",),
    "center/complain.html value": ("center.value",),
    "center/correct.html value": ("correction.old", "correction.new", "correction.channel"),
    "Letter.sender": ("letter.sender", "letter.leaving"),
    "Letter.subject": ("letter.subject",),
    "Letter.text": ("letter.text",),
    "Letter.identity": ("refused.letter-id",),
    "CollectBody.items": ("contact.name", "transaction.comment"),
    "CollectBody.posted": ("posted.name",),
    "FormBody.posted": ("typed.form",),
    "SealedForm.sealed": ("sealed.name",),
    "ChoiceMade.allowed": ("refused.cookie",),
    "Seen.name": ("site.cookie-name",),
    # What they type to be let in, or to be found
    "LookupBody.value": ("refused.lookup",),
    "UnsealBody.passphrase": ("typed.passphrase",),
    "UnsealBody.share": ("typed.share",),
    "center/sign_in.html who": ("refused.email",),
    "center/code.html code": ("typed.sign-in-code",),
    "center/order.html order": ("typed.order",),
    "center/status.html number": ("typed.number",),
    "center/status.html code": ("typed.request-code",),
    "center/correct_code.html code": ("typed.code",),
    "center/copy.html password": ("typed.copy-password",),
    "center/copy.html recipient": ("typed.copy-recipient",),
    "desk/sign_in.html login": ("typed.login",),
    "desk/sign_in.html password": ("typed.password",),
    "desk/queue.html number": ("typed.case-number",),
    "desk/find.html value": ("typed.find",),
    "desk/children.html person": ("typed.child-id",),
    "desk/clients.html trader": ("typed.trader-id",),
    # What staff write of people
    "desk/case.html text": ("found.text",),
    "desk/inbox_one.html text": ("answer.text",),
    "desk/inbox_one.html value": ("desk.correction",),
    "desk/child.html reference": ("guardian.reference",),
    "desk/child.html guardian": ("guardian.phone",),
    "desk/child.html address": ("parent.address",),
    "desk/child.html proof": ("committed.proof-of-age",),
    "GuardianConsentBody.reference": ("guardian.reference",),
    "GuardianConsentBody.guardian": ("guardian.phone",),
    "HoldBody.authority": ("hold.authority",),
    "omonat hold place authority": ("hold.authority",),
    "MessageBody.params": ("message.title", "message.text", "message.total"),
    "StaffBody.name": ("staff.api-name",),
    "StaffBody.login": ("staff.api-login",),
    "omonat staff set name": ("staff.name",),
    "omonat staff set login": ("staff.login",),
    # What the company says, and calls its own things
    "MessageBody.once": ("message.once",),
    "WordsIn.title": ("announcement.title-uz", "announcement-draft.title-ru", "many.title-en", "procedure.title-uz"),
    "WordsIn.text": ("announcement.text-uz", "announcement-draft.text-ru", "many.text-en", "procedure.text-uz"),
    "MediaBody.medium": ("media.medium",),
    "MediaBody.reference": ("media.reference",),
    "omonat announce media medium": ("media.medium",),
    "omonat announce media reference": ("media.reference",),
    "StepBody.id": ("procedure.step",),
    "StepBody.part": ("procedure.part",),
    "desk/client_procedure.html id": ("procedure-desk.step",),
    "desk/client_procedure.html part": ("procedure-desk.part",),
    "desk/client_procedure.html title- ~ code": ("procedure-desk.title-uz",),
    "desk/client_procedure.html text- ~ code": ("procedure-desk.text-uz",),
    "ClientBody.name": ("business-client.name",),
    "desk/clients.html name": ("business-client.name",),
    "omonat business-client register name": ("business-client.name",),
    "CampaignBody.name": ("campaign.name",),
    "CampaignBody.text": ("campaign.words-text",),
    "CampaignBody.subject": ("campaign.words-subject",),
    "CampaignBody.translations": ("campaign.words-ru",),
    "desk/campaigns.html name": ("campaign.name",),
    "desk/campaigns.html text": ("campaign.words-text",),
    "desk/campaigns.html subject": ("campaign.words-subject",),
    "desk/campaigns.html ru": ("campaign.words-ru",),
    "desk/campaigns.html en": ("campaign.words-ru",),
    "omonat campaign plan name": ("campaign.name",),
    "omonat client issue name": ("client.name",),
    "desk/safeguards.html name": ("place.name",),
    "desk/safeguards.html seen": ("place.proof",),
    "desk/safeguards.html proof": ("safeguard.proof",),
    "omonat place add name": ("place.name",),
    "omonat place add room": ("place.name",),
    "omonat place add proof": ("place.proof",),
    "omonat safeguard review proof": ("safeguard.proof",),
}
"""Where each is looked for. Two doors of one flow may share a place: what they hand on is the same from there."""

NAME: Final = (
    "a name the policy or the program has: any other is refused, and `refused.nonsense` shows that it is let go"
)
ID: Final = "an id of ours, made by chance: nothing else is found by it"
REFERENCE: Final = "a number of the company's own systems: it lies as it is given, and the limitations say so"
MOMENT: Final = "a time or a day: anything else is refused before it is looked at further"
SECRET: Final = "bytes or letters of a key, a seal, a signature or a code of digits: no words"
PLACE_TO_READ: Final = "where to read or write on this machine, or whom to ask: nothing is kept of it"

BY_LAST_NAME: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("purpose", "service", "version", "role", "source", "template", "channel", "cause", "language", "kind", "item",
         "items", "offers", "system", "method", "currency"), NAME
    ),
    **dict.fromkeys(
        ("person", "record", "trader", "people", "client", "hold", "announcement", "erasure", "entry", "round",
         "device"),
        ID,
    ),
    **dict.fromkeys(("case", "assigned", "on-behalf-of", "by", "auditor", "author", "approver", "ref"), REFERENCE),
    **dict.fromkeys(
        ("at", "until", "review-at", "review", "made-at", "collected-at", "role-until", "trained-until"), MOMENT
    ),
}  # fmt: skip
"""Fields that mean the same wherever they stand: nobody would call free words so."""

TAKES_NO_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "AnnouncementBody.says key", "ServiceNoticeBody.says key", "StepBody.says key", "CollectBody.consents key",
            "CollectBody.items key", "MessageBody.params key", "ChoiceMade.register", "ContactBody.part",
            "GivenBody.step", "EventBody.name", "omonat business-client contact part", "omonat doubts settle about",
            "omonat business-client given step", "omonat safeguard review about", "omonat tasks done about",
            "omonat campaign approve name", "omonat campaign start name", "omonat campaign status name",
            "omonat campaign stop name", "omonat client end name", "omonat cookies settle name",
            "omonat place end name", "{campaign}", "omonat prove only",
        ), NAME
    ),
    **dict.fromkeys(
        (
            "ConfirmationBody.notice", "PaymentReportBody.order", "PaymentReportBody.notice", "Report.message",
            "SealedForm.id", "{id}", "{notice}", "omonat announce write corrects",
            "omonat business-client acknowledged notice",
            "Letter.leaves",
        ), ID
    ),
    **dict.fromkeys(
        (
            "{reference}", "HoldBody.target", "omonat hold place target", "PaymentReportBody.payment",
            "omonat evidence packet because", "desk/offline.html each.service ~ -case",
        ), REFERENCE
    ),
    **dict.fromkeys(
        ("MediaBody.on", "omonat announce media on", "{ago}", "{size}", "desk/client_procedure.html within"), MOMENT
    ),
    **dict.fromkeys(
        (
            "CollectBody.form", "SealedForm.form", "SealedForm.signature", "DeviceBody.key",
            "omonat witness trust vkey",
            "omonat evidence packet recipient", "desk/offline.html credential", "center/child_delete_code.html code",
            "center/delete_code.html code", "center/request.html proof", "center/request.html proof-code",
            "desk/sign_in.html code",
        ), SECRET
    ),
    **dict.fromkeys(
        (
            "omonat erasure certificate pdf", "omonat unseal url", "omonat witness serve host",
            "omonat witness init name",
            "omonat root rotate to", "omonat policy compare old", "omonat policy compare new",
        ), PLACE_TO_READ
    ),
    "CollectBody.posted key": "a name of the policy, or the site's own, which isn't even looked at",
    "FormBody.posted key": "a name of the policy, or the site's own, which isn't even looked at",
    "FormBody.problem": "our own answer to a form, handed back to be drawn: nothing of it is kept",
    "FormBody.problem key": "our own answer to a form, handed back to be drawn: nothing of it is kept",
    "api/service_form.html ?": "the items of a service: what is posted of them is `CollectBody.posted`",
    "desk/offline.html form.service ~ - ~ field.item": "sealed in the browser: what comes of it is `SealedForm.sealed`",
}  # fmt: skip
"""Why nothing can be told in these."""


def excused(field: str) -> str | None:
    """Why a field takes no free words; None where nobody said so."""
    return TAKES_NO_WORDS.get(field) or BY_LAST_NAME.get(field.strip("{}").replace(".", " ").split(" ")[-1])
