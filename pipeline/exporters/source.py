"""What an exporter reads: the selected rows of one snapshot, in batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..query import stored_records
from ..schema import Record
from ..selection import Selection, queries
from ..tables import Relation

Row = Sequence[Any]

_ROWS, _CHARACTERS = 20_000, 8_000_000
# Columns that hold whole articles or proposals; rows of these are fetched a few at a time.
_LONG = {"article": "text", "proposal": "text", "v_records": "proposal"}


class ExportError(RuntimeError):
    """An export can't be made; the message says why and names the destination or what is missing."""


def _silent(name: str, rows: int) -> None:
    pass


@dataclass(frozen=True)
class Source:
    """A snapshot of the store and what of it to export.

    `tick(name, rows)` is called after each batch: a table's or view's name, or "records", and how many rows it had.
    """

    connection: Connection
    selection: Selection
    tick: Callable[[str, int], None] = _silent
    written: dict[str, int] = field(default_factory=dict)

    def batches(self, relation: Relation) -> Iterator[list[Row]]:
        """Yield the rows of a table or view: at most 20,000 at a time, fewer where their texts are long."""
        self.written[relation.name] = 0
        names = [column.name for column in relation.fields]
        wide = names.index(_LONG[relation.name]) if relation.name in _LONG else None
        step = 5_000 if wide is None else 200
        query = queries(self.selection)[relation.name]
        result = self.connection.execute(query, execution_options={"yield_per": step})
        batch: list[Row] = []
        characters = 0
        for part in result.partitions():
            batch.extend(part)
            if wide is not None:
                characters += sum(len(row[wide]) for row in part)
            if len(batch) >= _ROWS or characters >= _CHARACTERS:
                yield self._counted(relation, batch)
                batch, characters = [], 0
        if batch:
            yield self._counted(relation, batch)

    def _counted(self, relation: Relation, batch: list[Row]) -> list[Row]:
        self.written[relation.name] += len(batch)
        self.tick(relation.name, len(batch))
        return batch

    def records(self) -> Iterator[Record]:
        """Yield the selected records as the output contract has them."""
        self.written["records"] = 0
        for record in stored_records(self.connection, self.selection):
            yield record
            self.written["records"] += 1
            if self.written["records"] % 500 == 0:
                self.tick("records", 500)
        self.tick("records", self.written["records"] % 500)

    def count(self, name: str) -> int:
        """Return how many rows `batches` will give, or records for "records"."""
        query = queries(self.selection)["proposal" if name == "records" else name].order_by(None).subquery()
        return int(self.connection.scalar(sa.select(sa.func.count()).select_from(query)) or 0)
