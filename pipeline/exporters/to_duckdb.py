"""DuckDB: one file with the tables, the views and what each column means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy.dialects import postgresql

from ..tables import TABLES, Relation
from ..views import RELATIONS, view_statements
from .arrow import arrow_batches
from .atomic import refuse_database_in_use, whole_file
from .libraries import library
from .source import ExportError, Source

#: DuckDB 1.2 (February 2025) and later read this; newer ones would by default write what only they read.
STORAGE_VERSION = "v1.2.0"

_TYPES = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE"}


def export_duckdb(source: Source, destination: str) -> None:
    """Write the tables and views to a database file."""
    duckdb, arrow = library("duckdb", "duckdb"), library("pyarrow", "duckdb")
    refuse_database_in_use(Path(destination), ".wal")
    with whole_file(Path(destination)) as path:
        if "?" in str(path):
            # It puts the name of its log before the mark, as if what follows were the query of a web address.
            raise ExportError(f"{destination}: DuckDB can't write to a path with a question mark in it")
        connection = duckdb.connect(config={"threads": 2, "memory_limit": "400MB"})
        try:
            connection.execute("SET enable_progress_bar = false")
            connection.execute(f"ATTACH {_text(str(path))} AS made (STORAGE_VERSION '{STORAGE_VERSION}')")
            connection.execute("USE made")
            for relation in TABLES:
                connection.execute(_create(relation))
                for batch in arrow_batches(arrow, source, relation):
                    connection.register("batch", batch)
                    connection.execute(f"INSERT INTO {_name(relation.name)} SELECT * FROM batch")
                    connection.unregister("batch")
            # DuckDB reads PostgreSQL's dialect.
            for name, statement in view_statements(postgresql.dialect()).items():
                connection.execute(f"CREATE VIEW {_name(name)} AS {statement}")
            for relation in RELATIONS:
                _comment(connection, relation)
            connection.execute("USE memory")
            connection.execute("DETACH made")
        except duckdb.Error as error:
            raise ExportError(f"{destination}: {error}") from None
        finally:
            connection.close()


def _create(relation: Relation) -> str:
    columns = [
        f"{_name(column.name)} {_TYPES[column.type]}{'' if column.nullable else ' NOT NULL'}"
        for column in relation.fields
    ]
    key = ", ".join(map(_name, relation.primary_key))
    return f"CREATE TABLE {_name(relation.name)} ({', '.join(columns)}, PRIMARY KEY ({key}))"


def _comment(connection: Any, relation: Relation) -> None:
    table = relation in TABLES
    connection.execute(
        f"COMMENT ON {'TABLE' if table else 'VIEW'} {_name(relation.name)} IS {_text(relation.description)}"
    )
    if table:
        for column in relation.fields:
            connection.execute(
                f"COMMENT ON COLUMN {_name(relation.name)}.{_name(column.name)} IS {_text(column.description)}"
            )


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
