"""A campaign as its operator reads it: words of the reader's language, never the names states have inside (U5, C3)."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.campaigns.conftest import MARKETER, chosen, plan, running, sent, written
from tests.notice.conftest import Town

ROOT = Path(__file__).parents[2]
INSIDE = ("permitted", "no-consent", "consent-withdrawn", "waiting", "sent:", "running")


async def told(town: Town, language: str, *words: str) -> str:
    """What a command prints."""
    given = town.house.settings.environment()
    own = {name: value for name, value in given.items() if not name.startswith(("OMONAT_SMTP", "OMONAT_SMS"))}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OMONAT_")}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "omonat", "campaign", *words],
        env={**clean, **own, "OMONAT_LANGUAGE": language},
        cwd=ROOT, text=True, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


SAID = {
    "uz": ("Ketmoqda", {"1  Rozilikni qaytarib olgan", "2  Yozish mumkin", "1  Yuborilgan"}, "1  Joʻnatilmagan: "),
    "ru": ("Идёт", {"1  Отозвали согласие", "2  Можно писать", "1  Отправлено"}, "1  Не отправлено: "),
    "en": ("Running", {"1  Took the yes back", "2  May be written to", "1  Sent"}, "1  Kept back: "),
}


async def test_U5_states_and_reasons_are_told_in_words(town: Town) -> None:
    people = [(await town.subscribed(f"p{n}@mail.example")).person for n in range(3)]
    await chosen(town, people[0], "consent", "withdrawn")
    await running(town)
    await written(town)
    await chosen(town, people[1], "consent", "withdrawn")
    await sent(town)
    for language, (state, lines, kept_back) in SAID.items():
        said = await told(town, language, "status", "navroz")
        head, *rest = [line.strip() for line in said.splitlines()]
        assert state in head
        assert lines <= set(rest)
        assert [line for line in rest if line.startswith(kept_back) and line != kept_back.strip()], "and why"
        assert not [name for name in INSIDE if name in "\n".join(rest)]
    await town.house.campaigns.plan(plan("bahor"), MARKETER)
    listed = await told(town, "ru", "list")
    assert "Идёт" in listed
    assert "Запланирована, ещё не утверждена" in listed
