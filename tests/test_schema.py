"""The labels, the stable hash and the JSON Schema."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from typing import get_args

import jsonschema
import pytest
from conftest import RecordMaker
from hypothesis import given
from hypothesis import strategies as st

from pipeline import schema
from pipeline.schema import Article, Span, json_schema, record_from_dict, stable_hash

ARTICLE = Article("a", "Ma Lan proposed a law.", lang="en", session_year=2022)


def line(make_record: RecordMaker, **options: object) -> dict:
    return json.loads(json.dumps(make_record(ARTICLE, **options).to_dict()))


def test_labels_and_their_types_agree() -> None:
    assert get_args(schema.Kind) == schema.KINDS
    assert get_args(schema.Body) == schema.BODIES
    assert get_args(schema.StanceLabel) == schema.STANCES


def test_values_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        ARTICLE.text = "other"  # type: ignore[misc]


def test_hash_is_the_same_in_every_run() -> None:
    # Ids in stores and feeds hang on it.
    assert stable_hash("delegate", "person", "lan ma", "NPC") == "c651f97c51cfaedd"


def test_hash_tells_parts_and_their_order_apart() -> None:
    values = [("a", "b"), ("b", "a"), ("ab",), ("ab", ""), ("", "ab"), ("a", "b", None)]
    assert len({stable_hash(*value) for value in values}) == len(values)
    assert stable_hash("a", None) == stable_hash("a", "")


@given(st.lists(st.text() | st.integers() | st.none(), max_size=4))
def test_hash_is_sixteen_digits_for_anything(parts: list[object]) -> None:
    assert len(stable_hash(*parts)) == 16
    assert int(stable_hash(*parts), 16) >= 0


def test_hash_takes_lone_surrogates() -> None:
    assert stable_hash("\ud800") != stable_hash("\ud801")


def test_record_fits_its_schema(make_record: RecordMaker) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(line(make_record, organization="Harbour Group"), json_schema())


def test_record_has_the_fields_of_the_contract(make_record: RecordMaker) -> None:
    value = line(make_record, organization="Harbour Group")
    assert list(value) == [
        "schema_version", "record_id", "document_id", "document", "delegate", "proposal", "score", "provenance",
    ]  # fmt: skip
    assert list(value["document"]) == ["title", "outlet", "url", "published", "lang", "session_year"]
    assert list(value["delegate"]) == ["id", "name", "name_zh", "kind", "body", "score", "roles", "mentions"]
    assert list(value["delegate"]["roles"][0]) == ["title", "organization", "start", "end"]
    assert list(value["delegate"]["mentions"][0]) == ["start", "end", "text"]
    assert list(value["proposal"]) == ["id", "text", "spans", "topics", "stance"]
    assert list(value["proposal"]["topics"][0]) == ["label", "score"]
    assert list(value["proposal"]["stance"]) == ["label", "promote", "regulate"]
    assert list(value["provenance"]) == ["pipeline", "models"]


@pytest.mark.parametrize(
    ("path", "bad"),
    [
        (("schema_version",), 2),
        (("delegate", "kind"), "party"),
        (("delegate", "body"), "Senate"),
        (("proposal", "stance", "label"), "against"),
        (("document", "session_year"), "last year"),
        (("score",), None),
        (("proposal", "spans"), [{"start": 0, "text": "x"}]),
    ],
)
def test_schema_refuses_what_breaks_the_contract(make_record: RecordMaker, path: tuple[str, ...], bad: object) -> None:
    value = line(make_record)
    at = value
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = bad
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, json_schema())


@pytest.mark.parametrize("key", ["record_id", "document", "delegate", "proposal", "provenance"])
def test_schema_asks_for_every_field(make_record: RecordMaker, key: str) -> None:
    value = line(make_record)
    del value[key]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, json_schema())
    with pytest.raises(ValueError, match=key):
        record_from_dict(value)


def test_unknown_is_null_and_not_left_out(make_record: RecordMaker) -> None:
    value = line(make_record, body=None)
    assert value["delegate"]["body"] is None
    assert value["document"]["title"] is None
    jsonschema.validate(value, json_schema())


def test_record_comes_back_from_its_line(make_record: RecordMaker) -> None:
    record = make_record(ARTICLE, organization="Harbour Group", name_zh="马兰")
    assert record_from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_document_info_is_the_article_without_its_text() -> None:
    article = Article("a", "text", "en", "T", "O", "https://u.example", "2024-03-05", 2024)
    info = schema.document_info(article)
    assert (info.title, info.outlet, info.url, info.published) == ("T", "O", "https://u.example", "2024-03-05")
    assert (info.lang, info.session_year) == ("en", 2024)


def test_mention_is_a_span_with_a_label() -> None:
    mention = schema.Mention(0, 6, "Ma Lan", "PERSON")
    assert isinstance(mention, Span)
    assert mention.score == 1.0
