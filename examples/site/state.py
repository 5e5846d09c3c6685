"""What the site itself remembers: carts, order numbers, and a person id per browser that signed up. No personal value.

A browser is known by a random token in a cookie; here lies only its digest. Everything is a row changed in one
statement, so that two requests of one browser never undo each other.
"""

import secrets
import sqlite3
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec

MONTH = 30 * 86_400
_SCHEMA = """
pragma journal_mode = wal;
pragma synchronous = full;
create table if not exists browsers (
    token blob primary key, person text, seen integer not null
) without rowid;
create table if not exists personal (token blob primary key) without rowid;
create table if not exists carts (
    token blob not null, dish text not null, count integer not null, primary key (token, dish)
) without rowid;
create table if not exists done (
    number integer primary key autoincrement, once text not null unique, token blob not null, service text not null,
    total integer, leaf text, entry text, told text not null default '', at integer not null
);
"""
_FIRST_NUMBER = 41_876


@dataclass(frozen=True, slots=True)
class Done:
    """Something this browser asked for. `leaf` and `entry` name the proof; None until the API has taken it."""

    number: int
    service: str
    total: int | None
    leaf: str | None
    entry: str | None
    told: tuple[str, ...] = ()

    @property
    def star(self) -> bytes:
        """The digest from which the page draws the proof's star."""
        return bytes.fromhex(self.leaf or "")


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser's session. `token` is what its cookie holds, empty for one that has none yet. `personal`: its person
    said yes to a page of their own here; whether that still holds is asked of the API each time."""

    token: str = ""
    person: str | None = None
    personal: bool = False
    cart: dict[str, int] = field(default_factory=dict)


class State:
    """The site's small database."""

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(_SCHEMA)
        if self._db.execute("select count(*) from sqlite_sequence").fetchone()[0] == 0:
            self._db.execute("insert into sqlite_sequence (name, seq) values ('done', ?)", [_FIRST_NUMBER])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def browser(self, token: str | None) -> Browser:
        """The browser behind a cookie; a new, unknown one where there is none."""
        row = self._db.execute(
            "select person, exists (select 1 from personal p where p.token = b.token) from browsers b where token = ?",
            [_digest(token or "")],
        ).fetchone()
        if row is None or not token:
            return Browser()
        cart = self._db.execute("select dish, count from carts where token = ?", [_digest(token)]).fetchall()
        return Browser(token, row[0], bool(row[1]), dict(cart))

    def begin(self, now: int) -> Browser:
        """Know a browser from now on, and forget those not seen for a month."""
        self._db.execute("delete from carts where token in (select token from browsers where seen < ?)", [now - MONTH])
        self._db.execute(
            "delete from personal where token in (select token from browsers where seen < ?)", [now - MONTH]
        )
        self._db.execute("delete from browsers where seen < ?", [now - MONTH])
        browser = Browser(secrets.token_urlsafe(24))
        self._db.execute("insert into browsers (token, seen) values (?, ?)", [_digest(browser.token), now])
        return browser

    def add(self, browser: Browser, dish: str, by: int) -> None:
        """Put so many of a dish into the cart, or take them out."""
        self._db.execute(
            "insert into carts values (?1, ?2, max(0, ?3))"
            " on conflict do update set count = min(99, max(0, count + ?3))",
            [_digest(browser.token), dish, by],
        )

    def empty(self, browser: Browser) -> None:
        """The order is placed; the cart is empty again."""
        self._db.execute("delete from carts where token = ?", [_digest(browser.token)])

    def sign_up(self, browser: Browser, person: str) -> None:
        """From now on this browser is this person's."""
        self._db.execute("update browsers set person = ? where token = ?", [person, _digest(browser.token)])

    def make_personal(self, browser: Browser, *, yes: bool) -> None:
        """This browser's pages are personal from now on, or no more."""
        self._db.execute(
            "insert or ignore into personal values (?)" if yes else "delete from personal where token = ?",
            [_digest(browser.token)],
        )

    def number(self, browser: Browser, once: str, service: str, now: int) -> int:
        """The number of what is asked for, the same however often the same form is sent."""
        self._db.execute(
            "insert or ignore into done (once, token, service, at) values (?, ?, ?, ?)",
            [once, _digest(browser.token), service, now],
        )
        found: int = self._db.execute("select number from done where once = ?", [once]).fetchone()[0]
        return found

    def finished(self, browser: Browser, once: str) -> int | None:
        """The number of a form that was sent and taken before."""
        row = self._db.execute(
            "select number from done where once = ? and token = ? and leaf is not null", [once, _digest(browser.token)]
        ).fetchone()
        return None if row is None else int(row[0])

    def finish(self, number: int, *, total: int | None, leaf: str, entry: str, told: tuple[str, ...]) -> None:
        """The API has taken it; `told` are the channels by which the person is being told."""
        self._db.execute(
            "update done set total = ?, leaf = ?, entry = ?, told = ? where number = ?",
            [total, leaf, entry, msgspec.json.encode(told).decode(), number],
        )

    def done(self, browser: Browser, number: int) -> Done | None:
        """What this browser asked for under a number; None for anybody else's."""
        row = self._db.execute(
            "select number, service, total, leaf, entry, told from done"
            " where number = ? and token = ? and leaf is not null",
            [number, _digest(browser.token)],
        ).fetchone()
        if row is None:
            return None
        number, service, total, leaf, entry, told = row
        return Done(number, service, total, leaf, entry, tuple(msgspec.json.decode(told)))


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
