"""The rule pipeline as a spaCy pipeline: it loads, saves, replaces stages and works in batches."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import spacy
from conftest import ROOT
from spacy.language import Language
from spacy.tokens import Doc

from pipeline.build import build, load_pipeline, model_digest, stage_names
from pipeline.document import mentions_of, statements_of
from pipeline.schema import Provenance

STAGES = {
    "recognise": "twosessions_recognise_rules",
    "attribute": "twosessions_attribute_rules",
    "link": "twosessions_link_rules",
    "classify": "twosessions_classify_rules",
}
TEXTS = [
    "Ma Lan, an NPC deputy and mayor of Linhai, proposed that schools be open on Sundays.",
    "",
    "Nothing happened at all.\r\n",
    "CPPCC member and chairman of Harbour Group, Wu Bo: Support blockchain in ports.",
    "The Jiusan Society called for a law on noise. Wu said it was late.",
]


def view(doc: Doc) -> tuple[object, ...]:
    """Return all that a document holds, but for what tells which pipeline it was."""
    records = [replace(record, provenance=Provenance("", {})) for record in doc._.records]
    return doc.text, mentions_of(doc), statements_of(doc), doc._.entities, records


def test_stages_in_their_order(rules: Language) -> None:
    assert stage_names(rules) == STAGES
    assert rules.pipe_names == list(STAGES)


def test_spacy_sees_no_problem(rules: Language) -> None:
    analysis = rules.analyze_pipes()
    assert not any(analysis["problems"].values())
    assert set(analysis["summary"]) == set(STAGES)


def test_a_stage_in_the_wrong_place_is_a_problem() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("twosessions_classify_rules")
    nlp.add_pipe("twosessions_link_rules")
    assert nlp.analyze_pipes()["problems"]["twosessions_classify_rules"] == ["doc._.proposals"]


def test_factories_and_tokenizer_are_entry_points() -> None:
    names = {entry.name for entry in entry_points(group="spacy_factories")}
    assert set(STAGES.values()) <= names
    assert "twosessions.exact.v1" in {entry.name for entry in entry_points(group="spacy_tokenizers")}


def test_pipe_equals_call(rules: Language) -> None:
    called = [view(rules(text)) for text in TEXTS]
    for size in (1, 2, 100):
        assert [view(doc) for doc in rules.pipe(TEXTS, batch_size=size)] == called
    assert sum(len(entry[4]) for entry in called) == 3  # type: ignore[arg-type]


def test_saved_pipeline_gives_the_same(rules: Language, tmp_path: Path) -> None:
    rules.to_disk(tmp_path / "model")
    again = spacy.load(tmp_path / "model")
    assert stage_names(again) == STAGES
    assert [view(doc) for doc in again.pipe(TEXTS)] == [view(doc) for doc in rules.pipe(TEXTS)]


def test_pipeline_from_bytes_gives_the_same(rules: Language) -> None:
    again = build(ROOT / "configs" / "en-rules.cfg").from_bytes(rules.to_bytes())
    assert [view(doc) for doc in again.pipe(TEXTS)] == [view(doc) for doc in rules.pipe(TEXTS)]


def test_saved_folder_is_loaded_by_its_path(rules: Language, tmp_path: Path) -> None:
    rules.to_disk(tmp_path / "model")
    assert view(load_pipeline(str(tmp_path / "model"))(TEXTS[0])) == view(rules(TEXTS[0]))


def test_each_saved_folder_has_a_digest_of_its_own(rules: Language, tmp_path: Path) -> None:
    for name in ("one", "same", "other"):
        rules.to_disk(tmp_path / name)
    (tmp_path / "other" / "weights").write_bytes(b"0")
    one, same, other = (model_digest(load_pipeline(str(tmp_path / name))) for name in ("one", "same", "other"))
    assert one.startswith("sha256:")
    assert one == same != other


def test_bare_text_has_its_language_and_provenance() -> None:
    nlp = load_pipeline("en-rules")
    (record,) = nlp("Ma Lan, an NPC deputy, proposed that schools be open on Sundays.")._.records
    assert record.document.lang == "en"
    assert record.provenance.models == {"en": model_digest(nlp)}


@pytest.mark.parametrize("text", ["", " ", "\n", "\0"])
def test_empty_doc(rules: Language, text: str) -> None:
    doc = rules(text)
    assert (doc.text, doc._.entities, doc._.proposals, doc._.records) == (text, [], [], [])
    assert len(doc.ents) == 0


def test_unprocessed_doc_has_no_records(rules: Language) -> None:
    assert rules.make_doc(TEXTS[0])._.records == []


def test_later_stages_do_nothing_where_earlier_ones_did_not_run(rules: Language) -> None:
    with rules.select_pipes(disable=["recognise"]):
        assert rules(TEXTS[0])._.records == []
    with rules.select_pipes(enable=["classify"]):
        assert rules(TEXTS[0])._.records == []


def test_a_stage_can_be_left_out(rules: Language) -> None:
    with rules.select_pipes(disable=["classify"]):
        (record,) = rules(TEXTS[0])._.records
    assert record.proposal.topics == ()
    assert record.delegate.name == "Ma Lan"


def test_a_stage_can_be_replaced() -> None:
    @Language.component("test_everything_is_other", assigns=["doc._.proposals"])
    def everything_is_other(doc: Doc) -> Doc:
        doc._.proposals = [{**entry, "topics": [{"label": "other", "score": 1.0}]} for entry in doc._.proposals]
        return doc

    nlp = load_pipeline("en-rules")
    nlp.replace_pipe("classify", "test_everything_is_other")
    (record,) = nlp(TEXTS[3])._.records
    assert [topic.label for topic in record.proposal.topics] == ["other"]


def test_missing_pipeline_is_named() -> None:
    with pytest.raises(OSError, match="no-such-model"):
        load_pipeline("no-such-model")


def test_damaged_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"config\.cfg|meta\.json"):
        load_pipeline(str(tmp_path))


def test_config_of_the_rules_names_no_article() -> None:
    # The lexicon must stay general: no sample's or annotated article's id occurs in it.
    lexicon = (ROOT / "configs" / "lexicon.en.toml").read_text(encoding="utf-8")
    # Files of single proposals are named by their language alone.
    ids = [path.stem for path in (ROOT / "data").rglob("*.*") if path.parent.name != "proposals"]
    assert ids
    assert not [name for name in ids if name in lexicon]


def test_records_are_plain_data(rules: Language) -> None:
    docs = list(rules.pipe(TEXTS))
    records = [record for doc in docs for record in doc._.records]
    assert records
    for record in records:
        found = json.loads(json.dumps(record.to_dict()))
        assert found["delegate"]["name"] == record.delegate.name
        assert [span["text"] for span in found["proposal"]["spans"]] == [s.text for s in record.proposal.spans]
    # What JSON would change on the way (tuples, keys that are no strings) would not survive a DocBin either.
    plain = [[doc._.entities, doc._.proposals] for doc in docs]
    assert json.loads(json.dumps(plain)) == plain


def test_a_folder_of_articles_is_not_taken_for_the_shipped_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "en-rules").mkdir()
    monkeypatch.chdir(tmp_path)
    assert stage_names(load_pipeline("en-rules")) == STAGES
