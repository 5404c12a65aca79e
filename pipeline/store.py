"""The only code that writes the database, whose tables `pipeline.tables` defines.

SQLite by default; PostgreSQL takes the same statements.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from . import __version__
from .people import name_words
from .read import Failure
from .resolve import KnownDelegate, later_version, resolve_delegate, same_delegate, same_proposal, settle_firsts
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
        raise StoreError(f"{without_password(url)}: not a database address that can be opened: {error}") from None
    except ValueError:
        # Its message may quote a part of a password that the port was taken for.
        shown = without_password(url)
        raise StoreError(f"{shown}: not a database address that can be opened: the port is no number") from None
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


def without_password(address: str) -> str:
    """Return an address to show, which need not be a good one."""
    return re.sub(r"://([^:@/]*):.*@", r"://\1:***@", address)


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
            before = _delegates_of(connection, value.id)
            _delete_article(connection, value.id)
            _insert_article(connection, value, self.id, self.provenance)
            keys = _kept_delegates(connection, records, before)
            # What is known already stands before what is to be told from it.
            for record in sorted(records, key=lambda record: record.delegate.id not in keys):
                # Each delegate once: what the first record adds must not speak for or against the next one's.
                if record.delegate.id not in keys:
                    keys[record.delegate.id] = _delegate_row(connection, record)
                _insert_facts(connection, record, keys[record.delegate.id])
                _insert_proposal(connection, record, keys[record.delegate.id])
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
            _mend_same_as(connection, self.id)
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


def _delegates_of(connection: Connection, article_id: str) -> dict[str, str]:
    """Return the delegate of each record that an article has in the store, by ids."""
    rows = connection.execute(
        sa.select(proposal.c.id, proposal.c.delegate_id).where(proposal.c.article_id == article_id)
    )
    return {row.id: row.delegate_id for row in rows}


def _kept_delegates(connection: Connection, records: Sequence[Record], before: dict[str, str]) -> dict[str, str]:
    """Return the rows that delegates of an article keep from its version before, whose own rows are gone.

    A row is kept where nothing that other articles say speaks against it: articles that are written again, by a new
    model for instance, must not change who is who.
    """
    query = sa.select(delegate).where(delegate.c.id.in_(set(before.values()))).order_by(delegate.c.id)
    rows = {row.id: row for row in connection.execute(query)}
    kept: dict[str, str] = {}
    # Of namesakes in one article each has its own records.
    claimed = {record.delegate.id: before[record.record_id] for record in records if record.record_id in before}
    for record in records:
        if record.delegate.id in kept:
            continue
        own = claimed.get(record.delegate.id)
        free = [key for key in rows if key not in kept.values() and key not in claimed.values()]
        for key in [own] if own else free:
            if key not in kept.values() and _stays(connection, rows[key], record):
                kept[record.delegate.id] = key
                break
    return kept


def _stays(connection: Connection, row: Any, record: Record) -> bool:
    """Tell whether a delegate's row may stay that of a record's delegate; what it says of the name is made true."""
    new = record.delegate
    if (row.kind, row.name_key) != (new.kind, _name_key(new.name)):
        return False
    if not _has_users(connection, row.id):
        # All that was known came from this very article.
        names = {"name": _storable(new.name), "name_zh": new.name_zh}
        connection.execute(delegate.update().where(delegate.c.id == row.id).values(names))
        return True
    if not same_delegate(_known_delegate(connection, row), new, record.document.session_year):
        return False
    _add_chinese_name(connection, row.id, new.name_zh)
    return True


def _has_users(connection: Connection, delegate_key: str) -> bool:
    """Tell whether anything in the store speaks of a delegate."""
    return any(
        connection.scalar(sa.select(sa.exists().where(column == delegate_key))) for column in _users_of(delegate)
    )


def _insert_facts(connection: Connection, record: Record, delegate_key: str) -> None:
    """Write what a record says of its delegate: membership, posts and where the article names the delegate."""
    year = record.document.session_year
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


def _insert_proposal(connection: Connection, record: Record, delegate_key: str) -> None:
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
    new, key = record.delegate, _name_key(record.delegate.name)
    # A delegate whom no article speaks of any more fits everybody; its id is free.
    connection.execute(delegate.delete().where(delegate.c.name_key == key, *_unused(delegate)))
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
    else:
        _add_chinese_name(connection, resolution.id, new.name_zh)
    return resolution.id


def _name_key(name: str) -> str:
    """Return the words of a name in an order that is the same whichever of them comes first."""
    return " ".join(sorted(name_words(name))) or _storable(name)


def _add_chinese_name(connection: Connection, delegate_key: str, name_zh: str | None) -> None:
    if name_zh:
        unnamed = (delegate.c.id == delegate_key, delegate.c.name_zh.is_(None))
        connection.execute(delegate.update().where(*unnamed).values(name_zh=name_zh))


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


def _mend_same_as(connection: Connection, run_id: int) -> None:
    """Lead each record again to the first one of its proposal, where that has gone or is none any more.

    A record that was first may have got another delegate, year or wording in this run, or a first one of its own.
    """
    first, firsts = proposal.alias("first"), article.alias("firsts")
    rows = connection.execute(
        sa.select(
            proposal.c.id, proposal.c.same_as, proposal.c.delegate_id, article.c.session_year, proposal.c.text,
            first.c.id.label("first"), first.c.same_as.label("further"), first.c.delegate_id.label("first_delegate"),
            firsts.c.session_year.label("first_year"), first.c.text.label("first_text"),
        )
        .join(article, article.c.id == proposal.c.article_id)
        .outerjoin(first, first.c.id == proposal.c.same_as)
        .outerjoin(firsts, firsts.c.id == first.c.article_id)
        .where(
            proposal.c.same_as != proposal.c.id,
            sa.or_(
                first.c.id.is_(None),
                first.c.same_as != first.c.id,
                first.c.delegate_id != proposal.c.delegate_id,
                firsts.c.run_id == run_id,
            ),
        )
        .order_by(proposal.c.id)
    ).all()  # fmt: skip
    links: dict[str, Hashable] = {}
    lost = {row.id for row in rows}
    for row in rows:
        of_one = (row.first_delegate, row.first_year) == (row.delegate_id, row.session_year)
        if row.first is None or not of_one or not same_proposal(row.first_text, row.text):
            links[row.id] = (row.same_as, row.delegate_id, row.session_year)
        else:
            links[row.id] = row.first if row.first in lost else row.further
    for record, head in settle_firsts(links).items():
        connection.execute(proposal.update().where(proposal.c.id == record).values(same_as=head))


def _drop_orphans(connection: Connection) -> None:
    """Remove delegates, organizations and outlets that no article speaks of any more."""
    for table in (delegate, organization, outlet):
        connection.execute(table.delete().where(*_unused(table)))


def _unused(table: sa.Table) -> list[sa.ColumnElement[bool]]:
    return [~sa.exists().where(user == table.c.id) for user in _users_of(table)]


def _users_of(table: sa.Table) -> tuple[sa.Column[Any], ...]:
    """Return the columns that name a row of a table."""
    return {
        delegate: (proposal.c.delegate_id, membership.c.delegate_id, post.c.delegate_id, mention.c.delegate_id),
        organization: (post.c.organization_id,),
        outlet: (article.c.outlet_id,),
    }[table]


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
