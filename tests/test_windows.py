"""Windows lose nothing, keep each piece once, and give each the more context."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from spacy.vocab import Vocab
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from pipeline.document import ExactTokenizer
from pipeline.windows import Pieces, WindowOptions, cut_windows, make_batch, split_pieces, token_shapes


@given(st.integers(0, 3000), st.integers(8, 400), st.integers(0, 100))
def test_every_piece_is_kept_exactly_once(count: int, size: int, overlap: int) -> None:
    options = WindowOptions(size, min(overlap, size - 3))
    kept = [at for w in cut_windows(count, options) for at in range(w.keep_start, w.keep_end)]
    assert kept == list(range(count))


@given(st.integers(1, 3000), st.integers(20, 400), st.integers(1, 15))
def test_windows_fit_and_overlap(count: int, size: int, overlap: int) -> None:
    windows = cut_windows(count, WindowOptions(size, overlap))
    assert all(w.end - w.start <= size - 2 for w in windows)
    assert all(w.start <= w.keep_start < w.keep_end <= w.end for w in windows)
    for left, right in itertools.pairwise(windows):
        assert left.end - right.start >= overlap
        # Each piece comes from the window in which it stands farther from an edge.
        assert abs((left.end - left.keep_end) - (right.keep_start - right.start)) <= 1


def tokenizer() -> Tokenizer:
    made = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1, "bank": 2}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


def test_pieces_belong_to_tokens() -> None:
    doc = ExactTokenizer(Vocab())("a bank\n\nA  bank, 银行")
    pieces = split_pieces(doc, tokenizer())
    texts = [token.text for token in doc]
    assert texts == ["a", "bank", "\n\n", "A", " ", "bank", ",", "银", "行"]
    assert pieces.first.tolist() == [0, 1, 1, 2, 2, 3, 4, 5, 6]
    assert len(pieces.ids) == 7


def test_shapes_tell_case_and_layout() -> None:
    doc = ExactTokenizer(Vocab())("Ma said NPC\nx 5\n\n(iPhone)")
    shapes = {token.text: int(shape) for token, shape in zip(doc, token_shapes(doc), strict=True)}
    assert shapes["said"] == 0
    assert shapes["NPC"] == 2
    assert shapes["5"] == 5
    assert shapes["Ma"] == 1 + 7 * 2
    assert shapes["x"] == 0 + 7 * 1
    assert shapes["("] == 6 + 7 * 2
    assert shapes["iPhone"] == 4


def test_batches_are_padded_and_masked() -> None:
    pieces = Pieces(np.arange(10, 15), np.zeros(5, dtype=np.int64), np.arange(5))
    windows = cut_windows(5, WindowOptions(6, 2))
    batch = make_batch([(pieces, window) for window in windows], 1, 2, 0)
    assert batch.ids[0].tolist() == [1, 10, 11, 12, 13, 2]
    assert batch.ids[1].tolist() == [1, 11, 12, 13, 14, 2]
    assert batch.mask.sum() == 12
