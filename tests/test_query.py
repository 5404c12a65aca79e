"""What was written comes back as records."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import RecordMaker
from sqlalchemy.engine import Engine

from pipeline import query
from pipeline.extract import Extractor, article_records
from pipeline.query import stored_records
from pipeline.read import Failure, ReadOptions, read_articles
from pipeline.schema import Article, Record
from pipeline.store import Writer

TEXT = "Ma Lan, an NPC deputy, proposed that schools be open on Sundays."


def english(name: str, year: int | None = 2022) -> Article:
    return Article(name, TEXT, "en", "T", "Gazette", "https://u.example", "2022-03-05", year)


def put(engine: Engine, *records: tuple[Article, list[Record]], models: dict[str, str] | None = None) -> None:
    writer = Writer(engine, models or {"en": "digest"})
    for article, found in records:
        writer.write(article, found)
    writer.finish()


def stored(engine: Engine) -> list[Record]:
    with engine.connect() as connection:
        return list(stored_records(connection))


def test_empty_store_has_no_records(engine: Engine) -> None:
    assert stored(engine) == []


def test_record_comes_back_as_it_was(engine: Engine, make_record: RecordMaker) -> None:
    article = english("a")
    record = make_record(article, organization="Harbour Group", name_zh="马兰", topics=("health", "education"))
    put(engine, (article, [record]))
    assert stored(engine) == [record]


@pytest.mark.parametrize("body", ["NPC", "CPPCC", "local", None])
def test_unknown_stays_unknown(engine: Engine, make_record: RecordMaker, body: str | None) -> None:
    article = Article("a", TEXT)
    record = make_record(article, body=body, topics=())
    put(engine, (article, [record]))
    assert stored(engine) == [record]


def test_records_come_by_article_and_place(
    engine: Engine, make_record: RecordMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "_CHUNK", 2)
    articles = [english(name, year) for year, name in enumerate("ecadb", 2018)]
    put(engine, *((a, [make_record(a, span=(30, 40)), make_record(a, span=(0, 6))]) for a in articles))
    assert [(r.document_id, r.proposal.spans[0].start) for r in stored(engine)] == [
        (name, start) for name in "abcde" for start in (0, 30)
    ]


def test_delegate_of_two_articles_has_one_id_and_the_posts_of_each(engine: Engine, make_record: RecordMaker) -> None:
    a, b = english("a", 2019), english("b", 2022)
    first = make_record(a, organization="Harbour Group")
    second = make_record(b, "LAN MA", "CPPCC", organization="Harbour Group Co., Ltd.")
    put(engine, (a, [first]), (b, [second]))
    one, two = stored(engine)
    assert one == first
    assert two.delegate.id == first.delegate.id
    assert two.delegate.name == "Ma Lan"
    assert (one.delegate.body, two.delegate.body) == ("NPC", "CPPCC")
    assert [role.organization for role in two.delegate.roles] == ["Harbour Group Co., Ltd."]


def test_joint_proposal_comes_back_for_each_delegate(engine: Engine, make_record: RecordMaker) -> None:
    article = english("a")
    records = [make_record(article), make_record(article, "Wu Bo", "CPPCC")]
    put(engine, (article, records))
    assert {record.delegate.name for record in stored(engine)} == {"Ma Lan", "Wu Bo"}
    assert len({record.proposal.id for record in stored(engine)}) == 1


def test_samples_come_back_as_they_were(
    engine: Engine, extractor: Extractor, options: ReadOptions, samples: list[str]
) -> None:
    written: list[Record] = []
    writer = Writer(engine, extractor.models())
    for doc in extractor.docs(read_articles(map(str, samples), options)):
        assert not isinstance(doc, Failure)
        article, records = article_records(doc)
        writer.write(article, records)
        written.extend(records)
    writer.finish()
    found = stored(engine)
    assert len(found) == len(written) > 30
    by_id = {record.record_id: record for record in written}
    for record in found:
        before = by_id[record.record_id]
        assert replace(record, delegate=replace(record.delegate, id=before.delegate.id)) == before
