"""SQLite: one file with the tables and views; it is a store itself, and `twosessions` can go on with it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from ..tables import STORE_VERSION, TABLES, meta, metadata
from ..views import create_views
from .atomic import refuse_database_in_use, whole_file
from .source import Source


def export_sqlite(source: Source, destination: str) -> None:
    """Write the tables and views to a database file."""
    target = Path(destination)
    refuse_database_in_use(target, "-wal", "-journal")
    with whole_file(target) as path:
        engine = sa.create_engine(f"sqlite:///{path}")
        try:
            with engine.connect() as connection:
                # Nobody sees the file before it is whole: a journal would protect nothing.
                connection.exec_driver_sql("PRAGMA journal_mode=OFF")
                connection.exec_driver_sql("PRAGMA synchronous=OFF")
                metadata.create_all(connection)
                connection.execute(meta.insert().values(key="store_version", value=str(STORE_VERSION)))
                create_views(connection)
                for relation in TABLES:
                    marks = ", ".join("?" * len(relation.fields))
                    for batch in source.batches(relation):
                        connection.exec_driver_sql(
                            f"INSERT INTO {relation.name} VALUES ({marks})", [tuple(row) for row in batch]
                        )
                connection.exec_driver_sql("ANALYZE")
                connection.commit()
        finally:
            engine.dispose()
