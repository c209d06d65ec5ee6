"""`python -m leeway` is the command `leeway`."""

from .cli import main

main()
