"""The addresses of the Privacy Center."""

from collections.abc import Callable, Sequence

from litestar.types import ControllerRouterHandler

from omonat.center import (
    children,
    choices,
    complain,
    cookies,
    copy,
    correct,
    delete,
    looked,
    my_data,
    notices,
    proofs,
    receipts,
    requests,
    sign_in,
    visit_link,
)
from omonat.center.door import (
    CHECKPOINT,
    CHILDREN,
    CHOICES,
    CODE,
    COMPLAIN,
    COOKIES,
    COPY,
    CORRECT,
    CORRECT_CODE,
    DATA,
    DELETE,
    DELETE_CODE,
    HOME,
    LOOKED,
    NOTICES,
    ORDER,
    PROOF,
    RECEIPT,
    REQUEST,
    REQUESTS,
    SIGN_OUT,
    STATUS,
    STILL_RIGHT,
    VISIT,
)
from omonat.center.visit import Answer, Visit
from omonat.house import House
from omonat.pages.routes import Addresses, handlers_of


async def _first(visit: Visit) -> Answer:
    return await my_data.home(visit) if visit.signed_in else sign_in.welcome(visit)


async def _nowhere(visit: Visit) -> Answer:
    return visit.page("nowhere.html", status=404)


_ONE_CHILD = f"{CHILDREN}/{{child:str}}"

ADDRESSES = Addresses(
    pages={
        HOME: _first,
        CODE: sign_in.code,
        ORDER: sign_in.order,
        COMPLAIN: complain.form,
        STATUS: complain.ask,
        REQUEST: complain.show,
        COOKIES: cookies.show,
        CHECKPOINT: proofs.checkpoint,
        f"{CHECKPOINT}/note": proofs.note,
        f"{CHECKPOINT}/keys": proofs.keys,
        f"{CHECKPOINT}/verifier": proofs.verifier,
        f"{RECEIPT}/{{token:str}}": delete.receipt,
        f"{RECEIPT}/{{token:str}}/certificate.json": delete.certificate_json,
        f"{RECEIPT}/{{token:str}}/certificate.pdf": delete.certificate_paper,
        f"{VISIT}/{{token:str}}": visit_link.show,
        f"{HOME}/{{rest:path}}": _nowhere,
    },
    forms={
        HOME: sign_in.ask,
        CODE: sign_in.enter,
        f"{CODE}/again": sign_in.again,
        ORDER: sign_in.prove,
        DELETE_CODE: delete.enter,  # a second press finds the session ended, and its receipt
        COMPLAIN: complain.send,
        STATUS: complain.find,
        REQUEST: complain.act,
        COOKIES: cookies.choose,
    },
    for_members=Addresses(
        pages={
            DATA: my_data.show,
            LOOKED: looked.show,
            CHOICES: choices.show,
            f"{CHOICES}/{{choice:str}}": receipts.show,
            f"{CHOICES}/{{choice:str}}/file": receipts.download,
            NOTICES: notices.show,
            REQUESTS: requests.show,
            CHILDREN: children.everybody,
            _ONE_CHILD: children.one,
            f"{_ONE_CHILD}/copy": children.copy_form,
            f"{_ONE_CHILD}/correct": children.correct_form,
            f"{_ONE_CHILD}/delete": children.plan,
            f"{_ONE_CHILD}/delete/code": children.code,
            COPY: copy.show,
            CORRECT: correct.show,
            CORRECT_CODE: correct.code,
            DELETE: delete.show,
            DELETE_CODE: delete.code,
            f"{REQUESTS}/{{number:str}}": requests.one,
            f"{PROOF}/{{entry:str}}": proofs.entry,
            f"{PROOF}/{{entry:str}}/file": proofs.download,
        },
        forms={
            DATA: my_data.reveal,
            STILL_RIGHT: my_data.still_right,
            COPY: copy.make,
            CORRECT: correct.change,
            CORRECT_CODE: correct.enter,
            DELETE: delete.ask,
            CHOICES: choices.choose,
            f"{REQUESTS}/{{number:str}}": requests.act,
            NOTICES: notices.answer,
            _ONE_CHILD: children.act,
            f"{_ONE_CHILD}/copy": children.make_copy,
            f"{_ONE_CHILD}/correct": children.put_right,
            f"{_ONE_CHILD}/delete": children.ask,
            f"{_ONE_CHILD}/delete/code": children.enter,
            SIGN_OUT: sign_in.sign_out,
        },
    ),
)


def handlers(house: Callable[[], House]) -> Sequence[ControllerRouterHandler]:
    """The handlers of this door; `house` is called per request, once the house is open."""
    return handlers_of(Visit, ADDRESSES, house)
