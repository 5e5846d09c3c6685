"""What every test stands on: a real PostgreSQL for each process of the run, a fresh migrated database for each test."""

import io
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import asyncpg
import hypothesis
import pytest
import pytest_asyncio
import structlog

from omonat.database.embedded import Server
from omonat.database.home import OWNER, USER
from omonat.database.migrate import migrate
from omonat.database.pool import Database
from tests.kept_log import kept_log

_TEMPLATE = "template_migrated"

hypothesis.settings.register_profile("quick", deadline=None)
hypothesis.settings.register_profile("long", deadline=None, max_examples=2000)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--long` (`make test-long`): the tests marked `long` as well, and many more examples of every property."""
    parser.addoption("--long", action="store_true", help="also run the long tests, with many more examples")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose the amount of work, and where it is done."""
    if config.option.basetemp is None or hasattr(config, "workerinput"):  # one of several: its folder's path is long
        config.option.basetemp = str(_folder_of_this_run() / "tmp")
    config.addinivalue_line("markers", "long: takes minutes; only with --long")
    hypothesis.settings.load_profile("long" if config.getoption("--long") else "quick")
    # Unset, it draws every local variable of a traceback: a whole policy takes it half a minute.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long tests to `--long`."""
    if not config.getoption("--long"):
        items[:] = [item for item in items if item.get_closest_marker("long") is None]


_numbers = itertools.count(1)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind, but what a failed test may have to tell: that goes with the next run."""
    if not getattr(config, "failed", False):
        shutil.rmtree(_folder_of_this_run(), ignore_errors=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Note whether something failed."""
    session.config.failed = bool(exitstatus)  # type: ignore[attr-defined]


@cache
def _folder_of_this_run() -> Path:
    """A folder of this process, with a short path (socket addresses end at 107 bytes), entered by the server's account.

    In memory where there is plenty: every test gets a database and a home of its own, and a busy disk would make them
    all wait. Tests kill processes, not the power, so nothing they show depends on the disk.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 * 2**30
    place = memory if roomy else Path(tempfile.gettempdir())
    for left in place.glob("omonat-test-*-*"):  # of a run that was killed
        if not Path("/proc", left.name.split("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"omonat-test-{os.getpid()}-", dir=place))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    return folder


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What this process writes into its log while a test runs."""
    with kept_log() as stream:
        yield stream


@pytest.fixture(scope="session")
def short_folder() -> Path:
    """The folder of this run."""
    return _folder_of_this_run()


@pytest.fixture(scope="session")
def server(short_folder: Path) -> Iterator[Server]:
    """The embedded PostgreSQL of this run; it dies with the run, however the run ends."""
    server = Server.start(short_folder / "home")
    yield server
    server.stop(at_once=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def owner(server: Server) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may make and drop databases; the migrated template exists once it is open."""
    connection = await asyncpg.connect(server.address.dsn("postgres", user=OWNER))
    await connection.execute(f"create database {_TEMPLATE} owner {USER}")
    await migrate(server.address.dsn(_TEMPLATE))
    yield connection
    await connection.close()


async def _copy(owner: asyncpg.Connection) -> str:
    name = f"test_{next(_numbers)}"
    await owner.execute(f"create database {name} template {_TEMPLATE} owner {USER}")
    return name


async def _drop(owner: asyncpg.Connection, name: str) -> None:
    await owner.execute(f"drop database {name} with (force)")


@pytest_asyncio.fixture(loop_scope="session")
async def dsn(server: Server, owner: asyncpg.Connection) -> AsyncIterator[str]:
    """The address of a fresh, migrated database that only this test knows."""
    name = await _copy(owner)
    yield server.address.dsn(name)
    await _drop(owner, name)


@pytest_asyncio.fixture(loop_scope="session")
async def database(dsn: str) -> AsyncIterator[Database]:
    """A connected `Database` on this test's own database."""
    database = await Database.connect(dsn, size=8)
    yield database
    await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_dsn(server: Server, owner: asyncpg.Connection) -> AsyncIterator[str]:
    """As `dsn`, shared by the tests of one module: for dear set-ups that the tests only read."""
    name = await _copy(owner)
    yield server.address.dsn(name)
    await _drop(owner, name)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_database(module_dsn: str) -> AsyncIterator[Database]:
    """As `database`, shared by the tests of one module."""
    database = await Database.connect(module_dsn, size=8)
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def empty_dsn(server: Server, owner: asyncpg.Connection) -> AsyncIterator[str]:
    """The address of a database nothing was ever done to."""
    name = f"test_{next(_numbers)}"
    await owner.execute(f"create database {name} owner {USER}")
    yield server.address.dsn(name)
    await _drop(owner, name)
