"""What must stand before anything is served: a database that is safe and up to date, and sockets that listen."""

import socket

from omonat.base.errors import Unavailable
from omonat.base.listening import reusable
from omonat.base.progress import Tell
from omonat.base.settings import Settings
from omonat.database import safety
from omonat.database.migrate import migrate
from omonat.database.pool import Database


async def make_ready(dsn: str, settings: Settings, tell: Tell) -> None:
    """Look at the way to the database and at its settings, bring its schema up to date, look again.

    Raises Unsafe with all reasons, or what `migrate` raises.
    """
    files = safety.folder_findings(settings.home, *settings.secrets)
    safety.refuse([*safety.process_findings(), *safety.address_findings(dsn), *files])
    database = await Database.connect(dsn, size=1, name="omonat parent")
    try:
        safety.refuse(await safety.setting_findings(database, settings.archive_days))
        await migrate(dsn, tell=tell)
        safety.refuse(await safety.server_findings(database, settings.archive_days))
    finally:
        await database.close()


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """`count` listening sockets on one address, over which the kernel spreads connections evenly.

    Each worker inherits one, and we keep it open, so that connections wait while a worker is being restarted. Raises
    Unavailable `port-taken`.
    """
    try:
        with reusable(host) as probe:  # sharing a port works across processes of one account: ask without sharing
            probe.bind((host, port))
    except OSError:
        raise Unavailable("port-taken", port=str(port), host=host) from None
    sockets = []
    for _ in range(count):
        one = reusable(host)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind((host, port))
        one.listen(1024)
        sockets.append(one)
    return sockets
