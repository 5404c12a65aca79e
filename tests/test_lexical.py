"""The words' own models: buckets, weights by hand, and a fit that learns a word."""

from __future__ import annotations

import numpy as np
import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from pipeline.document import ExactTokenizer
from pipeline.lexical import BUCKETS, lexical_logits, weigh, word_buckets
from pipeline.training.lexical import fit_lexical

_tokenize = ExactTokenizer(Vocab())


def whole(text: str) -> tuple[Doc, list[tuple[int, int]]]:
    """Return a document and the range of all of it."""
    doc = _tokenize(text)
    return doc, [(0, len(doc))]


def test_words_and_pairs_share_buckets_whatever_their_case() -> None:
    small, _ = word_buckets(*whole("ban the ban"))
    large, counts = word_buckets(*whole("Ban, the BAN!"))
    # ban, the; ban the, the ban.
    assert len(small) == 4
    assert small.tolist() == large.tolist() == sorted(small)
    assert sorted(counts.tolist()) == pytest.approx([1, 1, 1, 1 + np.log(2)])
    assert ((small >= 0) & (small < BUCKETS)).all()


def test_pairs_keep_their_order_and_stay_inside_their_range() -> None:
    doc = _tokenize("tax cut tax")
    forth, back = (set(word_buckets(doc, [span])[0].tolist()) for span in ((0, 2), (1, 3)))
    assert len(forth) == len(back) == 3
    assert len(forth & back) == 2
    apart, _ = word_buckets(doc, [(0, 1), (1, 2)])
    assert len(apart) == 2


def test_words_of_any_script_count() -> None:
    buckets, _ = word_buckets(*whole("支持 区块链 。"))
    # Five characters and four pairs of them; the pair over the space counts, the full stop does not.
    assert len(buckets) == 9
    assert len(word_buckets(*whole("… — !"))[0]) == 0


def test_a_weighed_row_has_length_one() -> None:
    rarity = np.zeros(BUCKETS, dtype=np.float32)
    rarity[[3, 5]] = 3.0, 4.0
    row = weigh(rarity, np.array([3, 5, 7]), np.ones(3, dtype=np.float32))
    assert row.tolist() == pytest.approx([0.6, 0.8, 0.0])
    assert weigh(rarity, np.array([7]), np.ones(1, dtype=np.float32)).tolist() == [0.0]


def test_logits_by_hand() -> None:
    doc, spans = whole("ban")
    (bucket,), _ = word_buckets(doc, spans)
    rarity, weight = np.ones(BUCKETS, dtype=np.float32), np.zeros((2, BUCKETS), dtype=np.float32)
    weight[1, bucket] = 3.0
    parameters = {
        "lexical.stance.rarity": rarity,
        "lexical.stance.weight": weight,
        "lexical.stance.bias": np.array([0.5, -1.0], dtype=np.float32),
    }
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
    assert not parameters["lexical.stance.rarity"][word_buckets(*whole("zoo"))[0]].any()
    assert parameters["lexical.stance.rarity"][word_buckets(*whole("school"))[0]].all()
