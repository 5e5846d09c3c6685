"""Telling people, as an operator types it: what would change, what was told, what is on its way; killed and begun again
(P1, P2, N2, N3). Each command is a process of its own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pyotp
import pytest_asyncio

from omonat.base.settings import Settings
from omonat.flows.publish_policy import Publication
from omonat.house import open_house, set_up_doors, system_clock
from tests.flows.conftest import Clock, document, packs, settings_for, staffed
from tests.notice.conftest import OWNER, SAYS, WRITER, second_version, speakers

ROOT = Path(__file__).parents[2]
MANY = 6_000
"""Three pages of people."""
PASSWORD = "Toʻrtta-uzun-oddiy-soʻz-41"


@dataclass
class Office:
    """An installation whose service isn't running: its commands, its tables, and a folder for files."""

    settings: Settings
    folder: Path
    connection: asyncpg.Connection

    def begin(self, *words: str, entered: str = "") -> "subprocess.Popen[str]":
        assert self.settings.root_key is not None
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OMONAT_")}
        own = {
            "OMONAT_HOME": str(self.settings.home),
            "OMONAT_ROOT_KEY": f"key-file:{self.settings.root_key.path}",
            "OMONAT_DATABASE": str(self.settings.database),
            "OMONAT_DEMO": "true",
            "OMONAT_LANGUAGE": "en",
            "OMONAT_ORIGIN": self.settings.origin,
        }
        command = subprocess.Popen(
            [sys.executable, "-m", "omonat", *words], env={**clean, **own}, cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert command.stdin is not None
        command.stdin.write(entered)
        command.stdin.close()
        command.stdin = None
        return command

    async def run(self, *words: str, entered: str = "") -> tuple[int, str, str]:
        """One command to its end: exit code, what it said, what it told on the way."""
        command = self.begin(*words, entered=entered)
        said, told = await asyncio.to_thread(command.communicate, timeout=120)
        return command.returncode, said, told

    def file(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, "utf-8")
        return str(self.folder / name)

    async def value(self, statement: str) -> Any:
        return await self.connection.fetchval(statement)

    async def inhabited(self, people: int) -> None:
        """So many people who ordered under the first version and left a phone, as far as a search looks at them."""
        await self.connection.execute(
            """with p as (
                   insert into persons (id, slot, evidence_slot, language, told, created_at)
                   select 'per_' || md5(n::text), 900000 + 2 * n, 900001 + 2 * n, 'uz', 1, now() - interval '1 hour'
                     from generate_series(1, $1::int) as n returning id, created_at
               ), l as (
                   insert into lookups (person, item, digest, epoch, since)
                   select id, 'contact.mobile', sha256(id::bytea), 1, created_at from p
               ), r as (
                   insert into records (id, person, service, version, slot, source, collected_at, due_at, due_under)
                   select 'rec' || substr(id, 4), id, 'order', 1, 5000000 + row_number() over (), 'site', created_at,
                          now() + interval '1 day', 1
                     from p returning id, person, collected_at
               )
               insert into sections (record, category, person, collected_at, sealed)
               select id, 'contact', person, collected_at, ''::bytea from r""",
            people,
        )


@pytest_asyncio.fixture(loop_scope="session")
async def office(dsn: str, tmp_path: Path) -> AsyncIterator[Office]:
    settings = settings_for(dsn, tmp_path)
    clock = Clock(system_clock())
    async with open_house(settings) as house:
        await house.publish(Publication(document=document(), packs=packs(), author="staff:1", approver="staff:2"))
        await set_up_doors(house)
        await staffed(house, clock)
        await speakers(house, clock)
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "uz.yaml").write_text(packs()["uz"], "utf-8")
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "omonat"})
    yield Office(settings, tmp_path, connection)
    await connection.close()


def words() -> str:
    return "\n".join(
        f"[{language}]\ntitle = {json.dumps(said.title, ensure_ascii=False)}\n"
        f"text = {json.dumps(said.text, ensure_ascii=False)}"
        for language, said in SAYS.items()
    )


