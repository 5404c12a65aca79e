"""The store → records, as they were written; reads only."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from . import tables as store
from .schema import (
    BODIES,
    SCHEMA_VERSION,
    Delegate,
    DocumentInfo,
    Proposal,
    Provenance,
    Record,
    Role,
    Span,
    Stance,
    TopicScore,
)
from .selection import Selection, article_conditions, record_conditions

_CHUNK = 400


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a read transaction: all that is read through it is of one moment, whatever is written."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        else:
            # Python's driver opens no transaction for a SELECT by itself.
            connection.exec_driver_sql("BEGIN")
        # The moment is that of the first read, not of the BEGIN.
        connection.execute(sa.select(store.meta.c.value)).all()
        yield connection


def stored_records(connection: Connection, selection: Selection | None = None) -> Iterator[Record]:
    """Yield the selected records of the store, by default all, ordered by article and place in it.

    A bounded number of articles is held at a time.
    """
    chosen = selection or Selection()
    wanted = record_conditions(chosen)
    key = store.article.c.id
    page = sa.select(key).where(*article_conditions(chosen)).order_by(key).limit(_CHUNK)
    ids = list(connection.scalars(page))
    while ids:
        yield from _chunk(connection, ids, wanted)
        ids = list(connection.scalars(page.where(key > ids[-1])))


def _chunk(connection: Connection, ids: list[str], wanted: list[sa.ColumnElement[bool]]) -> Iterator[Record]:
    article, proposal, delegate = store.article, store.proposal, store.delegate
    here = sa.and_(proposal.c.article_id.in_(ids), *wanted)
    rows = connection.execute(
        sa.select(
            proposal,
            delegate.c.kind,
            delegate.c.name,
            delegate.c.name_zh,
            article.c.title,
            article.c.url,
            article.c.published,
            article.c.lang,
            article.c.session_year,
            article.c.text.label("article_text"),
            store.outlet.c.name.label("outlet"),
            store.run.c.pipeline,
            store.run.c.models,
        )
        .join(delegate, delegate.c.id == proposal.c.delegate_id)
        .join(article, article.c.id == proposal.c.article_id)
        .join(store.run, store.run.c.id == article.c.run_id)
        .join(store.outlet, store.outlet.c.id == article.c.outlet_id, isouter=True)
        .where(here)
    ).all()
    inside = sa.select(proposal.c.id).where(here)
    spans = _grouped(connection, sa.select(store.span).where(store.span.c.proposal_id.in_(inside)), "proposal_id")
    topics = _grouped(
        connection, sa.select(store.proposal_topic).where(store.proposal_topic.c.proposal_id.in_(inside)), "proposal_id"
    )
    posts = _grouped(
        connection,
        sa.select(store.post, store.organization.c.name.label("organization"))
        .join(store.organization, store.organization.c.id == store.post.c.organization_id, isouter=True)
        .where(store.post.c.article_id.in_(ids)),
        "article_id",
        "delegate_id",
    )
    seats = _grouped(
        connection,
        sa.select(store.membership).where(store.membership.c.article_id.in_(ids)),
        "article_id",
        "delegate_id",
    )
    mentions = _grouped(
        connection, sa.select(store.mention).where(store.mention.c.article_id.in_(ids)), "article_id", "delegate_id"
    )
    found = []
    for row in rows:
        key = (row.article_id, row.delegate_id)
        found.append(
            _record(
                row,
                sorted(spans[row.id,], key=lambda span: span.start),
                sorted(topics[row.id,], key=lambda topic: topic.rank),
                sorted(posts[key], key=lambda post: post.start),
                seats[key],
                sorted(mentions[key], key=lambda place: place.start),
            )
        )
    yield from sorted(found, key=lambda r: (r.document_id, r.proposal.spans[0].start, r.record_id))


def _grouped(connection: Connection, query: sa.Select[Any], *keys: str) -> dict[tuple[str, ...], list[Row[Any]]]:
    found: dict[tuple[str, ...], list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query):
        found[tuple(getattr(row, key) for key in keys)].append(row)
    return found


def _record(
    row: Row[Any],
    spans: list[Row[Any]],
    topics: list[Row[Any]],
    posts: list[Row[Any]],
    seats: list[Row[Any]],
    mentions: list[Row[Any]],
) -> Record:
    text = row.article_text
    return Record(
        schema_version=SCHEMA_VERSION,
        record_id=row.id,
        document_id=row.article_id,
        document=DocumentInfo(row.title, row.outlet, row.url, row.published, row.lang, row.session_year),
        delegate=Delegate(
            id=row.delegate_id,
            name=row.name,
            name_zh=row.name_zh,
            kind=row.kind,
            body=min((seat.body for seat in seats), key=BODIES.index, default=None),
            score=row.delegate_score,
            roles=tuple(Role(post.role, post.organization, post.start, post.end) for post in posts),
            mentions=tuple(Span(place.start, place.end, text[place.start : place.end]) for place in mentions),
        ),
        proposal=Proposal(
            id=row.proposal_id,
            text=row.text,
            spans=tuple(Span(span.start, span.end, text[span.start : span.end]) for span in spans),
            topics=tuple(TopicScore(topic.topic, topic.score) for topic in topics),
            stance=Stance(row.stance, row.promote, row.regulate),
        ),
        score=row.score,
        provenance=Provenance(row.pipeline, json.loads(row.models)),
    )
