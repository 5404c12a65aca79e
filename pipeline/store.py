"""The only code that writes the database, whose tables `pipeline.tables` defines.

SQLite by default; PostgreSQL takes the same statements. Which rows an article has is in `pipeline.database`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from . import __version__
from .database.articles import delete_article, insert_article, insert_facts, insert_proposal, text_hash
from .database.delegates import delegate_row, delegates_of, kept_delegates
from .database.firsts import mend_firsts
from .database.orphans import drop_orphans
from .database.statements import storable, upsert
from .read import Failure
from .resolve import later_version
from .schema import Article, Record, stable_hash
from .tables import STORE_VERSION, article, delegate, failure, meta, metadata, proposal, proposal_topic, run, topic
from .topics import topic_table
from .views import create_views

# With so many articles of one file name a new one is compared, the latest ones: "index" is the name of many.
_VERSIONS = 20


class StoreError(RuntimeError):
    """The database can't be used; the message names it and says why."""


@dataclass(frozen=True)
class Summary:
    """What one run did, and what the store holds after it.

    `topics`: the count of records by topic and stance. `undated`: the articles without a session year.
    """

    written: int
    unchanged: int
    failures: tuple[Failure, ...]
    articles: int
    records: int
    delegates: int
    topics: tuple[tuple[str, str, int], ...]
    undated: int = 0


def open_store(url: str) -> Engine:
    """Open or make the database at an SQLAlchemy URL; raise `StoreError` for one of another version or none at all."""
    engine = _engine(url)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        with engine.begin() as connection:
            _make_ready(connection, shown)
    except sa.exc.DBAPIError as error:
        raise StoreError(f"{shown}: {error.orig}") from None
    return engine


def without_password(address: str) -> str:
    """Return an address to show, which need not be a good one."""
    return re.sub(r"://([^:@/]*):.*@", r"://\1:***@", address)


def _engine(url: str) -> Engine:
    try:
        engine = sa.create_engine(url)
    except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
        raise StoreError(f"{without_password(url)}: not a database address that can be opened: {error}") from None
    except ValueError:
        # Its message may quote a part of a password that the port was taken for.
        shown = without_password(url)
        raise StoreError(f"{shown}: not a database address that can be opened: the port is no number") from None
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Let readers read while a run writes, and wait for another writer rather than fail."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()


def _make_ready(connection: Connection, shown: str) -> None:
    """Make the tables and views that are missing; raise `StoreError` for tables of others or of another version."""
    existing = set(sa.inspect(connection).get_table_names())
    version = None
    if meta.name in existing:
        version = connection.scalar(sa.select(meta.c.value).where(meta.c.key == "store_version"))
    # Tables of ours without a version are what a killed first run leaves.
    if version is None and existing - set(metadata.tables):
        raise StoreError(f"{shown}: holds tables that are not this program's")
    if version not in (None, str(STORE_VERSION)):
        raise StoreError(
            f"{shown}: has version {version}; this program reads version {STORE_VERSION}:"
            " run the articles into another store, or remove this one first"
        )
    metadata.create_all(connection)
    if version is None:
        connection.execute(meta.insert().values(key="store_version", value=str(STORE_VERSION)))
    _renew_topics(connection)
    create_views(connection)


def _renew_topics(connection: Connection) -> None:
    """Write what the config says of each topic; nothing is written where that is there already."""
    held = {row.label: (row.definition, row.cap_major) for row in connection.execute(sa.select(topic))}
    for entry in topic_table():
        if held.get(entry.label) != (entry.definition, entry.cap_major):
            values = {"definition": entry.definition, "cap_major": entry.cap_major}
            upsert(connection, topic, {"label": entry.label}, values)


