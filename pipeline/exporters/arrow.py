"""Rows → Arrow, for the targets that take columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..tables import Relation
from .source import Source


def arrow_schema(arrow: Any, relation: Relation) -> Any:
    """Return the Arrow schema of a table or view; the meaning of a column is in its field's metadata."""
    types = {"string": arrow.string(), "integer": arrow.int64(), "number": arrow.float64()}
    return arrow.schema(
        [
            arrow.field(
                column.name, types[column.type], nullable=column.nullable, metadata={"description": column.description}
            )
            for column in relation.fields
        ],
        metadata={"description": relation.description},
    )


def arrow_batches(arrow: Any, source: Source, relation: Relation) -> Iterator[Any]:
    """Yield the rows of a table or view as Arrow tables; none where it is empty."""
    schema = arrow_schema(arrow, relation)
    for batch in source.batches(relation):
        columns = zip(*batch, strict=True)
        yield arrow.table(
            [arrow.array(column, type=entry.type) for column, entry in zip(columns, schema, strict=True)],
            schema=schema,
        )
