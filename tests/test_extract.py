"""Articles go through the pipeline of their language, in order, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from spacy.language import Language
from spacy.tokens import Doc
from strategies import any_text

from pipeline.build import model_digest
from pipeline.extract import Extractor, article_records
from pipeline.languages import Languages
from pipeline.read import Failure
from pipeline.schema import Article, Record

TEXT = "Ma Lan, an NPC deputy and mayor of Linhai, proposed that schools be open on Sundays."


def english(name: str, text: str = TEXT) -> Article:
    return Article(name, text, lang="en")


def ids(items: list[Any]) -> list[str]:
    return [item.source if isinstance(item, Failure) else item._.article["id"] for item in items]


class Breaking:
    """A pipeline that fails on some texts, and counts what it is given."""

    lang = "en"

    def __init__(self, rules: Language, word: str = "BREAK") -> None:
        self.rules = rules
        self.word = word
        self.batches: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rules, name)

    def pipe(self, docs: list[Doc], batch_size: int) -> Iterator[Doc]:
        self.batches.append(len(docs))
        for doc in docs:
            if self.word in doc.text:
                raise RuntimeError("no idea")
            yield self.rules(doc)


def test_records_carry_their_article(extractor: Extractor) -> None:
    article = Article("a", TEXT, "en", "T", "O", "https://u.example", "2022-03-05", 2022)
    (record,) = extractor.records([article])
    assert isinstance(record, Record)
    assert record.document_id == "a"
    assert (record.document.title, record.document.session_year) == ("T", 2022)
    assert record.provenance.models == {"en": extractor.models()["en"]}


def test_same_article_gives_the_same_records(extractor: Extractor, languages: Languages, rules: Language) -> None:
    other = Extractor(languages, load=lambda name: rules)
    assert list(extractor.records([english("a")])) == list(other.records([english("a")]))


def test_order_is_kept_over_batches_and_failures(extractor: Extractor) -> None:
    extractor.batch_size = 3
    inputs: list[Article | Failure] = [english(f"a{n}", f"{TEXT} {n}") for n in range(7)]
    inputs.insert(2, Failure("bad", "empty"))
    inputs.insert(4, Article("zh", "马兰代表建议", lang="zh"))
    assert ids(list(extractor.docs(inputs))) == ["a0", "a1", "bad", "a2", "zh", "a3", "a4", "a5", "a6"]


@pytest.mark.parametrize(
    ("lang", "reason"),
    [
        ("zh", "in Chinese; there is no model for it"),
        ("fr", "in fr; there is no model for it"),
        (None, "in an unknown language; there is no model for it"),
    ],
)
def test_language_without_a_model_is_reported(extractor: Extractor, lang: str | None, reason: str) -> None:
    assert list(extractor.records([Article("a", TEXT, lang=lang)])) == [Failure("a", reason)]


def test_override_is_for_its_own_language_alone(languages: Languages, rules: Language) -> None:
    extractor = Extractor(languages, load=lambda name: rules, model="some/folder")
    record, failure = extractor.records([english("a"), Article("z", TEXT, lang="zh")])
    assert isinstance(record, Record)
    assert failure == Failure("z", "in Chinese; there is no model for it")
    assert set(extractor.models()) == {"en"}


def test_models_are_loaded_once_and_when_needed(languages: Languages, rules: Language) -> None:
    loaded = []

    def load(name: str) -> Language:
        loaded.append(name)
        return rules

    extractor = Extractor(languages, load=load)
    assert list(extractor.records([Article("z", "马兰", lang="zh")]))
    assert loaded == []
    list(extractor.records([english("a"), english("b")]))
    list(extractor.records([english("c")]))
    assert loaded == ["en-rules"]


def test_broken_article_spares_its_batch(languages: Languages, rules: Language) -> None:
    nlp = Breaking(rules)
    extractor = Extractor(languages, load=lambda name: nlp)  # type: ignore[arg-type,return-value]
    items = list(extractor.docs([english("a"), english("b", "BREAK"), english("c")]))
    assert ids(items) == ["a", "b", "c"]
    assert items[1] == Failure("b", "a stage failed on it: RuntimeError: no idea")
    assert nlp.batches == [3, 1, 1, 1]


def test_text_that_spacy_refuses_is_a_failure(extractor: Extractor) -> None:
    items = list(extractor.docs([english("a"), english("b", "lone \ud800 surrogate"), english("c")]))
    assert ids(items) == ["a", "b", "c"]
    assert isinstance(items[1], Failure)
    assert "UnicodeEncodeError" in items[1].reason


def test_article_longer_than_the_limit_of_spacy(extractor: Extractor, rules: Language) -> None:
    text = TEXT + "\n" + ("o" * 999 + "\n") * 1100 + "\n" + TEXT.replace("Ma Lan", "Wu Bo")
    assert len(text) > rules.max_length
    first, last = extractor.records([english("a", text)])
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert (first.delegate.name, last.delegate.name) == ("Ma Lan", "Wu Bo")
    assert last.proposal.spans[0].end == len(text)


def test_skipped_articles_are_asked_for_once_and_left_out(extractor: Extractor) -> None:
    asked = []

    def skip(article: Article) -> bool:
        asked.append(article.id)
        return article.id == "b"

    items = list(extractor.docs([english("a"), english("b"), Failure("f", "empty")], skip=skip))
    assert ids(items) == ["a", "f"]
    assert asked == ["a", "b"]


def test_different_articles_with_one_id_are_kept_apart(extractor: Extractor) -> None:
    inputs = [english("a"), english("a", TEXT + " It rained."), english("a")]
    first, second, third = ids(list(extractor.docs(inputs)))
    assert first == third == "a"
    assert second.startswith("a-")
    assert len(second) == len("a-") + 8


def test_low_scores_can_be_left_out(languages: Languages, rules: Language) -> None:
    article = english("a", TEXT + "\nCPPCC member, Wu Bo: Support blockchain in ports.")
    everything = Extractor(languages, load=lambda name: rules)
    scores = [record.score for record in everything.records([article]) if isinstance(record, Record)]
    assert len(set(scores)) == 2
    some = Extractor(languages, load=lambda name: rules, min_score=max(scores))
    assert [record.score for record in some.records([article]) if isinstance(record, Record)] == [max(scores)]


def test_article_and_records_of_a_doc(extractor: Extractor) -> None:
    (doc,) = extractor.docs([english("a")])
    assert isinstance(doc, Doc)
    article, records = article_records(doc)
    assert article == english("a")
    assert records == doc._.records


def test_digest_tells_pipelines_apart(rules: Language) -> None:
    digest = model_digest(rules)
    assert digest == model_digest(rules)
    with rules.select_pipes(disable=["classify"]):
        assert model_digest(rules) != digest
    assert digest.startswith("rules:")


def test_digest_of_weights_is_taken_from_the_model(rules: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rules.meta, "twosessions_digest", "sha256:abc")
    assert model_digest(rules) == "sha256:abc"


def test_no_inputs_give_nothing(extractor: Extractor) -> None:
    assert list(extractor.records([])) == []


@given(any_text())
def test_no_text_raises_or_fails(languages: Languages, rules: Language, text: str) -> None:
    extractor = Extractor(languages, load=lambda name: rules)
    for record in extractor.records([english("a", text)]):
        assert isinstance(record, Record), record
        for span in record.proposal.spans:
            assert text[span.start : span.end] == span.text
