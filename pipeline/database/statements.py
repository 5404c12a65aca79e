"""What all that writes rows has in common, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection


def storable(text: str) -> str:
    """Replace what databases refuse: NUL (PostgreSQL) and lone surrogates (of a file name, say); lengths stay."""
    return re.sub("[\0\ud800-\udfff]", "�", text)


def upsert(connection: Connection, table: sa.Table, keys: dict[str, Any], values: dict[str, Any] | None = None) -> None:
    """Insert a row, or update the one that has these keys; the same statement on SQLite and PostgreSQL."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    statement = insert(table).values(**keys, **(values or {}))
    if values:
        connection.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=values))
    else:
        connection.execute(statement.on_conflict_do_nothing(index_elements=list(keys)))
