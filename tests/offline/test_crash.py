"""Cut off between any two steps, each form is still taken in, and once; a key's change is noted, and once (S1)."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from omonat.base import failpoints
from omonat.base.errors import OmonatError
from omonat.base.failpoints import MARK, Tripped
from omonat.base.instants import DAY
from omonat.flows.clients import parse_credential
from omonat.house import open_house, system_clock
from tests.faults.breaking import Failpoints
from tests.flows.conftest import Clock, Shop, furnish, settings_for
from tests.offline.conftest import Device, acts, count

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def armed(tmp_path: Path) -> Iterator[Failpoints]:
    """This very process obeys a control file, until the test ends."""
    marked = tmp_path / "marked"
    marked.mkdir(mode=0o700)
    (marked / MARK).touch()
    control = Failpoints(tmp_path / "faults")
    failpoints.arm(control.control, marked)
    yield control
    failpoints.arm(None, marked)


@pytest.mark.parametrize(
    "point",
    ["sealed-form.opened", "collect.read", "collect.sealed", "collect.written", "collect.recorded",
     "collect.form-noted", "collect.committed", "collect.refusals-recorded", "sealed-form.answered"],
)  # fmt: skip
async def test_S1_cut_off_anywhere_each_form_is_taken_in_once(
    shop: Shop, device: Device, armed: Failpoints, point: str
) -> None:
    forms = [await device.seal() for _ in range(3)]
    token = armed.arm(point, "raise")
    with suppress(Tripped, OmonatError):
        await device.hand_in(*forms)
    assert armed.happened(token)
    assert {each.state for each in await device.hand_in(*forms)} <= {"taken", "repeated"}
    assert [each.state for each in await device.hand_in(*forms)] == ["repeated"] * 3
    accepted = [facts["form"] for facts in await acts(shop, "collect:record:accepted")]
    assert sorted(accepted) == sorted(form.id for form in forms)
    assert await count(shop, "records") == await count(shop, "sealed_forms") == 3


@pytest.mark.parametrize(
    "point", ["sealing-key.made", "sealing-key.noted", "sealing-key.destroyed", "sealing-key.end-noted"]
)
async def test_S1_a_change_of_keys_cut_off_anywhere_is_noted_once(shop: Shop, armed: Failpoints, point: str) -> None:
    keys = shop.house.sealing_keys
    token = armed.arm(point, "raise")
    for step in (keys.current, keys.renew):
        with suppress(Tripped):
            await step()
    while (await keys.current()).number < 2:
        await keys.renew()
    shop.clock.forward(8 * DAY)
    with suppress(Tripped):
        await keys.end_due()
    await keys.end_due()
    assert armed.happened(token)
    assert [facts["key"] for facts in await acts(shop, "sealing:key:begun")] == [1, 2]
    assert await acts(shop, "sealing:key:destroyed") == [{"key": 1}]
    assert [key.ended_at is not None for key in await keys.every()] == [True, False]


async def test_S1_a_killed_import_of_a_file_is_done_again_and_takes_nothing_in_twice(dsn: str, tmp_path: Path) -> None:
    settings, clock = settings_for(dsn, tmp_path), Clock(system_clock())
    (settings.home / MARK).touch()
    async with open_house(settings, clock=clock) as house:
        shop = await furnish(house, clock)
        issued = parse_credential(await house.clients.issue(name="kiosk-1", source="counter", roles=["system"]))
        device = Device(shop, issued.client, issued)
        await house.devices.set_up(issued, device.public)
        file = tmp_path / "stick.json"
        file.write_bytes(msgspec.json.encode(device.batch(*[await device.seal() for _ in range(3)])))
        control = Failpoints(tmp_path / "faults")
        control.arm("collect.committed", "kill")

        program = (
            "from pathlib import Path; from omonat.base.failpoints import arm; from omonat.cli import main;"
            f"arm(Path({str(control.control)!r}), Path({str(settings.home)!r})); main()"
        )

        def run() -> "subprocess.CompletedProcess[str]":
            return subprocess.run(
                [sys.executable, "-c", program, "offline", "import", str(file)],
                env={
                    **{"PATH": "/usr/sbin:/usr/bin:/bin", "PYTHONPATH": str(_ROOT), "HOME": str(tmp_path)},
                    **{f"OMONAT_{name.upper()}": value for name, value in {
                        "home": str(settings.home), "database": dsn, "root_key": f"key-file:{tmp_path / 'root.key'}",
                        "language": "en", "origin": settings.origin,
                    }.items()},
                },
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip

        killed = run()
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert await count(shop, "records") == 1
        states = [[line.split("\t")[1] for line in run().stdout.splitlines()] for _ in range(2)]
        assert states == [["repeated", "taken", "taken"], ["repeated"] * 3]
        assert await count(shop, "records") == 3
        changed = json.loads(file.read_text())
        changed["forms"][0]["service"] = "registration"
        file.write_text(json.dumps(changed))
        refused = run()
        assert refused.returncode == 5
        assert "form-signature-wrong\tThe form isn't signed by this device" in refused.stdout
        file.write_text("{}")
        assert run().returncode == 2
