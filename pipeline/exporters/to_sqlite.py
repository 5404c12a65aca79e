"""SQLite: one file with the tables and views; it is a store itself, and `twosessions` can go on with it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from ..tables import STORE_VERSION, TABLES, meta, metadata
from ..views import create_views
from .atomic import whole_file
from .source import ExportError, Source


def export_sqlite(source: Source, destination: str) -> None:
    """Write the tables and views to a database file."""
    target = Path(destination)
    for suffix in ("-wal", "-journal"):
        # What belongs to the old file would be applied to the new one.
        if target.with_name(target.name + suffix).exists():
            raise ExportError(f"{target}: a database in use ({target.name}{suffix} is beside it)")
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
