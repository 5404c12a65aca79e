"""The only code that writes the database, whose tables `pipeline.tables` defines.

SQLite by default; PostgreSQL takes the same statements.
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
from .people import name_words
from .read import Failure
from .resolve import KnownDelegate, later_version, resolve_delegate, same_proposal
from .schema import Article, Record, stable_hash
from .tables import (
    STORE_VERSION,
    article,
    delegate,
    failure,
    membership,
    mention,
    meta,
    metadata,
    organization,
    outlet,
    post,
    proposal,
    proposal_topic,
    run,
    span,
    topic,
)
from .topics import topic_table
from .views import create_views

# With so many articles of one file name a new one is compared, the latest ones: "index" is the name of many.
_VERSIONS = 20

DEFAULT_STORE = "sqlite:///twosessions.db"


class StoreError(RuntimeError):
    """The database can't be used; the message names it and says why."""


@dataclass(frozen=True)
class Summary:
    """What one run did, and what the store holds after it."""

    written: int
    unchanged: int
    failures: tuple[Failure, ...]
    articles: int
    records: int
    delegates: int
    topics: tuple[tuple[str, str, int], ...]


def open_store(url: str) -> Engine:
    """Open or make the database at an SQLAlchemy URL; raise `StoreError` for one of another version or none at all."""
    try:
        engine = sa.create_engine(url)
    except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
        raise StoreError(f"{_masked(url)}: not a database address that can be opened: {error}") from None
    except ValueError:
        # Its message may quote a part of a password that the port was taken for.
        raise StoreError(f"{_masked(url)}: not a database address that can be opened: the port is no number") from None
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        with engine.begin() as connection:
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
    except sa.exc.DBAPIError as error:
        raise StoreError(f"{shown}: {error.orig}") from None
    return engine


def _masked(url: str) -> str:
    """Return an address that can't be parsed without its password."""
    return re.sub(r"://([^:@/]*):.*@", r"://\1:***@", url)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Let readers read while a run writes, and wait for another writer rather than fail."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()


def _renew_topics(connection: Connection) -> None:
    """Write what the config says of each topic; nothing is written where that is there already."""
    held = {row.label: (row.definition, row.cap_major) for row in connection.execute(sa.select(topic))}
    for entry in topic_table():
        if held.get(entry.label) != (entry.definition, entry.cap_major):
            values = {"definition": entry.definition, "cap_major": entry.cap_major}
            _upsert(connection, topic, {"label": entry.label}, values)


def text_hash(value: Article) -> str:
    """Return the hash that tells whether an article, its text or its metadata, has changed."""
    return stable_hash(
        value.text, value.lang, value.title, value.outlet, value.url, value.published, value.session_year
    )


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
        same_file = article.c.file == _storable(value.file)
        same_text = sa.select(article.c.id).where(same_file, article.c.text == _storable(value.text)).limit(1)
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
            text = connection.scalar(sa.select(article.c.text).where(article.c.id == _storable(name)))
        return text is not None and text != _storable(value.text)

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
            _delete_article(connection, value.id)
            _insert_article(connection, value, self.id, self.provenance)
            for record in records:
                _insert_record(connection, record)
            self._count(connection, self.written + 1)
        self.written += 1

    def fail(self, value: Failure) -> None:
        """Write down an input that gave no article."""
        with self.engine.begin() as connection:
            keys = {"run_id": self.id, "source": _storable(value.source)}
            _upsert(connection, failure, keys, {"reason": _storable(value.reason)})
        self.failures.append(value)

    def _count(self, connection: Connection, written: int, **more: str) -> None:
        """Write down how far the run has come, so that one that is cut off says so too."""
        values = {"articles": written, "unchanged": self.unchanged, **more}
        connection.execute(run.update().where(run.c.id == self.id).values(values))

    def finish(self) -> Summary:
        """Close the run and return what it did."""
        with self.engine.begin() as connection:
            self._count(connection, self.written, finished=_now())
            _mend_same_as(connection)
            _drop_orphans(connection)
            articles, records, delegates = (
                int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
                for table in (article, proposal, delegate)
            )
            topics = connection.execute(
                sa.select(proposal_topic.c.topic, proposal.c.stance, sa.func.count())
                .join(proposal, proposal.c.id == proposal_topic.c.proposal_id)
                .group_by(proposal_topic.c.topic, proposal.c.stance)
                .order_by(proposal_topic.c.topic, proposal.c.stance)
            ).all()
        return Summary(
            written=self.written,
            unchanged=self.unchanged,
            failures=tuple(self.failures),
            articles=articles,
            records=records,
            delegates=delegates,
            topics=tuple((label, stance, int(count)) for label, stance, count in topics),
        )


