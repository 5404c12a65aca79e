"""JSON Schemas of the exported tables and views, as `configs/tables/` has them; and what of them a version promises."""

from __future__ import annotations

from typing import Any

from .schema import BODIES, KINDS, STANCES, stable_hash
from .tables import STORE_VERSION, Field, Relation
from .views import RELATIONS

_ENUMS: dict[tuple[str, str], tuple[str, ...]] = {
    ("delegate", "kind"): KINDS,
    ("membership", "body"): BODIES,
    ("proposal", "stance"): STANCES,
    ("v_records", "kind"): KINDS,
    ("v_records", "body"): BODIES,
    ("v_records", "stance"): STANCES,
    ("v_topic_stance_by_year", "stance"): STANCES,
    ("v_delegate_history", "kind"): KINDS,
    ("v_delegate_history", "body"): BODIES,
}


def table_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of a row of each exported table and view, by name."""
    return {relation.name: _schema(relation) for relation in RELATIONS}


def structure() -> str:
    """Return a hash of all that readers of the tables rely on; meanings may be worded better without a new one."""
    return stable_hash(
        *(
            (relation.name, column.name, column.type, column.nullable, _ENUMS.get((relation.name, column.name)))
            for relation in RELATIONS
            for column in relation.fields
        ),
        *((relation.name, relation.primary_key, relation.foreign_keys) for relation in RELATIONS),
    )


def _schema(relation: Relation) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": relation.name,
        "description": relation.description,
        "schema_version": STORE_VERSION,
        "type": "object",
        "properties": {column.name: _property(relation, column) for column in relation.fields},
        "required": [column.name for column in relation.fields],
        "additionalProperties": False,
    }
    # Not of JSON Schema itself, whose readers pass over what they don't know.
    if relation.primary_key:
        schema["primaryKey"] = list(relation.primary_key)
    if relation.foreign_keys:
        schema["foreignKeys"] = {column: f"{table}.{target}" for column, table, target in relation.foreign_keys}
    return schema


def _property(relation: Relation, column: Field) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": [column.type, "null"] if column.nullable else column.type,
        "description": column.description,
    }
    values = _ENUMS.get((relation.name, column.name))
    if values:
        found["enum"] = [*values, None] if column.nullable else list(values)
    return found
