"""The rows of one article: its own, and those of what its records say."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..schema import Article, Record, stable_hash
from ..tables import article, membership, mention, organization, outlet, post, proposal, proposal_topic, span, topic
from .firsts import first_of
from .statements import storable, upsert


def text_hash(value: Article) -> str:
    """Return the hash that tells whether an article, its text or its metadata, has changed."""
    return stable_hash(
        value.text, value.lang, value.title, value.outlet, value.url, value.published, value.session_year
    )


def delete_article(connection: Connection, article_id: str) -> None:
    """Delete an article with everything that was written of it; who and what other articles name too stays."""
    old = sa.select(proposal.c.id).where(proposal.c.article_id == article_id).scalar_subquery()
    connection.execute(proposal_topic.delete().where(proposal_topic.c.proposal_id.in_(old)))
    connection.execute(span.delete().where(span.c.proposal_id.in_(old)))
    for table in (proposal, mention, post, membership):
        connection.execute(table.delete().where(table.c.article_id == article_id))
    connection.execute(article.delete().where(article.c.id == article_id))


def insert_article(connection: Connection, value: Article, run_id: int, provenance: str) -> None:
    """Write the row of an article that a run has read, and its outlet's."""
    outlet_id = None
    if value.outlet:
        outlet_id = stable_hash("outlet", value.outlet.casefold())
        upsert(connection, outlet, {"id": outlet_id}, {"name": value.outlet})
    connection.execute(
        article.insert().values(
            id=value.id, file=value.file and storable(value.file), outlet_id=outlet_id, title=value.title,
            url=value.url, published=value.published, lang=value.lang, session_year=value.session_year,
            text=storable(value.text), text_hash=text_hash(value), provenance_hash=provenance, run_id=run_id,
        )
    )  # fmt: skip


def insert_facts(connection: Connection, record: Record, delegate_key: str) -> None:
    """Write what a record says of its delegate: membership, posts and where the article names the delegate."""
    year = record.document.session_year
    here = {"delegate_id": delegate_key, "article_id": record.document_id}
    if record.delegate.body:
        upsert(connection, membership, {**here, "body": record.delegate.body, "session_year": year or 0})
    for role in record.delegate.roles:
        organization_id = None
        if role.organization:
            organization_id = stable_hash("organization", role.organization.casefold())
            upsert(connection, organization, {"id": organization_id}, {"name": storable(role.organization)})
        values = {"end": role.end, "role": storable(role.title), "organization_id": organization_id}
        upsert(connection, post, {**here, "start": role.start}, values)
    for place in record.delegate.mentions:
        upsert(connection, mention, {**here, "start": place.start}, {"end": place.end})


def insert_proposal(connection: Connection, record: Record, delegate_key: str) -> None:
    """Write a record's proposal with its topics and spans."""
    value = record.proposal
    connection.execute(
        proposal.insert().values(
            id=record.record_id, proposal_id=value.id, same_as=first_of(connection, record, delegate_key),
            article_id=record.document_id, delegate_id=delegate_key, text=storable(value.text),
            stance=value.stance.label, promote=value.stance.promote, regulate=value.stance.regulate, score=record.score,
            delegate_score=record.delegate.score,
        )
    )  # fmt: skip
    for rank, scored in enumerate(value.topics):
        upsert(connection, topic, {"label": scored.label})
        connection.execute(
            proposal_topic.insert().values(
                proposal_id=record.record_id, topic=scored.label, rank=rank, score=scored.score
            )
        )
    for piece in value.spans:
        connection.execute(span.insert().values(proposal_id=record.record_id, start=piece.start, end=piece.end))
