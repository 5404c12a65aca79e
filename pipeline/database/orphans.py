"""Rows that many articles share: whether any article speaks of one, and their removal where none does."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..tables import article, delegate, membership, mention, organization, outlet, post, proposal

# The columns that name a row of a table.
_USERS: dict[sa.Table, tuple[sa.Column[Any], ...]] = {
    delegate: (proposal.c.delegate_id, membership.c.delegate_id, post.c.delegate_id, mention.c.delegate_id),
    organization: (post.c.organization_id,),
    outlet: (article.c.outlet_id,),
}


def drop_orphans(connection: Connection) -> None:
    """Remove delegates, organizations and outlets that no article speaks of any more."""
    for table in _USERS:
        connection.execute(table.delete().where(*unused(table)))


def unused(table: sa.Table) -> list[sa.ColumnElement[bool]]:
    """Return the conditions under which no article speaks of a row of a table."""
    return [~sa.exists().where(user == table.c.id) for user in _USERS[table]]


def is_used(connection: Connection, table: sa.Table, key: str) -> bool:
    """Tell whether anything in the store speaks of a row of a table."""
    return any(connection.scalar(sa.select(sa.exists().where(user == key))) for user in _USERS[table])
