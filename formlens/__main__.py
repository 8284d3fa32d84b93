"""`python -m formlens` is the command line."""

from formlens.cli import main

main()
