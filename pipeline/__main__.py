"""`python -m pipeline`: the `twosessions` command."""

from .cli import main

main()
