"""SQLite: one file with the tables and views; it is a store itself, and `twosessions` can go on with it.

An article of which filters leave out records has another `provenance_hash` there: a run reads it again and writes them
all.
"""

from __future__ import annotations

import json
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..schema import stable_hash
from ..selection import article_conditions, record_conditions
from ..tables import STORE_VERSION, TABLES, article, meta, metadata, proposal
from ..views import create_views
from .atomic import refuse_database_in_use, whole_file
from .source import Source


def export_sqlite(source: Source, destination: str) -> None:
    """Write the tables and views to a database file."""
    target = Path(destination)
    refuse_database_in_use(target, "-wal", "-journal")
    with whole_file(target) as path:
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
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
                _mark_parts(connection, source)
                connection.exec_driver_sql("ANALYZE")
                connection.commit()
        finally:
            engine.dispose()


def _mark_parts(connection: Connection, source: Source) -> None:
    """Give each article that lacks records here another `provenance_hash`: a run would take it for complete."""
    if not source.selection.selects_records:
        return
    left_out = sa.select(proposal.c.article_id).where(sa.not_(sa.and_(*record_conditions(source.selection))))
    rows = source.connection.execute(
        sa.select(article.c.id, article.c.provenance_hash).where(
            *article_conditions(source.selection), article.c.id.in_(left_out)
        ),
        execution_options={"yield_per": 5_000},
    )
    filters = json.dumps(source.selection.to_dict(), sort_keys=True)
    change = article.update().where(article.c.id == sa.bindparam("part")).values(provenance_hash=sa.bindparam("other"))
    for part in rows.partitions():
        connection.execute(change, [{"part": name, "other": stable_hash(held, filters)} for name, held in part])