@contextmanager
def writing(engine: Engine, models: dict[str, str], min_score: float = 0.0) -> Iterator[Writer]:
    """Give a `Writer`, and let go of the database when the block ends, however it ends."""
    try:
        yield Writer(engine, models, min_score)
    finally:
        engine.dispose()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _delete_article(connection: Connection, article_id: str) -> None:
    old = sa.select(proposal.c.id).where(proposal.c.article_id == article_id).scalar_subquery()
    connection.execute(proposal_topic.delete().where(proposal_topic.c.proposal_id.in_(old)))
    connection.execute(span.delete().where(span.c.proposal_id.in_(old)))
    for table in (proposal, mention, post, membership):
        connection.execute(table.delete().where(table.c.article_id == article_id))
    connection.execute(article.delete().where(article.c.id == article_id))


def _insert_article(connection: Connection, value: Article, run_id: int, provenance: str) -> None:
    outlet_id = None
    if value.outlet:
        outlet_id = stable_hash("outlet", value.outlet.casefold())
        _upsert(connection, outlet, {"id": outlet_id}, {"name": value.outlet})
    connection.execute(
        article.insert().values(
            id=value.id, file=value.file and _storable(value.file), outlet_id=outlet_id, title=value.title,
            url=value.url, published=value.published, lang=value.lang, session_year=value.session_year,
            text=_storable(value.text), text_hash=text_hash(value), provenance_hash=provenance, run_id=run_id,
        )
    )  # fmt: skip


def _storable(text: str) -> str:
    """Replace what databases refuse: NUL (PostgreSQL) and lone surrogates (of a file name, say); lengths stay."""
    return re.sub("[\0\ud800-\udfff]", "�", text)


def _insert_record(connection: Connection, record: Record) -> None:
    year = record.document.session_year
    delegate_key = _delegate_row(connection, record)
    if record.delegate.body:
        _upsert(
            connection,
            membership,
            {
                "delegate_id": delegate_key,
                "body": record.delegate.body,
                "session_year": year or 0,
                "article_id": record.document_id,
            },
        )
    for role in record.delegate.roles:
        organization_id = None
        if role.organization:
            organization_id = stable_hash("organization", role.organization.casefold())
            _upsert(connection, organization, {"id": organization_id}, {"name": _storable(role.organization)})
        _upsert(
            connection,
            post,
            {"delegate_id": delegate_key, "article_id": record.document_id, "start": role.start},
            {"end": role.end, "role": _storable(role.title), "organization_id": organization_id},
        )
    for place in record.delegate.mentions:
        _upsert(
            connection,
            mention,
            {"delegate_id": delegate_key, "article_id": record.document_id, "start": place.start},
            {"end": place.end},
        )
    value = record.proposal
    connection.execute(
        proposal.insert().values(
            id=record.record_id, proposal_id=value.id, same_as=_first_of(connection, record, delegate_key),
            article_id=record.document_id, delegate_id=delegate_key, text=_storable(value.text),
            stance=value.stance.label, promote=value.stance.promote, regulate=value.stance.regulate, score=record.score,
            delegate_score=record.delegate.score,
        )
    )  # fmt: skip
    for rank, scored in enumerate(value.topics):
        _upsert(connection, topic, {"label": scored.label})
        connection.execute(
            proposal_topic.insert().values(
                proposal_id=record.record_id, topic=scored.label, rank=rank, score=scored.score
            )
        )
    for piece in value.spans:
        connection.execute(span.insert().values(proposal_id=record.record_id, start=piece.start, end=piece.end))


