"""Work a process is there for: when some of it fails, the process ends, and its parent starts it anew.

Work that fails among others cancels these and waits for them; one that doesn't hear of it, or hears of it late, would
keep alive a process that does nothing any more. So the end isn't left to all of them: what was acknowledged is durable,
and a worker may end at any moment.
"""

import asyncio
from collections.abc import Awaitable, Callable

from omonat.base.logs import log

_log = log(__name__)


async def vital(work: Awaitable[None], *, give_up: Callable[[], None]) -> None:
    """Do it; whatever it raises is told in the log, and `give_up` may end the process. Who is asked to stop may."""
    try:
        await work
    except (Exception, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) and _asked_to_stop():
            raise
        try:
            _log.exception("job-failed")
        finally:
            give_up()
        raise


def _asked_to_stop() -> bool:
    """Else what was cancelled is something the work waited for, and nobody would hear of its end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
