"""The views: flat tables for charts, made of the star schema.

Each is written once, as a function from the tables (or filtered selections of them) to a `Select`; SQLite, PostgreSQL
and DuckDB have them as views, CSV and Parquet as files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.sql import FromClause

from .schema import STANCES, stable_hash
from .tables import TABLES, Field, Relation, meta, metadata

Tables = Mapping[str, FromClause]


@dataclass(frozen=True)
class View:
    """A view: what it looks like, the query that it is, and the columns that put its rows into a fixed order."""

    relation: Relation
    select: Callable[[Tables], sa.Select[*tuple[Any, ...]]]
    order: tuple[str, ...]


def _body(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return the body of a group of memberships: a national seat counts before a local one."""
    return sa.case(
        (sa.func.count(sa.case((column == "NPC", 1))) > 0, "NPC"),
        (sa.func.count(sa.case((column == "CPPCC", 1))) > 0, "CPPCC"),
        else_=sa.func.min(column),
    )


def _records(tables: Tables) -> sa.Select[*tuple[Any, ...]]:
    article, proposal, delegate, outlet, run = (
        tables[name].c for name in ("article", "proposal", "delegate", "outlet", "run")
    )
    membership, post, organization, labelled, topic = (
        tables[name].c for name in ("membership", "post", "organization", "proposal_topic", "topic")
    )
    # Scalar subqueries: SQLite looks each up by an index, where it would scan a joined group for every row; and a query
    # that doesn't ask for these columns doesn't pay for them.
    body = (
        sa.select(_body(membership.body))
        .where(membership.article_id == proposal.article_id, membership.delegate_id == proposal.delegate_id)
        .scalar_subquery()
    )
    first_post = (
        sa.select(post.role, organization.name)
        .select_from(tables["post"].outerjoin(tables["organization"], organization.id == post.organization_id))
        .where(post.article_id == proposal.article_id, post.delegate_id == proposal.delegate_id)
        .order_by(post.start)
        .limit(sa.literal_column("1"))
    )
    joined = (
        tables["proposal"]
        .join(tables["article"], article.id == proposal.article_id)
        .join(tables["run"], run.id == article.run_id)
        .join(tables["delegate"], delegate.id == proposal.delegate_id)
        .outerjoin(tables["outlet"], outlet.id == article.outlet_id)
        .outerjoin(tables["proposal_topic"], labelled.proposal_id == proposal.id)
        .outerjoin(tables["topic"], topic.label == labelled.topic)
    )
    return sa.select(
        proposal.id.label("record_id"),
        proposal.article_id.label("document_id"),
        article.session_year,
        article.published,
        article.lang,
        outlet.name.label("outlet"),
        article.title,
        article.url,
        proposal.delegate_id,
        delegate.name.label("delegate"),
        delegate.name_zh.label("delegate_zh"),
        delegate.kind,
        body.label("body"),
        first_post.with_only_columns(post.role).scalar_subquery().label("role"),
        first_post.with_only_columns(organization.name).scalar_subquery().label("organization"),
        proposal.proposal_id,
        proposal.same_as,
        proposal.text.label("proposal"),
        labelled.topic,
        labelled.rank.label("topic_rank"),
        labelled.score.label("topic_score"),
        topic.cap_major,
        proposal.stance,
        proposal.promote,
        proposal.regulate,
        proposal.score,
        article.run_id,
        run.pipeline,
    ).select_from(joined)


def _topic_stance_by_year(tables: Tables) -> sa.Select[*tuple[Any, ...]]:
    article, proposal, labelled, topic = (tables[name].c for name in ("article", "proposal", "proposal_topic", "topic"))
    return (
        sa.select(
            article.session_year,
            labelled.topic,
            topic.cap_major,
            proposal.stance,
            sa.func.count().label("records"),
            sa.func.count(proposal.same_as.distinct()).label("proposals"),
            sa.func.count(proposal.delegate_id.distinct()).label("delegates"),
            sa.func.count(proposal.article_id.distinct()).label("articles"),
        )
        .select_from(
            tables["proposal"]
            .join(tables["article"], article.id == proposal.article_id)
            .join(tables["proposal_topic"], labelled.proposal_id == proposal.id)
            .outerjoin(tables["topic"], topic.label == labelled.topic)
        )
        .group_by(article.session_year, labelled.topic, topic.cap_major, proposal.stance)
    )


