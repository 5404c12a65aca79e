"""The first record of each proposal, to which the others that report it lead (`same_as`)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..resolve import same_proposal, settle_firsts
from ..schema import Record
from ..tables import article, proposal


def first_of(connection: Connection, record: Record, delegate_key: str) -> str:
    """Return the id of the first record of the proposal that a record reports, or the record's own."""
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


def mend_firsts(connection: Connection, run_id: int) -> None:
    """Lead each record again to the first one of its proposal, where that has gone or is none any more.

    A record that was first may have got another delegate, year or wording in this run, or a first one of its own.
    """
    rows = _doubtful(connection, run_id)
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


def _doubtful(connection: Connection, run_id: int) -> list[sa.Row[Any]]:
    """Return the records that lead to another which may not be the first any more, each with what that one is."""
    first, firsts = proposal.alias("first"), article.alias("firsts")
    query = (
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
    )  # fmt: skip
    return list(connection.execute(query))
