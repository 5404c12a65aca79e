"""The shared `Doc`: exact tokens, stored spans, and the converter to records."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from strategies import any_text, long_line

from pipeline.document import (
    article_of,
    character_span,
    make_doc,
    mentions_of,
    records,
    set_extensions,
    set_mentions,
    set_statements,
    statements_of,
    token_lines,
)
from pipeline.schema import PROPOSAL, SAYING, Article, Mention
from pipeline.sentences import line_ranges

TEXT = "Ma Lan, an NPC deputy and mayor of Linhai, proposed that schools be open. Wu Bo agreed."


@pytest.fixture
def doc(rules: Language) -> Doc:
    """An unprocessed document."""
    return make_doc(rules, Article("a", TEXT, lang="en", session_year=2022))


def mention(text: str, part: str, label: str, score: float = 1.0) -> Mention:
    start = text.index(part)
    return Mention(start, start + len(part), part, label, score)


# --- tokens ---


@given(any_text())
def test_tokens_give_the_text_back(rules: Language, text: str) -> None:
    assert rules.tokenizer(text).text == text


def test_tokens_of_mixed_text(rules: Language) -> None:
    words = [token.text for token in rules.tokenizer("Ma’s  5G\r\n马兰 e-CNY.")]
    assert words == ["Ma", "’", "s", " ", "5G", "\r\n", "马", "兰", "e", "-", "CNY", "."]


def test_no_article_is_refused_for_its_length(rules: Language) -> None:
    text = ("o" * 999 + " ") * 1100
    assert len(text) > rules.max_length
    assert make_doc(rules, Article("a", text)).text == text


@given(any_text())
def test_token_lines_are_the_lines_of_the_text(rules: Language, text: str) -> None:
    doc = rules.tokenizer(text)
    lines = token_lines(doc)
    assert all(left[1] <= right[0] for left, right in pairwise(lines))
    found = [doc[start:end].text.strip() for start, end in lines]
    assert [line for line in found if line] == [text[a:b] for a, b in line_ranges(text)]


# --- spans ---


def test_span_grows_to_whole_tokens(doc: Doc) -> None:
    assert character_span(doc, 1, 5).text == "Ma Lan"
    assert character_span(doc, 0, 6, "PERSON").label_ == "PERSON"


def test_span_outside_the_text_names_the_article(doc: Doc) -> None:
    with pytest.raises(ValueError, match="a: no tokens between offsets 500 and 501"):
        character_span(doc, 500, 501)


def test_mentions_come_back_in_text_order(doc: Doc) -> None:
    person, body = mention(TEXT, "Ma Lan", "PERSON", 0.75), mention(TEXT, "an NPC deputy", "BODY", 0.5)
    set_mentions(doc, [body, person])
    assert mentions_of(doc) == [person, body]
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Ma Lan", "PERSON"), ("an NPC deputy", "BODY")]


def test_references_are_no_entities(doc: Doc) -> None:
    set_mentions(doc, [mention(TEXT, "Wu Bo", "PERSON"), mention(TEXT, "Ma", "REF")])
    assert [found.label for found in mentions_of(doc)] == ["REF", "PERSON"]
    assert [ent.label_ for ent in doc.ents] == ["PERSON"]


@pytest.mark.parametrize(
    ("scores", "kept"),
    [((0.9, 0.5), "Ma Lan"), ((0.5, 0.9), "Lan, an NPC"), ((0.5, 0.5), "Lan, an NPC")],
)
def test_of_overlapping_mentions_the_better_then_the_longer_stays(
    doc: Doc, scores: tuple[float, float], kept: str
) -> None:
    set_mentions(doc, [mention(TEXT, "Ma Lan", "PERSON", scores[0]), mention(TEXT, "Lan, an NPC", "BODY", scores[1])])
    assert [found.text for found in mentions_of(doc)] == [kept]


def test_mentions_that_meet_only_in_one_token_are_no_error(doc: Doc) -> None:
    set_mentions(doc, [Mention(0, 4, "Ma L", "PERSON", 0.9), Mention(4, 6, "an", "ORG", 0.8)])
    assert [found.text for found in mentions_of(doc)] == ["Ma Lan"]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12), st.sampled_from([0.1, 0.5, 0.9])), max_size=12))
def test_any_mentions_can_be_stored(rules: Language, places: list[tuple[int, int, float]]) -> None:
    doc = rules.tokenizer(TEXT)
    given_mentions = [Mention(a, a + n, TEXT[a : a + n], "PERSON", score) for a, n, score in places]
    set_mentions(doc, given_mentions)
    found = mentions_of(doc)
    assert all(left.end <= right.start for left, right in pairwise(found))
    assert all(TEXT[m.start : m.end] == m.text for m in found)
    assert bool(found) == bool(places)
    if places:
        assert max(m.score for m in found) == max(score for _, _, score in places)


def test_statements_come_back_with_label_and_score(doc: Doc) -> None:
    later = mention(TEXT, "schools be open.", PROPOSAL, 0.75)
    earlier = mention(TEXT, "Ma Lan", SAYING, 0.25)
    set_statements(doc, [later, earlier])
    assert statements_of(doc) == [earlier, later]


def test_nothing_stored_is_no_mention(doc: Doc) -> None:
    assert mentions_of(doc) == statements_of(doc) == records(doc) == []


# --- articles and records ---


def test_article_comes_back_from_its_doc(rules: Language) -> None:
    article = Article("a", TEXT, "en", "T", "O", "https://u.example", "2022-03-05", 2022)
    assert article_of(make_doc(rules, article)) == article


def test_doc_of_bare_text_gets_an_id(rules: Language) -> None:
    first, same, other = (article_of(rules.tokenizer(text)).id for text in ("one", "one", "two"))
    assert first == same != other


def entity(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": "person", "name": name, "name_zh": None, "body": "NPC", "roles": [], **more}


def test_records_of_a_joint_proposal_share_its_id(doc: Doc) -> None:
    place = [TEXT.index("schools"), TEXT.index(" Wu")]
    doc._.entities = [entity("Ma Lan", mentions=[[0, 6]]), entity("Wu Bo", mentions=[[74, 79]])]
    doc._.proposals = [{"entity": at, "spans": [place], "score": 0.5} for at in (0, 1)]
    first, second = doc._.records
    assert {first.delegate.name, second.delegate.name} == {"Ma Lan", "Wu Bo"}
    assert first.proposal.id == second.proposal.id
    assert first.record_id != second.record_id


def test_record_is_given_once(doc: Doc) -> None:
    doc._.entities = [entity("Ma Lan", mentions=[[0, 6]]), entity("Ma Lan", mentions=[[0, 6]])]
    doc._.proposals = [{"entity": at, "spans": [[8, 21]], "score": 0.5} for at in (0, 1, 0)]
    assert len(doc._.records) == 1


def test_two_proposals_of_one_delegate_are_two_records(doc: Doc) -> None:
    doc._.entities = [entity("Ma Lan", mentions=[[0, 6]])]
    doc._.proposals = [{"entity": 0, "spans": [[start, start + 5]], "score": 0.5} for start in (30, 10)]
    first, second = doc._.records
    assert first.delegate == second.delegate
    assert len({first.record_id, second.record_id, first.proposal.id, second.proposal.id}) == 4
    assert first.proposal.spans[0].start < second.proposal.spans[0].start


def test_record_is_cut_from_the_text(doc: Doc) -> None:
    role = {"start": TEXT.index("mayor"), "end": TEXT.index("mayor") + 5, "organization": "Linhai"}
    doc._.entities = [entity("Ma Lan", mentions=[[0, 6]], roles=[role, {**role, "start": role["start"]}])]
    doc._.proposals = [
        {"entity": 0, "spans": [[57, 64], [8, 21]], "score": 0.123456, "link_score": 0.98765,
         "topics": [{"label": "education", "score": 0.9}],
         "stance": {"label": "promote", "promote": 1.0, "regulate": 0.0}}
    ]  # fmt: skip
    (record,) = doc._.records
    assert [span.text for span in record.proposal.spans] == [TEXT[8:21], TEXT[57:64]]
    assert record.proposal.text == f"{TEXT[8:21]} {TEXT[57:64]}"
    assert [(post.title, post.organization) for post in record.delegate.roles] == [("mayor", "Linhai")]
    assert (record.score, record.delegate.score) == (0.1235, 0.9877)
    assert (record.document_id, record.document.session_year) == ("a", 2022)
    assert [topic.label for topic in record.proposal.topics] == ["education"]


def test_unclassified_proposal_takes_no_side(doc: Doc) -> None:
    doc._.entities = [entity("Ma Lan", mentions=[[0, 6]])]
    doc._.proposals = [{"entity": 0, "spans": [[8, 21]], "score": 0.5}]
    (record,) = doc._.records
    assert record.proposal.topics == ()
    assert record.proposal.stance.label == "neither"


def test_proposal_without_a_span_is_no_record(doc: Doc) -> None:
    doc._.entities = [entity("Ma Lan", mentions=[[0, 6]])]
    doc._.proposals = [{"entity": 0, "spans": [], "score": 0.5}]
    assert doc._.records == []


def test_processed_doc_survives_a_docbin(rules: Language) -> None:
    article = Article("a", TEXT, lang="en", title="T", session_year=2022)
    doc = rules(make_doc(rules, article))
    assert len(doc._.records) == 1
    data = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (again,) = DocBin(store_user_data=True).from_bytes(data).get_docs(rules.vocab)
    assert again.text == TEXT
    assert article_of(again) == article
    assert mentions_of(again) == mentions_of(doc)
    assert statements_of(again) == statements_of(doc)
    assert again._.records == doc._.records


def test_extensions_can_be_set_again() -> None:
    set_extensions()
    assert Doc.has_extension("records")


# --- any text ---


def assert_all_is_in_place(doc: Doc, text: str) -> None:
    assert doc.text == text
    for found in (*mentions_of(doc), *statements_of(doc)):
        assert 0 <= found.start < found.end <= len(text)
        assert found.text == text[found.start : found.end]
    for record in doc._.records:
        assert record.proposal.spans
        for span in (*record.proposal.spans, *record.delegate.mentions):
            assert 0 <= span.start < span.end <= len(text)
            assert span.text == text[span.start : span.end]
        for role in record.delegate.roles:
            assert role.title == text[role.start : role.end] != ""
        assert 0 <= record.score <= 1


@given(any_text())
def test_offsets_of_any_text(rules: Language, text: str) -> None:
    assert_all_is_in_place(rules(text), text)


@settings(max_examples=15)
@given(long_line())
def test_offsets_of_very_long_lines(rules: Language, text: str) -> None:
    assert_all_is_in_place(rules(text), text)
