"""The tables, their meanings, and that they change with a new version only.

After a change: raise `STORE_VERSION` in pipeline/tables.py where readers are touched, then run
`pytest tests/test_tables.py --renew-golden`, which writes `configs/tables/` anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import RecordMaker
from sqlalchemy.engine import Engine

from pipeline import table_schemas, tables, topics
from pipeline.export import exportable
from pipeline.schema import Article
from pipeline.store import Writer
from pipeline.tables import STORE_VERSION
from pipeline.topics import CAP_MAJORS, topic_table
from pipeline.views import RELATIONS, VIEWS

FOLDER = Path(__file__).parent.parent / "configs" / "tables"
VERSIONS = FOLDER / "versions.json"


def schema_text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def renew() -> None:
    """Write the schemas anew; refuse to change what a version that is out there promises."""
    FOLDER.mkdir(exist_ok=True)
    versions = json.loads(VERSIONS.read_text(encoding="utf-8")) if VERSIONS.exists() else {}
    known = versions.setdefault(str(STORE_VERSION), table_schemas.structure())
    assert known == table_schemas.structure(), f"version {STORE_VERSION} is taken: raise STORE_VERSION first"
    VERSIONS.write_text(json.dumps(versions, indent=1) + "\n", encoding="utf-8")
    for path in FOLDER.glob("*.schema.json"):
        path.unlink()
    for name, schema in table_schemas.table_schemas().items():
        (FOLDER / f"{name}.schema.json").write_text(schema_text(schema), encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
def _renewed(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--renew-golden"):
        renew()


def test_tables_change_with_a_new_version_only() -> None:
    versions = json.loads(VERSIONS.read_text(encoding="utf-8"))
    assert versions.get(str(STORE_VERSION)) == table_schemas.structure(), (
        "the tables differ from what their version promises: raise STORE_VERSION in pipeline/tables.py, then run "
        "pytest tests/test_tables.py --renew-golden"
    )
    assert max(map(int, versions)) == STORE_VERSION


def test_stored_schemas_are_those_of_the_code() -> None:
    schemas = table_schemas.table_schemas()
    assert {path.name for path in FOLDER.glob("*.schema.json")} == {f"{name}.schema.json" for name in schemas}
    for name, schema in schemas.items():
        text = (FOLDER / f"{name}.schema.json").read_text(encoding="utf-8")
        assert text == schema_text(schema), "run pytest tests/test_tables.py --renew-golden"


@pytest.mark.parametrize(
    "change",
    [
        lambda: tables.Field("score", "string", False, ""),
        lambda: tables.Field("score", "number", True, ""),
        lambda: tables.Field("scores", "number", False, ""),
    ],
)
def test_structure_changes_with_a_column(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    before = table_schemas.structure()
    relation = RELATIONS[0]
    changed = tables.Relation(relation.name, relation.description, (*relation.fields[:-1], change()))
    monkeypatch.setattr(table_schemas, "RELATIONS", (changed, *RELATIONS[1:]))
    assert table_schemas.structure() != before


def test_structure_does_not_change_with_a_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    before = table_schemas.structure()
    relation = RELATIONS[0]
    changed = tables.Relation(
        relation.name,
        "said better",
        tuple(tables.Field(c.name, c.type, c.nullable, "said better") for c in relation.fields),
        relation.primary_key,
        relation.foreign_keys,
    )
    monkeypatch.setattr(table_schemas, "RELATIONS", (changed, *RELATIONS[1:]))
    assert table_schemas.structure() == before


@pytest.mark.parametrize("relation", RELATIONS, ids=lambda relation: relation.name)
def test_everything_has_a_meaning(relation: tables.Relation) -> None:
    assert relation.description.endswith(".")
    for column in relation.fields:
        assert column.description, f"{relation.name}.{column.name}"


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.relation.name)
def test_view_has_the_columns_that_it_declares(view: Any) -> None:
    query = view.select(tables.metadata.tables)
    assert [column.name for column in query.selected_columns] == [column.name for column in view.relation.fields]


def test_rows_fit_their_schemas(engine: Engine, make_record: RecordMaker) -> None:
    writer = Writer(engine, {"en": "one"})
    for number, year in enumerate((2024, None)):
        article = Article(f"a{number}", "Ma Lan proposed more schools.", session_year=year, outlet="Daily")
        writer.write(article, [make_record(article, organization="Harbour Group", body="NPC" if number else None)])
    writer.finish()
    schemas = table_schemas.table_schemas()
    with exportable(engine) as source:
        for relation in RELATIONS:
            names = [column.name for column in relation.fields]
            validator = jsonschema.Draft202012Validator(schemas[relation.name])
            for batch in source.batches(relation):
                for row in batch:
                    validator.validate(dict(zip(names, row, strict=True)))
            assert relation.name == "failure" or source.written[relation.name], relation.name


def test_every_shipped_topic_has_a_definition_and_a_cap_code() -> None:
    for topic in topic_table():
        assert topic.definition
        assert topic.cap_major in CAP_MAJORS, topic.label


def test_cap_code_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "topics.toml"
    path.write_text('[tea]\ndefinition = "Tea."\ncap_major = 11\n', encoding="utf-8")
    with pytest.raises(ValueError, match="topic tea: cap_major 11 is no major code"):
        topic_table(path)


def test_topic_of_a_user_needs_no_cap_code(tmp_path: Path) -> None:
    path = tmp_path / "topics.toml"
    path.write_text('[tea]\ndefinition = "Tea."\n', encoding="utf-8")
    assert topic_table(path) == (topics.Topic("tea", "Tea.", None),)
