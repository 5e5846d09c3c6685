"""`omonat serve` with more than one jobs worker, as on a host that has given it several. Run by test_campaign.py."""

import os
import sys
from dataclasses import dataclass

from omonat.base import logs
from omonat.base.settings import load
from omonat.cli._parent import Parent, Worker
from omonat.cli._speech import tell


@dataclass(slots=True)
class ManyJobs(Parent):
    """Looks after all of them alike."""

    jobs: int = 1

    def _start_workers(self) -> None:
        Parent._start_workers(self)
        (first,) = (worker for worker in self._workers if worker.name == "jobs")
        self._workers += [Worker(first.name, first.begin) for _ in range(self.jobs - 1)]


if __name__ == "__main__":
    settings = load(os.environ)
    logs.configure(level=settings.log_level, form=settings.log_format)
    sys.exit(ManyJobs(settings, tell=tell, on_ready=lambda: tell("ready"), jobs=int(sys.argv[1])).run())
