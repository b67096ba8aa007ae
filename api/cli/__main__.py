"""`python -m twinfall.api.cli` is the command `twinfall`."""

from twinfall.api.cli import main

main()
