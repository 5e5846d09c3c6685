"""Promises, what their words claim, and how the document answers the linter."""
# ruff: noqa: RUF009 - `key` and `own_id` make dataclass fields

from dataclasses import dataclass

from omonat.policy.model_basics import ITEMS, WORDS, Words
from omonat.policy.shapes import (
    Choice,
    Flag,
    Many,
    Name,
    Ref,
    Struct,
    Text,
    Whole,
    key,
    own_id,
)
from omonat.policy.words import Channel, ItemClass, Keeping, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedIn:
    """The claim that these items are collected in these services."""

    items: tuple[str, ...] = key(Many(Ref("items"), least=1))
    services: tuple[str, ...] = key(Many(Ref("services"), least=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a promise's words claim, for the linter to hold against the tables."""

    no_third_parties: bool = key(Flag(), default=False)
    third_party_cookies: bool = key(Flag(), default=False)
    anonymous: tuple[str, ...] = key(ITEMS, default=())
    consent_by_use: bool = key(Flag(), default=False)
    immediate_deletion: bool = key(Flag(), default=False)
    open_purpose_list: bool = key(Flag(), default=False)
    child_age: int | None = key(Whole(1, 21), default=None)
    mail_only_change: tuple[str, ...] = key(ITEMS, default=())
    sensitive_only: tuple[ItemClass, ...] = key(Many(Choice(ItemClass)), default=())
    without_consent: tuple[str, ...] = key(Many(Ref("purposes")), default=())
    channels_only: tuple[Channel, ...] = key(Many(Choice(Channel)), default=())
    voluntary_only: bool = key(Flag(), default=False)
    collected_in: CollectedIn | None = key(Struct(CollectedIn), default=None)
    consent_situations_defined: bool = key(Flag(), default=False)
    consent_situations_listed: bool = key(Flag(), default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One numbered promise: who answers for it and how it is kept."""

    id: str = own_id()
    section: str = key(Ref("sections"))
    owner: str = key(Ref("roles"))
    keeping: tuple[Keeping, ...] = key(Many(Choice(Keeping), least=1))
    says: Words = key(WORDS)
    tells: Words = key(WORDS)
    claims: Claims = key(Struct(Claims), default=Claims())


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the document answers a finding of the linter."""

    finding: str = key(Name())
    status: Status = key(Choice(Status))
    because: Words = key(WORDS)
    promises: tuple[str, ...] = key(Many(Ref("promises")), default=())
    about: tuple[str, ...] = key(Many(Text(200)), default=())
