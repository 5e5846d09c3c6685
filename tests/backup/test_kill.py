"""Killed at every step of a backup and of a restore: what is left is no backup, or is begun again, and never served."""

from collections.abc import Awaitable, Callable

import pytest

from omonat.backup import manifest as manifests
from omonat.base.errors import BadInput
from tests.backup.conftest import Ruin, Town, erase, subscriber

MakeRuin = Callable[[], Awaitable[Ruin]]


class Killed(BaseException):
    """The process ends here: no handler of ours runs, no transaction commits."""


class Assassin:
    """Hears every step, and kills at one of them."""

    def __init__(self, at: str = "") -> None:
        self.steps: list[str] = []
        self.at = at

    def __call__(self, step: str) -> None:
        self.steps.append(step)
        if step == self.at:
            self.at = ""
            raise Killed


async def test_S6_a_backup_killed_at_any_step_is_whole_or_none(town: Town) -> None:
    await subscriber(town)
    heard = Assassin()
    await town.backup(reached=heard)
    assert heard.steps == ["data", "log", "journal", "manifest", "keys", "whole"]
    for step in heard.steps:
        with pytest.raises(Killed):
            await town.backup(reached=Assassin(step))
        folder = max(town.place.glob("backups-*"), key=lambda path: int(path.name.split("-")[1]))
        whole = manifests.newest(folder)
        assert (whole is not None) == (step == "whole"), step
        if whole is None:
            with pytest.raises(BadInput) as error:
                manifests.read(folder)
            assert error.value.code == "backup-incomplete"


async def test_S6_what_a_killed_backup_left_is_removed_by_the_next(town: Town) -> None:
    await subscriber(town)
    await town.settle()
    folder = town.place / "same"
    with pytest.raises(Killed):
        await town.backup_into(folder, reached=Assassin("journal"))
    assert [path.name.endswith(".partial") for path in folder.iterdir()] == [True]
    town.clock.forward(1_000_000)
    whole = await town.backup_into(folder)
    assert list(folder.iterdir()) == [whole]


async def test_S6_a_restore_killed_at_any_step_serves_nothing_and_is_finished_by_running_it_again(
    town: Town, ruin: MakeRuin
) -> None:
    person, gone = await subscriber(town), await town.order(mobile="+998907770002")
    backup = await town.backup()
    await town.choose(person, "consent", "withdrawn", "marketing-email")
    await erase(town, gone)
    await town.settle()
    new, heard = await ruin(), Assassin()
    new.reached = heard
    assert (await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))).proved
    steps = list(dict.fromkeys("loaded" if step.startswith("loaded ") else step for step in heard.steps))
    assert {"marking", "keys", "loaded", "applied", "committed", "replayed", "proved"} <= set(steps)

    one = await ruin()
    for step in [*steps[: steps.index("done")], "loaded sections"]:
        one.reached = Assassin(step)
        with pytest.raises(Killed):
            await one.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))
        assert one.refuses_to_serve(), step
    one.reached = lambda _step: None
    report = await one.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))
    assert report.proved
    assert report.buried_people == 1
    assert not one.refuses_to_serve()
    async with one.opened() as house:
        standing = await house.grounds.database.pool.fetchval("select standing from persons where id = $1", person)
        assert standing["consents"] == {}


async def test_S6_keys_cut_off_while_they_were_brought_are_brought_again(town: Town, ruin: MakeRuin) -> None:
    await subscriber(town)
    backup = await town.backup()
    new = await ruin()
    draft = new.home / ".bringing-keys"
    draft.mkdir(mode=0o700)
    (draft / "slots").write_bytes(b"half of it")
    assert (await new.restore(backup, keys=town.keys_of(backup))).proved
    assert sorted(path.name for path in new.home.iterdir()) == ["journal", "keys", "log"]