class Writer:
    """One run: articles go in one by one, each in a transaction of its own.

    `min_score` is the one below which the records were left out before they come here.
    """

    def __init__(self, engine: Engine, models: dict[str, str], min_score: float = 0.0) -> None:
        self.engine = engine
        # The least score too: articles of a run that left out more, or less, have other records.
        self.provenance = stable_hash(__version__, json.dumps(models, sort_keys=True), float(min_score))
        self.written = self.unchanged = 0
        self.failures: list[Failure] = []
        with engine.begin() as connection:
            key = connection.execute(
                run.insert().values(
                    started=_now(), pipeline=__version__, models=json.dumps(models, sort_keys=True),
                    articles=0, unchanged=0,
                )
            ).inserted_primary_key  # fmt: skip
            assert key is not None
            self.id = int(key[0])

    def known_id(self, value: Article) -> str | None:
        """Return the id under which the store has an article, or an earlier version of it; None for a new one."""
        if value.file is None:
            return value.id
        same_file = article.c.file == storable(value.file)
        same_text = sa.select(article.c.id).where(same_file, article.c.text == storable(value.text)).limit(1)
        versions = (
            sa.select(article.c.id, article.c.url, article.c.text)
            .where(same_file)
            .order_by(article.c.run_id.desc(), article.c.id)
            .limit(_VERSIONS)
        )
        with self.engine.connect() as connection:
            known = connection.scalar(same_text)
            return known or later_version(value, [tuple(row) for row in connection.execute(versions)])

    def is_other(self, name: str, value: Article) -> bool:
        """Tell whether the store has another text under an id."""
        with self.engine.connect() as connection:
            text = connection.scalar(sa.select(article.c.text).where(article.c.id == storable(name)))
        return text is not None and text != storable(value.text)

    def holds(self, value: Article) -> bool:
        """Tell whether the store has this article as it is, processed as this run would; count it if so."""
        query = sa.select(article.c.text_hash, article.c.provenance_hash).where(article.c.id == value.id)
        with self.engine.connect() as connection:
            row = connection.execute(query).first()
        same = row is not None and tuple(row) == (text_hash(value), self.provenance)
        self.unchanged += same
        return same

    def write(self, value: Article, records: Sequence[Record]) -> None:
        """Write an article with its records, in place of what the store had of it."""
        with self.engine.begin() as connection:
            before = delegates_of(connection, value.id)
            delete_article(connection, value.id)
            insert_article(connection, value, self.id, self.provenance)
            keys = kept_delegates(connection, records, before)
            # What is known already stands before what is to be told from it.
            for record in sorted(records, key=lambda record: record.delegate.id not in keys):
                # Each delegate once: what the first record adds must not speak for or against the next one's.
                if record.delegate.id not in keys:
                    keys[record.delegate.id] = delegate_row(connection, record)
                insert_facts(connection, record, keys[record.delegate.id])
                insert_proposal(connection, record, keys[record.delegate.id])
            self._count(connection, self.written + 1)
        self.written += 1

    def fail(self, value: Failure) -> None:
        """Write down an input that gave no article."""
        with self.engine.begin() as connection:
            keys = {"run_id": self.id, "source": storable(value.source)}
            upsert(connection, failure, keys, {"reason": storable(value.reason)})
        self.failures.append(value)

    def finish(self) -> Summary:
        """Close the run and return what it did."""
        with self.engine.begin() as connection:
            self._count(connection, self.written, finished=_now())
            mend_firsts(connection, self.id)
            drop_orphans(connection)
            return self._summary(connection)

    def _count(self, connection: Connection, written: int, **more: str) -> None:
        """Write down how far the run has come, so that one that is cut off says so too."""
        values = {"articles": written, "unchanged": self.unchanged, **more}
        connection.execute(run.update().where(run.c.id == self.id).values(values))

    def _summary(self, connection: Connection) -> Summary:
        topics = connection.execute(
            sa.select(proposal_topic.c.topic, proposal.c.stance, sa.func.count())
            .join(proposal, proposal.c.id == proposal_topic.c.proposal_id)
            .group_by(proposal_topic.c.topic, proposal.c.stance)
            .order_by(proposal_topic.c.topic, proposal.c.stance)
        )
        return Summary(
            written=self.written,
            unchanged=self.unchanged,
            failures=tuple(self.failures),
            articles=_rows(connection, article),
            records=_rows(connection, proposal),
            delegates=_rows(connection, delegate),
            topics=tuple((label, stance, int(count)) for label, stance, count in topics),
            undated=_rows(connection, article, article.c.session_year.is_(None)),
        )


@contextmanager
def writing(engine: Engine, models: dict[str, str], min_score: float = 0.0) -> Iterator[Writer]:
    """Give a `Writer`, and let go of the database when the block ends, however it ends.

    Raises `StoreError` where the database fails in the block: it can't be written, say, or its disk is full.
    """
    try:
        yield Writer(engine, models, min_score)
    except sa.exc.DBAPIError as error:
        raise StoreError(f"{engine.url.render_as_string(hide_password=True)}: {error.orig}") from None
    finally:
        engine.dispose()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _rows(connection: Connection, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions)) or 0)
