"""Anonymous questions from the page's edge to what may be seen: over HTTP, on the command line, by the threshold (L4).

Visitors answer at two web workers, each of which counts what it was told; five weeks later a system of the promise's
owner and the operator ask. What is small stays hidden.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from omonat.base.failpoints import MARK
from omonat.base.instants import DAY
from omonat.database.home import address
from omonat.house import open_house, system_clock
from tests.faults.breaking import Clock
from tests.whole.conftest import settings_of
from tests.whole.serving import ROOT, Installation, Service, serving

AGE, GENDER = "relationship.age-band", "relationship.gender"
VISITORS = ["female"] * 13 + ["male"] * 11
OLD = 4
"""How many of them say that they are 65 or older: fewer than may be seen."""


async def test_L4_answers_are_counted_at_the_edge_and_seen_from_the_threshold(
    installation: Installation, tmp_path: Path
) -> None:
    (installation.home / MARK).touch(0o600)
    clock = Clock(tmp_path / "clock")
    clock.step(0)
    settings = {"TEST_CLOCK": str(clock.file)}
    with serving(installation, **settings) as service:
        quality = await client_of_the_owner(installation)
        await visitors_answer(service)
        assert service.stop() == 0, "what waits is counted when it ends"
    clock.step(35 * DAY)
    with serving(installation, **settings) as service:
        assert await kept(installation) == {(AGE, "65+"): OLD, (GENDER, "female"): 13, (GENDER, "male"): 11}
        status, told = asked(service, quality)
        assert (status, told["threshold"]) == (200, 10)
        reports = {one["question"]: one for one in told["reports"]}
        assert reports[GENDER]["cells"] == {"female": 13, "male": 11}
        assert reports[GENDER]["total"] == 24
        assert not reports[GENDER]["incomplete"]
        assert set(reports[AGE]["cells"].values()) == {None}
        assert reports[AGE]["total"] is None
        assert asked(service, installation.credentials["campaigns"])[1]["code"] == "statistics-not-yours"
        assert asked(service, quality, ago=0)[0] == 404
        printed = command(installation, service, settings)
        assert f"{GENDER}\t{reports[GENDER]['since']}\t{reports[GENDER]['until']}\tfemale\t13" in printed
        assert {line.rpartition("\t")[2] for line in printed if line.startswith(AGE)} == {"hidden"}


async def visitors_answer(service: Service) -> None:
    """Each opens the page, ticks, sends: a connection of their own, by chance to one worker or the other."""
    for number, gender in enumerate(VISITORS):
        async with httpx.AsyncClient(base_url=service.url, headers={"Host": f"localhost:{service.port}"}) as web:
            page = await web.get("/page/about-visitors?lang=en")
            form = {GENDER: gender} | ({AGE: "65+"} if number < OLD else {})
            sent = await web.post("/page/about-visitors?lang=en", data=form, headers={"Sec-Fetch-Site": "same-origin"})
            assert sent.status_code == 200
            assert "Thank you" in sent.text
            assert not {name for answer in (page, sent) for name in answer.headers if name == "set-cookie"}


async def client_of_the_owner(of: Installation) -> str:
    """A credential for a system of whoever keeps L4."""
    settings = settings_of(of.home, of.root_key, address(of.home).dsn())
    async with open_house(settings, clock=system_clock) as house:
        return await house.clients.issue(name="quality-desk", source="site", roles=["quality"])


def asked(service: Service, credential: str, ago: int = 1) -> tuple[int, Any]:
    headers = {"Host": f"localhost:{service.port}", "Authorization": f"Bearer {credential}"}
    answer = httpx.get(f"{service.url}/v1/demographics/{ago}", headers=headers)
    return answer.status_code, json.loads(answer.content)


async def kept(of: Installation) -> Counter[tuple[str, str]]:
    """The counters, as they lie in the database of an installation that runs."""
    database = await asyncpg.connect(address(of.home).dsn())
    try:
        rows = await database.fetch("select question, answer, times from omonat.demographics")
    finally:
        await database.close()
    return Counter({(row["question"], row["answer"]): row["times"] for row in rows})


def command(of: Installation, service: Service, settings: dict[str, str]) -> list[str]:
    """`omonat demographics` beside the running service."""
    done = subprocess.run(
        [sys.executable, "-m", "omonat", "demographics"],
        env=of.environment(service.port, **settings), cwd=ROOT, text=True, capture_output=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
