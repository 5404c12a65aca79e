"""The sub-commands of `twosessions`, one module a group: argument parsing only; here is what all commands share."""

from __future__ import annotations

import sys
from enum import IntEnum
from typing import Annotated, NoReturn

import typer


class Exit(IntEnum):
    """What the exit status says."""

    OK = 0
    FAILED = 1
    USAGE = 2


DEFAULT_STORE = "sqlite:///twosessions.db"
StoreUrl = Annotated[str, typer.Option(help="An SQLAlchemy database URL.")]


def stop(message: object, status: Exit = Exit.USAGE) -> NoReturn:
    """End the command with a message on standard error."""
    print(message, file=sys.stderr)
    raise typer.Exit(status)