def _delegate_history(tables: Tables) -> sa.Select[*tuple[Any, ...]]:
    article, proposal, delegate, membership, post, organization = (
        tables[name].c for name in ("article", "proposal", "delegate", "membership", "post", "organization")
    )
    # 0 for an unknown year: null doesn't equal null in a join. Literal, because PostgreSQL takes the same expression
    # with two parameters for two expressions, one of which it then misses in GROUP BY.
    year = sa.func.coalesce(article.session_year, sa.literal_column("0"))
    counts = ("articles", "records", "proposals", *STANCES)
    active = (
        sa.select(
            proposal.delegate_id,
            year.label("session_year"),
            sa.func.count(proposal.article_id.distinct()).label("articles"),
            sa.func.count().label("records"),
            sa.func.count(proposal.same_as.distinct()).label("proposals"),
            *(sa.func.count(sa.case((proposal.stance == stance, 1))).label(stance) for stance in STANCES),
            sa.cast(sa.null(), sa.Text).label("role"),
            sa.cast(sa.null(), sa.Text).label("organization"),
        )
        .select_from(tables["proposal"].join(tables["article"], article.id == proposal.article_id))
        .group_by(proposal.delegate_id, year)
    )
    place = sa.func.coalesce(organization.name, sa.literal_column("''"))
    ranked = (
        sa.select(
            post.delegate_id,
            year.label("session_year"),
            post.role,
            organization.name.label("organization"),
            sa.func.row_number()
            .over(partition_by=(post.delegate_id, year), order_by=(sa.func.count().desc(), post.role, place))
            .label("place"),
        )
        .select_from(
            tables["post"]
            .join(tables["article"], article.id == post.article_id)
            .outerjoin(tables["organization"], organization.id == post.organization_id)
        )
        .group_by(post.delegate_id, year, post.role, organization.name)
        .subquery("ranked_post")
    )
    top = sa.select(
        ranked.c.delegate_id,
        ranked.c.session_year,
        *(sa.cast(sa.null(), sa.Integer).label(name) for name in counts),
        ranked.c.role,
        ranked.c.organization,
    ).where(ranked.c.place == sa.literal_column("1"))
    # Put under each other and grouped rather than joined: SQLite makes no index for some joins of two subqueries, and
    # would take minutes. Each group has one row of counts and at most one post; `max` picks what isn't null.
    both = sa.union_all(active, top).subquery("counts_and_post")
    year_of = (
        sa.select(
            both.c.delegate_id,
            both.c.session_year,
            *(sa.func.max(both.c[name]).label(name) for name in (*counts, "role", "organization")),
        )
        .group_by(both.c.delegate_id, both.c.session_year)
        .subquery("delegate_year")
    )
    body = (
        sa.select(_body(membership.body))
        .where(membership.delegate_id == year_of.c.delegate_id, membership.session_year == year_of.c.session_year)
        .scalar_subquery()
    )
    return sa.select(
        year_of.c.delegate_id,
        delegate.name.label("delegate"),
        delegate.name_zh.label("delegate_zh"),
        delegate.kind,
        sa.func.nullif(year_of.c.session_year, sa.literal_column("0")).label("session_year"),
        body.label("body"),
        year_of.c.role,
        year_of.c.organization,
        *(year_of.c[name] for name in counts),
    ).select_from(year_of.join(tables["delegate"], delegate.id == year_of.c.delegate_id))


def _string(name: str, description: str, nullable: bool = True) -> Field:
    return Field(name, "string", nullable, description)


def _integer(name: str, description: str, nullable: bool = False) -> Field:
    return Field(name, "integer", nullable, description)


def _number(name: str, description: str, nullable: bool = False) -> Field:
    return Field(name, "number", nullable, description)


