"""CSV: a folder with one file a table and view, and `datapackage.json`.

The dialect is RFC 4180 in UTF-8: commas, quotes doubled, CR LF between rows, line ends inside quoted cells kept. An
empty cell is null. A cell is what an article says, also where it begins with = + - or @: nothing is put before it, so
that the data read back equal; the package's description warns those who open it in a spreadsheet.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TextIO

from ..views import RELATIONS
from .atomic import whole_folder
from .data_package import refuse_other_folder, resource, write_package
from .source import Source

_NOTE = (
    "Cells hold the words of articles unchanged, also where they begin with = + - or @, which a spreadsheet may take "
    "for a formula: import the columns as text, or use the Parquet export. An empty cell is null. NUL characters, at "
    "which many readers of CSV stop, are written as U+FFFD."
)
_DIALECT = {
    "delimiter": ",",
    "lineTerminator": "\r\n",
    "quoteChar": '"',
    "doubleQuote": True,
    "skipInitialSpace": False,
    "header": True,
}


class _WithoutNul:
    """A text file that takes no NUL."""

    def __init__(self, stream: TextIO) -> None:
        self._write = stream.write

    def write(self, text: str) -> int:
        return self._write(text.replace("\0", "\ufffd"))


def export_csv(source: Source, destination: str) -> None:
    """Write every table and view to a folder, in place of an earlier export there."""
    with whole_folder(Path(destination), refuse_other_folder) as folder:
        resources = []
        for relation in RELATIONS:
            path = folder / f"{relation.name}.csv"
            with path.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(_WithoutNul(stream), lineterminator="\r\n")
                writer.writerow(column.name for column in relation.fields)
                for batch in source.batches(relation):
                    writer.writerows(batch)
            resources.append(
                resource(relation, path, format="csv", mediatype="text/csv", encoding="utf-8", dialect=_DIALECT)
            )
        write_package(folder, resources, source.selection, _NOTE)