def _delegate_row(connection: Connection, record: Record) -> str:
    """Return the id of the delegate's row, made where no known delegate fits."""
    new = record.delegate
    key = " ".join(sorted(name_words(new.name))) or _storable(new.name)
    known = [
        _known_delegate(connection, row)
        for row in connection.execute(sa.select(delegate).where(delegate.c.name_key == key))
    ]
    resolution = resolve_delegate(new, record.document.session_year, known)
    if resolution.new:
        connection.execute(
            delegate.insert().values(
                id=resolution.id, kind=new.kind, name=_storable(new.name), name_zh=new.name_zh, name_key=key
            )
        )
    elif new.name_zh:
        connection.execute(
            delegate.update()
            .where(delegate.c.id == resolution.id, delegate.c.name_zh.is_(None))
            .values(name_zh=new.name_zh)
        )
    return resolution.id


def _known_delegate(connection: Connection, row: Any) -> KnownDelegate:
    seats = connection.execute(
        sa.select(membership.c.body, membership.c.session_year).where(membership.c.delegate_id == row.id)
    )
    places = connection.scalars(
        sa.select(organization.c.name)
        .join(post, post.c.organization_id == organization.c.id)
        .where(post.c.delegate_id == row.id)
    )
    return KnownDelegate(
        id=row.id,
        kind=row.kind,
        name=row.name,
        name_zh=row.name_zh,
        bodies=frozenset((body, year or None) for body, year in seats),
        organizations=frozenset(places),
    )


def _first_of(connection: Connection, record: Record, delegate_key: str) -> str:
    """Return the id of the earliest record that reports the same proposal, or the record's own."""
    year = record.document.session_year
    if year is None:
        return record.record_id
    rows = connection.execute(
        sa.select(proposal.c.same_as, proposal.c.text)
        .join(article, article.c.id == proposal.c.article_id)
        .where(
            proposal.c.delegate_id == delegate_key,
            article.c.session_year == year,
            article.c.id != record.document_id,
        )
        .order_by(proposal.c.id)
    )
    for same_as, text in rows:
        if same_proposal(text, record.proposal.text):
            return str(same_as)
    return record.record_id


def _mend_same_as(connection: Connection) -> None:
    """Give records of one proposal whose first record has gone a new first one, the same for them all."""
    first = proposal.alias("first")
    gone = ~sa.exists().where(first.c.id == proposal.c.same_as)
    groups = sa.select(proposal.c.same_as, sa.func.min(proposal.c.id)).where(gone).group_by(proposal.c.same_as)
    # All groups are read before one is changed: a changed row would no longer be in its group.
    for same_as, new_first in connection.execute(groups).all():
        connection.execute(proposal.update().where(proposal.c.same_as == same_as).values(same_as=new_first))


def _drop_orphans(connection: Connection) -> None:
    """Remove delegates, organizations and outlets that no article speaks of any more."""
    for table, users in (
        (delegate, (proposal.c.delegate_id, membership.c.delegate_id, post.c.delegate_id, mention.c.delegate_id)),
        (organization, (post.c.organization_id,)),
        (outlet, (article.c.outlet_id,)),
    ):
        unused = [~sa.exists().where(user == table.c.id) for user in users]
        connection.execute(table.delete().where(sa.and_(*unused)))


def _upsert(
    connection: Connection, table: sa.Table, keys: dict[str, Any], values: dict[str, Any] | None = None
) -> None:
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