_YEAR = _integer("session_year", "of the Two Sessions; null where unknown", nullable=True)
_WHO = (
    _string("delegate", "name", nullable=False),
    _string("delegate_zh", "name in Chinese characters"),
    _string("kind", "person or organization", nullable=False),
)
_CAP = _integer("cap_major", "major topic code of the Comparative Agendas Project; 99 is other", nullable=True)
_COUNTS = (
    _integer("records", "records: one proponent and one proposal in one article"),
    _integer("proposals", "different ones: repeats of one delegate's proposal in a year count once"),
)

VIEWS = (
    View(
        Relation(
            "v_records",
            "One row a record and topic, flat; a record without a topic has one row. Count distinct record_id.",
            (
                _string("record_id", "proposal.id", nullable=False),
                _string("document_id", "article.id", nullable=False),
                _YEAR,
                _string("published", "date as the input gives it, mostly ISO 8601"),
                _string("lang", "ISO 639-1 code"),
                _string("outlet", "who published the article"),
                _string("title", "headline"),
                _string("url", "where it was published"),
                _string("delegate_id", "delegate.id", nullable=False),
                *_WHO,
                _string("body", "NPC, CPPCC or local, by this article; null where it gives none"),
                _string("role", "the first post that this article names"),
                _string("organization", "where that post is held"),
                _string("proposal_id", "the same for the records of a joint proposal", nullable=False),
                _string("same_as", "record_id of the first record with the same content", nullable=False),
                _string("proposal", "the article's words", nullable=False),
                _string("topic", "topic.label"),
                _integer("topic_rank", "0 is the most probable", nullable=True),
                _number("topic_score", "calibrated probability", nullable=True),
                _CAP,
                _string("stance", "promote, regulate, both or neither", nullable=False),
                _number("promote", "calibrated probability"),
                _number("regulate", "calibrated probability"),
                _number("score", "calibrated probability that the record is right"),
                _integer("run_id", "the run that wrote the record"),
                _string("pipeline", "version of the code that made it", nullable=False),
            ),
        ),
        _records,
        ("record_id", "topic_rank"),
    ),
    View(
        Relation(
            "v_topic_stance_by_year",
            "How many records a topic has with a stance in a session year. A record with two topics counts in both.",
            (
                _YEAR,
                _string("topic", "topic.label", nullable=False),
                _CAP,
                _string("stance", "promote, regulate, both or neither", nullable=False),
                *_COUNTS,
                _integer("delegates", "different proponents"),
                _integer("articles", "different articles"),
            ),
        ),
        _topic_stance_by_year,
        ("session_year", "topic", "stance"),
    ),
    View(
        Relation(
            "v_delegate_history",
            "One row a delegate and session year with proposals: seat, post and how many of each stance.",
            (
                _string("delegate_id", "delegate.id", nullable=False),
                *_WHO,
                _YEAR,
                _string("body", "NPC, CPPCC or local; a national seat counts before a local one"),
                _string("role", "the post that most articles of the year name"),
                _string("organization", "where that post is held"),
                _integer("articles", "different articles with records"),
                *_COUNTS,
                *(_integer(stance, f"records with the stance {stance}") for stance in STANCES),
            ),
        ),
        _delegate_history,
        ("delegate_id", "session_year"),
    ),
)


#: Every exported table and view; a table comes after those that it refers to.
RELATIONS = (*TABLES, *(view.relation for view in VIEWS))


def view_statements(dialect: Dialect) -> dict[str, str]:
    """Return the query of each view in a dialect of SQL."""
    return {
        view.relation.name: str(
            view.select(metadata.tables).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        )
        for view in VIEWS
    }


def create_views(connection: Connection) -> None:
    """Make the views, or make them anew where another version of the code made them; else nothing is written."""
    statements = view_statements(connection.dialect)
    digest = stable_hash(*statements.items())
    held = connection.scalar(sa.select(meta.c.value).where(meta.c.key == "views"))
    if held == digest:
        return
    for name, statement in statements.items():
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
        # A second process that opens a new database at the same time may have been faster.
        guard = "CREATE VIEW IF NOT EXISTS" if connection.dialect.name == "sqlite" else "CREATE OR REPLACE VIEW"
        connection.exec_driver_sql(f"{guard} {name} AS {statement}")
    connection.execute(meta.delete().where(meta.c.key == "views"))
    connection.execute(meta.insert().values(key="views", value=digest))
