"""The tables of the store and of its exports: names, types, keys and meanings, each written down once.

Names follow Popolo (person, organization, membership, post) where it has a word. A column's comment is its meaning; the
JSON Schemas, the data packages and the databases all carry it from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

#: Goes up whenever a table or a view changes in what others read: its columns, types, keys.
STORE_VERSION = 2

metadata = sa.MetaData()


def _id(name: str, target: str | None = None, **options: Any) -> sa.Column[str]:
    parts = [sa.ForeignKey(target)] if target else []
    return sa.Column(name, sa.String(64), *parts, **options)


def _article_key(meaning: str) -> sa.Column[str]:
    # Rows of an article are looked up and replaced together, and the key begins with the delegate.
    return sa.Column("article_id", sa.Text, sa.ForeignKey("article.id"), primary_key=True, index=True, comment=meaning)


meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    comment="The version of these tables.",
)
run = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, comment="1 for the first run of a store"),
    sa.Column("started", sa.String(32), nullable=False, comment="UTC, ISO 8601"),
    sa.Column("finished", sa.String(32), comment="UTC, ISO 8601; null where the run was cut off"),
    sa.Column("pipeline", sa.String(32), nullable=False, comment="version of the code"),
    sa.Column("models", sa.Text, nullable=False, comment="JSON object: language to digest"),
    sa.Column("articles", sa.Integer, nullable=False, default=0, comment="articles written by this run"),
    sa.Column("unchanged", sa.Integer, nullable=False, default=0, comment="articles that were there already"),
    comment="One call of `twosessions run`.",
)
failure = sa.Table(
    "failure",
    metadata,
    sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id"), primary_key=True, comment="the run that met it"),
    sa.Column("source", sa.Text, primary_key=True, comment="the input as the user named it"),
    sa.Column("reason", sa.Text, nullable=False, comment="why, for people to read"),
    comment="An input that gave no article.",
)
outlet = sa.Table(
    "outlet",
    metadata,
    _id("id", primary_key=True, comment="hash of the name"),
    sa.Column("name", sa.Text, nullable=False, comment="as the latest article of it gives it"),
    comment="Who published an article.",
)
article = sa.Table(
    "article",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="document_id of the records"),
    _id("outlet_id", "outlet.id", index=True, comment="null where the input names no outlet"),
    sa.Column("title", sa.Text, comment="headline; null where unknown"),
    sa.Column("url", sa.Text, comment="where it was published; null where unknown"),
    sa.Column("published", sa.Text, comment="date as the input gives it, mostly ISO 8601"),
    sa.Column("lang", sa.String(8), comment="ISO 639-1 code, given or detected"),
    sa.Column("session_year", sa.Integer, index=True, comment="of the Two Sessions it covers; null where unknown"),
    sa.Column("text", sa.Text, nullable=False, comment="as read; every offset counts its code points"),
    _id("text_hash", nullable=False, comment="of the text and metadata: tells whether the article has changed"),
    _id("provenance_hash", nullable=False, comment="of the code version, models and least score it was read with"),
    sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id"), nullable=False, comment="the run that wrote it last"),
    sa.Column(
        "file", sa.Text, index=True, comment="name of the file that it was in; null where it has an id of its own"
    ),
    comment="One piece of coverage.",
)
delegate = sa.Table(
    "delegate",
    metadata,
    _id("id", primary_key=True, comment="the same in every article, year and export"),
    sa.Column("kind", sa.String(16), nullable=False, comment="person or organization"),
    sa.Column("name", sa.Text, nullable=False, comment="as the first article gives it"),
    sa.Column("name_zh", sa.Text, comment="in Chinese characters; null where no article gives it"),
    sa.Column("name_key", sa.Text, nullable=False, index=True, comment="the words of the name, sorted, in lower case"),
    comment="A proponent, one row over all articles and years.",
)
organization = sa.Table(
    "organization",
    metadata,
    _id("id", primary_key=True, comment="hash of the name"),
    sa.Column("name", sa.Text, nullable=False, comment="as the latest article gives it"),
    comment="Where a delegate holds a post.",
)
membership = sa.Table(
    "membership",
    metadata,
    _id("delegate_id", "delegate.id", primary_key=True, comment="who"),
    sa.Column("body", sa.String(8), primary_key=True, comment="NPC, CPPCC or local"),
    sa.Column("session_year", sa.Integer, primary_key=True, comment="0 where the article gives none"),
    _article_key("which says so"),
    comment="A delegate's seat in a body in a session year.",
)
post = sa.Table(
    "post",
    metadata,
    _id("delegate_id", "delegate.id", primary_key=True, comment="who"),
    _article_key("which says so"),
    sa.Column("start", sa.Integer, primary_key=True, comment="of the role in the article, code points"),
    sa.Column("end", sa.Integer, nullable=False, comment="exclusive"),
    sa.Column("role", sa.Text, nullable=False, comment="title in the article's words, as Popolo's Post.role"),
    _id("organization_id", "organization.id", index=True, comment="null where the article names none"),
    comment="A role that a delegate holds, perhaps at an organization.",
)
mention = sa.Table(
    "mention",
    metadata,
    _id("delegate_id", "delegate.id", primary_key=True, comment="who"),
    _article_key("where"),
    sa.Column("start", sa.Integer, primary_key=True, comment="code points in article.text"),
    sa.Column("end", sa.Integer, nullable=False, comment="exclusive"),
    comment="Where an article names a delegate.",
)
proposal = sa.Table(
    "proposal",
    metadata,
    _id("id", primary_key=True, comment="record_id of the record"),
    _id("proposal_id", nullable=False, comment="the same for the records of a joint proposal"),
    _id("same_as", nullable=False, comment="id of the first record of this delegate and year with the same content"),
    sa.Column(
        "article_id",
        sa.Text,
        sa.ForeignKey("article.id"),
        nullable=False,
        index=True,
        comment="the article that reports it",
    ),
    _id("delegate_id", "delegate.id", nullable=False, index=True, comment="who proposes"),
    sa.Column("text", sa.Text, nullable=False, comment="the article's words, spans joined"),
    sa.Column("stance", sa.String(8), nullable=False, index=True, comment="promote, regulate, both or neither"),
    sa.Column("promote", sa.Float, nullable=False, comment="calibrated probability"),
    sa.Column("regulate", sa.Float, nullable=False, comment="calibrated probability"),
    sa.Column("score", sa.Float, nullable=False, comment="calibrated probability that the record is right"),
    sa.Column("delegate_score", sa.Float, nullable=False, comment="calibrated probability of the link"),
    comment="One record: one proponent and one proposal in one article.",
)
topic = sa.Table(
    "topic",
    metadata,
    _id("label", primary_key=True, comment="as records carry it"),
    sa.Column("definition", sa.Text, comment="null for a label that configs/topics.toml doesn't have"),
    sa.Column("cap_major", sa.Integer, comment="major topic code of the Comparative Agendas Project; 99 is other"),
    comment="What a topic label means.",
)
proposal_topic = sa.Table(
    "proposal_topic",
    metadata,
    _id("proposal_id", "proposal.id", primary_key=True, comment="proposal.id, the record"),
    _id("topic", "topic.label", primary_key=True, index=True, comment="topic.label"),
    sa.Column("rank", sa.Integer, nullable=False, comment="0 is the most probable"),
    sa.Column("score", sa.Float, nullable=False, comment="calibrated probability"),
    comment="A topic of a proposal.",
)
span = sa.Table(
    "span",
    metadata,
    _id("proposal_id", "proposal.id", primary_key=True, comment="proposal.id, the record"),
    sa.Column("start", sa.Integer, primary_key=True, comment="code points in article.text"),
    sa.Column("end", sa.Integer, nullable=False, comment="exclusive"),
    comment="Where the words of a proposal stand.",
)


FieldType = Literal["string", "integer", "number"]


@dataclass(frozen=True)
class Field:
    """A column as exports describe it."""

    name: str
    type: FieldType
    nullable: bool
    description: str


@dataclass(frozen=True)
class Relation:
    """A table or view as exports describe it; `foreign_keys` are (column, table, its column)."""

    name: str
    description: str
    fields: tuple[Field, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[tuple[str, str, str], ...] = ()


def _relation(table: sa.Table) -> Relation:
    return Relation(
        name=table.name,
        description=table.comment or "",
        fields=tuple(
            Field(column.name, _type(column), bool(column.nullable), column.comment or "") for column in table.columns
        ),
        primary_key=tuple(column.name for column in table.primary_key),
        foreign_keys=tuple(
            (key.parent.name, key.column.table.name, key.column.name)
            for column in table.columns
            for key in column.foreign_keys
        ),
    )


def _type(column: sa.Column[Any]) -> FieldType:
    if isinstance(column.type, sa.Integer):
        return "integer"
    return "number" if isinstance(column.type, sa.Float) else "string"


#: The tables that exports carry, each after those that it refers to.
TABLES = tuple(_relation(table) for table in metadata.sorted_tables if table is not meta)
