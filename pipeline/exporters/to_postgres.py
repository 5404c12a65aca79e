"""PostgreSQL: rows are added or updated in one transaction; the same export twice changes nothing.

Without filters the tables end up equal to the store: rows that it no longer has go. With filters the selected rows are
added or updated. Articles that have been processed again since lose their old rows, also where the filters on records
let none of the new ones through; only the articles that `session_years` or `since_run` leave out stay as they are.

An article that lacks records here has another `provenance_hash` than in the store: a run into this database reads it
again and writes them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..schema import stable_hash
from ..selection import Selection, article_conditions, record_conditions
from ..store import StoreError, open_store, without_password
from ..tables import TABLES, Relation, article, proposal
from .libraries import library
from .source import ExportError, Row, Source

# Of each article in the store: what tells its versions apart, the `provenance_hash` of a part of it, and whether the
# filters leave out records of it.
_HEAD = {
    "id": "text", "text_hash": "text", "provenance_hash": "text", "run_id": "integer", "part_hash": "text",
    "is_part": "boolean",
}  # fmt: skip
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('two-sessions export'))"


def postgres_url(destination: str) -> str:
    """Return the SQLAlchemy URL of a PostgreSQL address, with psycopg 3 as its driver."""
    try:
        url = sa.make_url(destination)
    except (sa.exc.ArgumentError, ValueError):  # the second for a port that is no number
        shown = without_password(destination)
        raise ExportError(f"{shown}: not a database address; write postgresql://user@host/database") from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername != "postgresql+psycopg":
        raise ExportError(f"{url.drivername}://: not PostgreSQL; write postgresql://user@host/database")
    return url.render_as_string(hide_password=False)


def export_postgres(source: Source, destination: str) -> None:
    """Load the tables over a connection; readers see the old rows or the new ones, never a mixture."""
    psycopg = library("psycopg", "postgres")
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
            _remember_changed(connection, source)
            _mark_parts(connection)
            for relation in TABLES:
                _upsert(connection, relation)
            for relation in reversed(TABLES):
                _delete_stale(connection, relation, everything=source.selection.is_everything)
            # Explicit keys leave the sequence behind; a run into this database would take a used one.
            connection.exec_driver_sql(
                "SELECT setval(pg_get_serial_sequence('run', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM run), false)"
            )
    except (sa.exc.DBAPIError, psycopg.Error) as error:  # COPY is the driver's own and its errors come bare
        shown = engine.url.render_as_string(hide_password=True)
        raise ExportError(f"{shown}: {str(getattr(error, 'orig', error)).strip()}") from None
    finally:
        engine.dispose()


def _stage(connection: Connection, relation: Relation, source: Source) -> None:
    """Copy the selected rows of a table into a temporary one."""
    stage = f"stage_{relation.name}"
    connection.exec_driver_sql(f'CREATE TEMPORARY TABLE {stage} (LIKE "{relation.name}") ON COMMIT DROP')
    _copy(connection, stage, [field.name for field in relation.fields], source.batches(relation))


def _copy(connection: Connection, stage: str, names: Sequence[str], batches: Iterable[Sequence[Row]]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {stage} ({_columns(names)}) FROM STDIN") as copy:
        for batch in batches:
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


def _remember_changed(connection: Connection, source: Source) -> None:
    """Note the articles that have been processed again since they were loaded here, whole or in part.

    An article whose records all fail the filters isn't staged, and what it had before must go all the same.
    """
    columns = ", ".join(f"{name} {type}" for name, type in _HEAD.items())
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE head ({columns}) ON COMMIT DROP")
    _copy(connection, "head", list(_HEAD), _heads(source))
    connection.exec_driver_sql(
        "CREATE TEMPORARY TABLE changed ON COMMIT DROP AS SELECT id FROM article JOIN head AS new USING (id) "
        "WHERE (article.text_hash, article.run_id) IS DISTINCT FROM (new.text_hash, new.run_id)"
        " OR article.provenance_hash NOT IN (new.provenance_hash, new.part_hash)"
    )


def _heads(source: Source) -> Iterator[list[Row]]:
    """Yield the rows of `head`: of all articles that the filters on articles let through."""
    query = sa.select(
        article.c.id, article.c.text_hash, article.c.provenance_hash, article.c.run_id, _lacks_records(source.selection)
    ).where(*article_conditions(source.selection))
    for rows in source.connection.execute(query, execution_options={"yield_per": 5_000}).partitions():
        # The same hash under all filters, so that exports under different ones add up.
        yield [(*version, stable_hash(version[2], "part"), is_part) for *version, is_part in rows]


def _lacks_records(selection: Selection) -> sa.ColumnElement[bool]:
    """Return the condition under which filters leave out a record of an article."""
    if not selection.selects_records:
        return sa.false()
    left_out = sa.not_(sa.and_(*record_conditions(selection)))
    return article.c.id.in_(sa.select(proposal.c.article_id).where(left_out))


def _mark_parts(connection: Connection) -> None:
    """Give each article that lacks records here another `provenance_hash`: a run would take it for complete.

    One that is complete here already and hasn't changed stays so. One that has, and isn't staged, loses what it had.
    """
    connection.exec_driver_sql(
        "UPDATE stage_article AS new SET provenance_hash = part_hash FROM head WHERE head.id = new.id AND is_part"
        " AND NOT EXISTS (SELECT 1 FROM article WHERE article.id = new.id"
        " AND article.provenance_hash = head.provenance_hash"
        " AND NOT EXISTS (SELECT 1 FROM changed WHERE changed.id = article.id))"
    )
    connection.exec_driver_sql(
        "UPDATE article SET provenance_hash = part_hash FROM head JOIN changed USING (id)"
        " WHERE head.id = article.id AND article.provenance_hash <> part_hash"
        " AND NOT EXISTS (SELECT 1 FROM stage_article WHERE stage_article.id = article.id)"
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
