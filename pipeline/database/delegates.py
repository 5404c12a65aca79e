"""The rows of delegates: who is who over articles and years, and stays so where an article is written again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..people import name_words
from ..resolve import KnownDelegate, resolve_delegate, same_delegate
from ..schema import Record
from ..tables import delegate, membership, organization, post, proposal
from .orphans import is_used, unused
from .statements import storable


def delegates_of(connection: Connection, article_id: str) -> dict[str, str]:
    """Return the delegate of each record that an article has in the store, by ids."""
    rows = connection.execute(
        sa.select(proposal.c.id, proposal.c.delegate_id).where(proposal.c.article_id == article_id)
    )
    return {row.id: row.delegate_id for row in rows}


def kept_delegates(connection: Connection, records: Sequence[Record], before: Mapping[str, str]) -> dict[str, str]:
    """Return the rows that delegates of an article keep from its version `before`, whose own rows are gone.

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


def delegate_row(connection: Connection, record: Record) -> str:
    """Return the id of the row of a record's delegate, made where no known delegate fits."""
    new, key = record.delegate, _name_key(record.delegate.name)
    # A delegate whom no article speaks of any more fits everybody; its id is free.
    connection.execute(delegate.delete().where(delegate.c.name_key == key, *unused(delegate)))
    rows = connection.execute(sa.select(delegate).where(delegate.c.name_key == key))
    known = [_known_delegate(connection, row) for row in rows]
    resolution = resolve_delegate(new, record.document.session_year, known)
    if resolution.new:
        connection.execute(
            delegate.insert().values(
                id=resolution.id, kind=new.kind, name=storable(new.name), name_zh=new.name_zh, name_key=key
            )
        )
    else:
        _add_chinese_name(connection, resolution.id, new.name_zh)
    return resolution.id


def _stays(connection: Connection, row: Any, record: Record) -> bool:
    """Tell whether a delegate's row may stay that of a record's delegate; what it says of the name is made true."""
    new = record.delegate
    if (row.kind, row.name_key) != (new.kind, _name_key(new.name)):
        return False
    if not is_used(connection, delegate, row.id):
        # All that was known came from this very article.
        names = {"name": storable(new.name), "name_zh": new.name_zh}
        connection.execute(delegate.update().where(delegate.c.id == row.id).values(names))
        return True
    if not same_delegate(_known_delegate(connection, row), new, record.document.session_year):
        return False
    _add_chinese_name(connection, row.id, new.name_zh)
    return True


def _name_key(name: str) -> str:
    """Return the words of a name in an order that is the same whichever of them comes first."""
    return " ".join(sorted(name_words(name))) or storable(name)


def _add_chinese_name(connection: Connection, delegate_key: str, name_zh: str | None) -> None:
    if name_zh:
        unnamed = (delegate.c.id == delegate_key, delegate.c.name_zh.is_(None))
        connection.execute(delegate.update().where(*unnamed).values(name_zh=name_zh))


def _known_delegate(connection: Connection, row: Any) -> KnownDelegate:
    """Return a delegate's row with what articles say of its bodies and organizations."""
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
