"""Which part of the store to export: filters → queries of each table and view; pure, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import FromClause

from .tables import (
    TABLES,
    article,
    delegate,
    failure,
    membership,
    metadata,
    organization,
    outlet,
    post,
    proposal,
    proposal_topic,
    run,
    span,
)
from .views import VIEWS


@dataclass(frozen=True)
class Selection:
    """Filters on records; an empty one lets everything through, and values of one filter are alternatives.

    `since_run` takes articles that this run or a later one wrote. With `topics`, `stances`, `bodies` or `min_score`
    only articles with a fitting record are taken; with the others alone, articles without records are too.
    """

    session_years: tuple[int, ...] = ()
    topics: tuple[str, ...] = ()
    stances: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    min_score: float = 0.0
    since_run: int | None = None

    @property
    def is_everything(self) -> bool:
        """Tell whether nothing is left out."""
        return self == Selection()

    @property
    def selects_records(self) -> bool:
        """Tell whether records of one article may fare differently."""
        return bool(self.topics or self.stances or self.bodies or self.min_score > 0)

    def to_dict(self) -> dict[str, Any]:
        """Return the filters that are set, ready for `json.dumps`."""
        return {name: value for name, value in asdict(self).items() if value}


def article_conditions(selection: Selection) -> list[sa.ColumnElement[bool]]:
    """Return what the filters ask of an article."""
    found: list[sa.ColumnElement[bool]] = []
    if selection.session_years:
        found.append(article.c.session_year.in_(selection.session_years))
    if selection.since_run is not None:
        found.append(article.c.run_id >= selection.since_run)
    return found


def record_conditions(selection: Selection) -> list[sa.ColumnElement[bool]]:
    """Return what the filters ask of a row of `proposal`, its article apart."""
    found: list[sa.ColumnElement[bool]] = []
    if selection.stances:
        found.append(proposal.c.stance.in_(selection.stances))
    if selection.min_score > 0:
        found.append(proposal.c.score >= selection.min_score)
    if selection.topics:
        found.append(
            proposal.c.id.in_(
                sa.select(proposal_topic.c.proposal_id).where(proposal_topic.c.topic.in_(selection.topics))
            )
        )
    if selection.bodies:
        found.append(
            sa.tuple_(proposal.c.article_id, proposal.c.delegate_id).in_(
                sa.select(membership.c.article_id, membership.c.delegate_id).where(
                    membership.c.body.in_(selection.bodies)
                )
            )
        )
    return found


def queries(selection: Selection) -> dict[str, sa.Select[Any]]:
    """Return a query of each exported table and view, in a fixed order of rows.

    The rows hang together: whatever a selected row refers to by a foreign key is selected too.
    """
    conditions = _conditions(selection)
    found: dict[str, sa.Select[Any]] = {}
    filtered: dict[str, FromClause] = dict(metadata.tables)
    for relation in TABLES:
        table = metadata.tables[relation.name]
        query = sa.select(table).where(*conditions.get(relation.name, ()))
        found[relation.name] = query.order_by(*table.primary_key.columns)
        # What these refer to, and the topics of a proposal, follow from them: there is no need to filter it in a view.
        if conditions and relation.name in ("proposal", "membership", "post"):
            filtered[relation.name] = query.subquery(f"selected_{relation.name}")
    for view in VIEWS:
        query = view.select(filtered)
        found[view.relation.name] = query.order_by(*(query.selected_columns[name] for name in view.order))
    return found


def _conditions(selection: Selection) -> Mapping[str, list[sa.ColumnElement[bool]]]:
    if selection.is_everything:
        return {}
    in_article, of_record = article_conditions(selection), record_conditions(selection)
    kept = list(of_record)
    if in_article:
        kept.append(proposal.c.article_id.in_(sa.select(article.c.id).where(*in_article)))
    articles = list(in_article)
    if of_record:
        articles.append(article.c.id.in_(sa.select(proposal.c.article_id).where(*kept)))
    ids = sa.select(proposal.c.id).where(*kept)
    pairs = sa.select(proposal.c.article_id, proposal.c.delegate_id).where(*kept)

    def of_pair(name: str) -> sa.ColumnElement[bool]:
        columns = metadata.tables[name].c
        return sa.tuple_(columns.article_id, columns.delegate_id).in_(pairs)

    found: dict[str, list[sa.ColumnElement[bool]]] = {
        "article": articles,
        "outlet": [outlet.c.id.in_(sa.select(article.c.outlet_id).where(*articles))],
        "proposal": kept,
        "proposal_topic": [proposal_topic.c.proposal_id.in_(ids)],
        "span": [span.c.proposal_id.in_(ids)],
        "delegate": [delegate.c.id.in_(sa.select(proposal.c.delegate_id).where(*kept))],
        "membership": [of_pair("membership")],
        "post": [of_pair("post")],
        "mention": [of_pair("mention")],
        "organization": [organization.c.id.in_(sa.select(post.c.organization_id).where(of_pair("post")))],
    }
    if selection.since_run is not None:
        found["run"] = [run.c.id >= selection.since_run]
        found["failure"] = [failure.c.run_id >= selection.since_run]
    return found
