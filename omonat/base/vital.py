"""Work a process is there for: when some of it fails, the process ends, and its parent starts it anew.

Work that fails among others cancels these and waits for them; one that doesn't hear of it, or hears of it late, would
keep alive a process that does nothing any more. So the end isn't left to all of them: what was acknowledged is durable,
and a worker may end at any moment.
"""

from collections.abc import Awaitable, Callable

from omonat.base.logs import log

_log = log(__name__)


async def vital(work: Awaitable[None], *, give_up: Callable[[], None]) -> None:
    """Do it; whatever it raises but its own cancellation is told in the log, and `give_up` may end the process."""
    try:
        await work
    except Exception:
        try:
            _log.exception("job-failed")
        finally:
            give_up()
        raise