async def test_P1_a_dry_run_says_what_would_be_and_publishes_nothing_and_then_people_are_told(office: Office) -> None:
    await office.inhabited(3)
    new = office.file("2.yaml", second_version())
    two = ("--author", "1", "--approver", "2")
    code, said, told = await office.run("policy", "publish", new, *two, "--dry-run")
    assert code == 12, told
    assert "!! More data is used: Improving the services" in said
    assert await office.value("select count(*) from policies") == 1

    code, simulated, told = await office.run("policy", "simulate", new)
    assert code == 12, told
    assert "3" in simulated
    assert "per_" not in simulated + told, "counted and never named"
    assert await office.value("select count(*) from policies") == 1
    assert await office.value("select count(*) from notices") == 0

    code, none, _ = await office.run("notices", "status")
    assert (code, none.strip()) == (0, "no version has news that people have to be told")
    code, said, told = await office.run("policy", "publish", new, *two)
    assert code == 0, told
    assert "published version 2 (ordinal 2)" in said

    code, said, told = await office.run("notices", "tell")
    assert code == 0, told
    assert said.strip() == "queued 3, sent another way 0, told 0"
    code, said, _ = await office.run("notices", "tell")
    assert said.strip() == "queued 0, sent another way 0, told 0"
    code, said, _ = await office.run("notices", "status")
    assert "version 2: 0 of 3 told; everybody was looked at" in said
    assert said.split()[-3:] == ["sms", "queued", "3"]
    code, said, _ = await office.run("notices", "status", "--json")
    (row,) = json.loads(said)
    assert row["notices"] == [{"channel": "sms", "state": "queued", "many": 3}]


async def test_N3_two_people_prove_themselves_before_anybody_can_read_it(office: Office) -> None:
    async with open_house(office.settings) as house:
        secrets = {ref: await house.staff.set_secrets(ref, PASSWORD) for ref in (WRITER, OWNER)}

    def proof(ref: str) -> str:
        return f"{PASSWORD}\n{pyotp.TOTP(secrets[ref]).now()}\n"

    file = office.file("words.toml", words())
    code, _, told = await office.run("announce", "write", file, "--by", WRITER, entered=f"{PASSWORD}\n000000\n")
    assert code == 5, told
    code, said, told = await office.run("announce", "write", file, "--by", WRITER, entered=proof(WRITER))
    assert code == 0, told
    assert "waits for approval: Payments failed" in said
    name = said.split()[0]
    code, said, told = await office.run("announce", "approve", name, "--by", OWNER, entered=proof(OWNER))
    assert code == 0, told
    assert f"{name}  public since" in said

    for wrong, status in (
        ("[uz]\ntitle = 'a'\ntext = 'b'\n", 4),
        ("uz = 1", 4),
        ("not toml", 4),
        (words() + "\n[uz2]\ntitle='a'", 4),
    ):
        code, _, told = await office.run(
            "announce", "write", office.file("w.toml", wrong), "--by", WRITER, entered=proof(WRITER)
        )
        assert code in (status, 5), told  # a code holds once: whoever is too quick is refused before the words are read
        assert "Traceback" not in told
    code, said, _ = await office.run("announce", "list")
    assert said.count("ann_") == 1
    assert (await office.run("announce", "approve", "ann_nothing", "--by", OWNER, entered=proof(OWNER)))[0] in (5, 6)


async def test_N2_a_notice_to_many_shows_how_far_it_is_and_goes_on_after_a_kill(office: Office) -> None:
    await office.inhabited(MANY)
    file = office.file("words.toml", words())
    aim = ("--kind", "security-breach", "--by", WRITER)
    assert (await office.run("service-notice", "write", file, *aim))[0] == 4
    assert (await office.run("service-notice", "write", file, *aim, "--everybody", "--service", "order"))[0] == 4
    bad = office.file("ids.txt", "per_x\n")
    assert (await office.run("service-notice", "write", file, *aim, "--people", bad))[0] == 4
    code, said, told = await office.run("service-notice", "write", file, *aim, "--everybody")
    assert code == 0, told
    name = said.split()[0]
    assert (await office.run("service-notice", "approve", name, "--by", WRITER))[0] == 5
    assert (await office.run("service-notice", "approve", name, "--by", OWNER))[0] == 0

    command = office.begin("service-notice", "tell")
    assert command.stderr is not None
    progress = ""
    while not progress.startswith("  … queued"):
        progress = await asyncio.to_thread(command.stderr.readline)
        assert progress, "it ended before it said how far it is"
    command.send_signal(signal.SIGKILL)
    await asyncio.to_thread(command.communicate)
    assert progress.strip() == "… queued 2000, sent another way 0, told 0"
    left = await office.value("select count(*) from service_notices")
    assert 2_000 <= left < MANY

    code, listed, _ = await office.run("service-notice", "list")
    assert f"0 of {left} told; people are being looked for" in listed
    code, said, told = await office.run("service-notice", "tell")
    assert code == 0, told
    assert said.strip() == f"queued {MANY - left}, sent another way 0, told 0"
    assert await office.value("select count(*) from service_notices where state = 'queued'") == MANY
    assert await office.value("select count(distinct person) from outbox where template = 'company-notice'") == MANY
    assert await office.value("select count(*) from outbox") == MANY
    code, said, _ = await office.run("service-notice", "list", "--json")
    (row,) = json.loads(said)
    assert (row["searching"], row["notices"]) == (False, [{"channel": "sms", "state": "queued", "many": MANY}])
