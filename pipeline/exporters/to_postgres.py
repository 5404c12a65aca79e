"""PostgreSQL: rows are added or updated in one transaction; the same export twice changes nothing.

Without filters the tables end up equal to the store: rows that it no longer has go. With filters the selected rows are
added or updated, articles that have been processed again since lose their old rows, and everything else stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..store import StoreError, open_store
from ..tables import TABLES, Relation
from .libraries import library
from .source import ExportError, Row, Source

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('two-sessions export'))"


def postgres_url(destination: str) -> str:
    """Return the SQLAlchemy URL of a PostgreSQL address, with psycopg 3 as its driver."""
    try:
        url = sa.make_url(destination)
    except sa.exc.ArgumentError:
        raise ExportError(f"{destination}: not a database address; write postgresql://user@host/database") from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername != "postgresql+psycopg":
        raise ExportError(f"{url.drivername}://: not PostgreSQL; write postgresql://user@host/database")
    return url.render_as_string(hide_password=False)


def export_postgres(source: Source, destination: str) -> None:
    """Load the tables over a connection; readers see the old rows or the new ones, never a mixture."""
    library("psycopg", "postgres")
    url = postgres_url(destination)
    try:
        engine = open_store(url)
    except StoreError as error:
        raise ExportError(str(error)) from None
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(_LOCK)
            for relation in TABLES:
                _stage(connection, relation, source)
            _remember_changed(connection)
            for relation in TABLES:
                _upsert(connection, relation)
            for relation in reversed(TABLES):
                _delete_stale(connection, relation, everything=source.selection.is_everything)
            # Explicit keys leave the sequence behind; a run into this database would take a used one.
            connection.exec_driver_sql(
                "SELECT setval(pg_get_serial_sequence('run', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM run), false)"
            )
    except sa.exc.DBAPIError as error:
        shown = engine.url.render_as_string(hide_password=True)
        raise ExportError(f"{shown}: {str(error.orig).strip()}") from None
    finally:
        engine.dispose()


def _stage(connection: Connection, relation: Relation, source: Source) -> None:
    """Copy the selected rows of a table into a temporary one."""
    stage = f"stage_{relation.name}"
    connection.exec_driver_sql(f'CREATE TEMPORARY TABLE {stage} (LIKE "{relation.name}") ON COMMIT DROP')
    driver: Any = connection.connection.driver_connection
    columns = _columns(field.name for field in relation.fields)
    with driver.cursor() as cursor, cursor.copy(f"COPY {stage} ({columns}) FROM STDIN") as copy:
        for batch in source.batches(relation):
            for row in _without_nul(batch):
                copy.write_row(row)
    connection.exec_driver_sql(f"ANALYZE {stage}")


def _without_nul(batch: Sequence[Row]) -> Iterator[Row]:
    """Yield rows without NUL, which PostgreSQL takes in no text."""
    for row in batch:
        if any(isinstance(value, str) and "\0" in value for value in row):
            yield [value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in row]
        else:
            yield row


def _remember_changed(connection: Connection) -> None:
    """Note the articles that have been processed again since they were loaded here."""
    connection.exec_driver_sql(
        "CREATE TEMPORARY TABLE changed ON COMMIT DROP AS SELECT id FROM article JOIN stage_article AS new USING (id) "
        "WHERE (article.text_hash, article.provenance_hash, article.run_id)"
        " IS DISTINCT FROM (new.text_hash, new.provenance_hash, new.run_id)"
    )


def _upsert(connection: Connection, relation: Relation) -> None:
    name, keys = relation.name, relation.primary_key
    columns = [field.name for field in relation.fields]
    values = [column for column in columns if column not in keys]
    action = "NOTHING"
    if values:
        new = _columns(values, "excluded")
        action = (
            f"UPDATE SET ({_columns(values)}) = ROW({new}) "
            f"WHERE ROW({_columns(values, name)}) IS DISTINCT FROM ROW({new})"
        )
    connection.exec_driver_sql(
        f'INSERT INTO "{name}" ({_columns(columns)}) SELECT {_columns(columns)} FROM stage_{name} '
        f"ON CONFLICT ({_columns(keys)}) DO {action}"
    )


def _delete_stale(connection: Connection, relation: Relation, everything: bool) -> None:
    """Delete rows that the selection has no more: all of them, or those of articles processed again."""
    name = relation.name
    conditions = [
        f"NOT EXISTS (SELECT 1 FROM stage_{name} AS new WHERE ROW({_columns(relation.primary_key, name)})"
        f" = ROW({_columns(relation.primary_key, 'new')}))"
    ]
    if not everything:
        columns = {field.name for field in relation.fields}
        if "article_id" in columns:
            conditions.append("article_id IN (SELECT id FROM changed)")
        elif "proposal_id" in columns:
            conditions.append("proposal_id IN (SELECT id FROM proposal WHERE article_id IN (SELECT id FROM changed))")
        else:
            return
    connection.exec_driver_sql(f'DELETE FROM "{name}" WHERE {" AND ".join(conditions)}')


def _columns(names: Any, table: str | None = None) -> str:
    prefix = f'"{table}".' if table else ""
    return ", ".join(f'{prefix}"{name}"' for name in names)
