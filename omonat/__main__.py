"""`python -m omonat` is the command `omonat`."""

from omonat.cli import main

main()
