"""The words' own models: keys, weights by hand, and a fit that learns a word."""

from __future__ import annotations

import numpy as np
import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from pipeline.document import ExactTokenizer
from pipeline.lexical import lexical_logits, weigh, word_keys
from pipeline.training.lexical import fit_lexical

_tokenize = ExactTokenizer(Vocab())


def whole(text: str) -> tuple[Doc, list[tuple[int, int]]]:
    """Return a document and the range of all of it."""
    doc = _tokenize(text)
    return doc, [(0, len(doc))]


def keys_of(text: str) -> set[int]:
    """Return the keys of a text."""
    return set(word_keys(*whole(text))[0].tolist())


def test_words_and_pairs_have_keys_whatever_their_case() -> None:
    small, _ = word_keys(*whole("ban the ban"))
    large, counts = word_keys(*whole("Ban, the BAN!"))
    # ban, the; ban the, the ban.
    assert len(small) == 4
    assert small.tolist() == large.tolist() == sorted(small)
    assert sorted(counts.tolist()) == pytest.approx([1, 1, 1, 1 + np.log(2)])


def test_forms_of_a_word_share_its_beginning() -> None:
    assert len(keys_of("taxes")) == 1
    assert len(keys_of("taxation")) == 2
    shared = keys_of("regulates") & keys_of("regulators")
    assert len(shared) == 1
    # The beginning of a word is not the short word that looks like it.
    assert not shared & keys_of("regul")
    # One beginning that comes twice counts more than once.
    _, counts = word_keys(*whole("regulates regulators"))
    assert sorted(counts.tolist()) == pytest.approx([1, 1, 1, 1 + np.log(2)])


def test_pairs_keep_their_order_and_stay_inside_their_range() -> None:
    doc = _tokenize("tax cut tax")
    forth, back = (set(word_keys(doc, [span])[0].tolist()) for span in ((0, 2), (1, 3)))
    assert len(forth) == len(back) == 3
    assert len(forth & back) == 2
    apart, _ = word_keys(doc, [(0, 1), (1, 2)])
    assert len(apart) == 2


def test_words_of_any_script_count() -> None:
    keys, _ = word_keys(*whole("支持 区块链 。"))
    # Five characters and four pairs of them; the pair over the space counts, the full stop does not.
    assert len(keys) == 9
    assert len(word_keys(*whole("… — !"))[0]) == 0


def test_a_weighed_row_has_length_one() -> None:
    known, rarity = np.array([30, 50], dtype=np.uint32), np.array([3.0, 4.0], dtype=np.float32)
    some = np.array([10, 30, 50, 70], dtype=np.uint32)
    places, row = weigh(known, rarity, some, np.ones(4, dtype=np.float32))
    assert places.tolist() == [0, 1]
    assert row.tolist() == pytest.approx([0.6, 0.8])
    places, row = weigh(known, rarity, some[[0, 3]], np.ones(2, dtype=np.float32))
    assert len(places) == len(row) == 0
    places, row = weigh(known[:0], rarity[:0], some, np.ones(4, dtype=np.float32))
    assert len(places) == len(row) == 0


def test_logits_by_hand() -> None:
    doc, spans = whole("ban")
    (key,), _ = word_keys(doc, spans)
    parameters = {
        "lexical.stance.keys": np.array(sorted([key, 7]), dtype=np.uint32),
        "lexical.stance.rarity": np.ones(2, dtype=np.float32),
        "lexical.stance.weight": np.array([[0, 0], [0, 0]], dtype=np.int8),
        "lexical.stance.scale": np.array([1.0, 0.1], dtype=np.float32),
        "lexical.stance.bias": np.array([0.5, -1.0], dtype=np.float32),
    }
    parameters["lexical.stance.weight"][1, parameters["lexical.stance.keys"] == key] = 30
    found = lexical_logits(parameters, doc, spans, {"stance": 2, "topics": 3})
    assert found["stance"].tolist() == pytest.approx([0.5, 2.0])
    assert found["topics"].tolist() == [0.0, 0.0, 0.0]


def test_a_fit_learns_the_word_that_decides() -> None:
    records = [whole(f"{verb} the {thing}") for verb in ("fund", "ban") for thing in ("school", "dam", "port")]
    target = np.array([[1, 0, 1]] * 3 + [[0, 1, 1]] * 3)
    parameters = fit_lexical("stance", records, target)
    seen = lexical_logits(parameters, *whole("fund the zoo"), {"stance": 3})["stance"]
    assert seen[0] > 0 > seen[1]
    # A label that all records share has a constant only.
    assert seen[2] == 5.0
    assert not parameters["lexical.stance.weight"][2].any()
    # "zoo" was never seen, "school" was in two records.
    known = set(parameters["lexical.stance.keys"].tolist())
    assert not known & keys_of("zoo")
    assert keys_of("school") <= known
    assert parameters["lexical.stance.weight"].dtype == np.int8
    assert np.abs(parameters["lexical.stance.weight"][:2].astype(int)).max(axis=1).tolist() == [127, 127]


def test_a_fit_without_anything_seen_twice_has_constants_only() -> None:
    parameters = fit_lexical("stance", [whole("fund"), whole("ban")], np.array([[1, 1], [0, 1]]))
    assert lexical_logits(parameters, *whole("fund"), {"stance": 2})["stance"].tolist() == [0.0, 5.0]
