"""`datapackage.json`: what the files of a folder are, as a Frictionless data package (datapackage.org, version 2)."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import __version__
from ..selection import Selection
from ..tables import STORE_VERSION, Relation

NAME = "two-sessions"
FILE = "datapackage.json"


def resource(relation: Relation, path: Path, typed: bool = False, **options: Any) -> dict[str, Any]:
    """Return the entry of a written file.

    `typed` is for a format with types and nulls of its own; `options` are what else is particular to a format.
    """
    entry = {
        "name": relation.name,
        "path": path.name,
        "type": "table",
        "title": relation.name,
        "description": relation.description,
        **options,
        "schema": table_schema(relation, typed),
    }
    if not typed:
        # frictionless reads Parquet past its own counting of bytes, and then calls any size and hash wrong.
        with path.open("rb") as stream:
            entry["hash"] = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
        entry["bytes"] = path.stat().st_size
    return entry


def table_schema(relation: Relation, typed: bool) -> dict[str, Any]:
    """Return the Table Schema of a table or view."""
    fields: list[dict[str, Any]] = []
    for column in relation.fields:
        entry: dict[str, Any] = {"name": column.name, "type": column.type, "description": column.description}
        if not column.nullable:
            entry["constraints"] = {"required": True}
        elif typed and column.type != "string":
            # What frictionless, which reads Parquet by way of pandas, makes of a null among numbers.
            entry["missingValues"] = ["nan"]
        fields.append(entry)
    schema: dict[str, Any] = {"fields": fields, "missingValues": [] if typed else [""]}
    if relation.primary_key:
        schema["primaryKey"] = list(relation.primary_key)
    if relation.foreign_keys:
        schema["foreignKeys"] = [
            {"fields": [column], "reference": {"resource": table, "fields": [target]}}
            for column, table, target in relation.foreign_keys
        ]
    return schema


def write_package(folder: Path, resources: list[dict[str, Any]], selection: Selection, note: str) -> None:
    """Write the description of a folder's files."""
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": NAME,
        "title": "Two Sessions: who proposes what, on which topic, with which stance",
        "description": note,
        "version": f"{STORE_VERSION}.0.0",
        "created": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "twosessions": {"pipeline": __version__, "schema_version": STORE_VERSION, "filters": selection.to_dict()},
        "resources": resources,
    }
    (folder / FILE).write_text(json.dumps(package, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def refuse_other_folder(folder: Path) -> str | None:
    """Return why a folder must not be replaced, or None: it holds one of our data packages and nothing else."""
    try:
        package = json.loads((folder / FILE).read_text(encoding="utf-8"))
        ours = package["name"] == NAME
        listed = {FILE, *(entry["path"] for entry in package["resources"])}
    except (OSError, ValueError, KeyError, TypeError):
        return "a folder that is no earlier export; name a new one, or an empty one"
    if not ours:
        return "a folder with somebody else's data package; name a new one, or an empty one"
    others = sorted(path.name for path in folder.iterdir() if path.name not in listed)
    if others:
        return f"holds {others[0]} beside an earlier export, and would be replaced as a whole; move that away first"
    return None
