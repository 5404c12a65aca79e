"""The store → feeds for dashboards: one snapshot, read in a bounded memory, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from .exporters.source import ExportError, Source
from .exporters.to_csv import export_csv
from .exporters.to_duckdb import export_duckdb
from .exporters.to_jsonl import export_jsonl
from .exporters.to_parquet import export_parquet
from .exporters.to_postgres import export_postgres, postgres_url
from .exporters.to_sqlite import export_sqlite
from .query import snapshot
from .selection import Selection
from .store import StoreError, open_store, without_password
from .tables import TABLES, topic
from .views import RELATIONS

__all__ = ["TARGETS", "ExportError", "Target", "existing_store", "export_store", "exportable"]


@dataclass(frozen=True)
class Target:
    """A kind of destination: what writes it, and what it carries, by name, for a progress bar."""

    write: Callable[[Source, str], None]
    carries: tuple[str, ...]


_TABLES = tuple(relation.name for relation in TABLES)
_ALL = tuple(relation.name for relation in RELATIONS)

TARGETS = {
    "jsonl": Target(export_jsonl, ("records",)),
    "csv": Target(export_csv, _ALL),
    "parquet": Target(export_parquet, _ALL),
    "duckdb": Target(export_duckdb, _TABLES),
    "sqlite": Target(export_sqlite, _TABLES),
    "postgres": Target(export_postgres, _TABLES),
}


@contextmanager
def exportable(engine: Engine, selection: Selection | None = None) -> Iterator[Source]:
    """Give the selected rows of one moment of the store; raise `ExportError` for a topic that it doesn't know."""
    chosen = selection or Selection()
    with snapshot(engine) as connection:
        known = set(connection.scalars(sa.select(topic.c.label)))
        for label in chosen.topics:
            if label not in known:
                raise ExportError(f"--topic {label}: no such topic; there are: {', '.join(sorted(known))}")
        yield Source(connection, chosen)


def export_store(
    engine: Engine,
    target: str,
    destination: str,
    selection: Selection | None = None,
    progress: Callable[[int], Callable[[str, int], None]] | None = None,
) -> dict[str, int]:
    """Export the selected part of a store and return how many rows of each table (or records) were written.

    `target` is a key of `TARGETS`; `destination` a file, a folder or a database address. `progress` gets the number of
    rows in all and returns what is told of each batch. Raises `ExportError` and leaves the destination as it was.
    """
    _refuse_the_store_itself(engine, target, destination)
    writer = TARGETS[target]
    with exportable(engine, selection) as source:
        if progress is not None:
            source = Source(
                source.connection, source.selection, progress(sum(source.count(name) for name in writer.carries))
            )
        try:
            writer.write(source, destination)
        except BrokenPipeError:
            raise
        except sa.exc.DBAPIError as error:
            raise ExportError(f"{destination}: {error.orig}") from None
        except OSError as error:
            raise ExportError(f"{destination}: {(error.strerror or str(error)).lower()}") from None
    return source.written


def existing_store(url: str) -> Engine:
    """Open a store that is there; `open_store` would make a new one where an address is mistyped."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):  # the second for a port that is no number
        raise StoreError(f"{without_password(url)}: not a database address that can be opened") from None
    if parsed.get_backend_name() == "sqlite" and not (parsed.database and Path(parsed.database).exists()):
        raise StoreError(f"{url}: there is no such store; `twosessions run` makes one")
    return open_store(url)


def _refuse_the_store_itself(engine: Engine, target: str, destination: str) -> None:
    if target == "postgres":
        there = _address(sa.make_url(postgres_url(destination)))
        same = engine.url.get_backend_name() == "postgresql" and _address(engine.url) == there
    else:
        file = engine.url.database if engine.url.get_backend_name() == "sqlite" else None
        same = bool(file) and destination != "-" and Path(str(file)).resolve() == Path(destination).resolve()
    if same:
        raise ExportError(f"{destination}: the store itself")


def _address(url: sa.URL) -> tuple[object, ...]:
    return (url.host or url.query.get("host"), url.port or 5432, url.database)
