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


def pieces_of(text: str, made: Tokenizer) -> list[tuple[str, str]]:
    """Return each token with the piece that it has its vector from."""
    doc = ExactTokenizer(Vocab())(text)
    pieces = split_pieces(doc, made)
    assert len(pieces.first) == len(doc)
    return [(token.text, made.id_to_token(pieces.ids[at])) for token, at in zip(doc, pieces.first, strict=True)]


def test_a_piece_may_cover_several_tokens() -> None:
    words = ("▁", "，", "中国", "人民", "建议", "▁用", "5", "G网", "络", "▁bank", "▁银行")
    made = Tokenizer(models.Unigram([("<unk>", -9.0), *((word, -3.0) for word in words)], unk_id=0))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    assert pieces_of("中国人民建议，5G网络", made) == [
        ("中", "中国"), ("国", "中国"), ("人", "人民"), ("民", "人民"), ("建", "建议"), ("议", "建议"), ("，", "，"),
        ("5G", "5"), ("网", "G网"), ("络", "络"),
    ]  # fmt: skip
    # The space before a piece is part of it, but not of the token before.
    assert pieces_of("用 bank 银行", made) == [("用", "▁用"), ("bank", "▁bank"), ("银", "▁银行"), ("行", "▁银行")]
    # One that is a piece of its own covers nothing.
    assert pieces_of("建议 络", made) == [("建", "建议"), ("议", "建议"), ("络", "络")]


def test_a_character_of_several_pieces_has_the_first() -> None:
    letters = {letter: index for index, letter in enumerate("ä¸ŃåĽ½")}
    made = Tokenizer(models.BPE(letters, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    assert pieces_of("中国", made) == [("中", "ä"), ("国", "å")]


def test_word_pieces_of_chinese_are_characters() -> None:
    vocab = {"[UNK]": 0, **{piece: n for n, piece in enumerate(("中", "国", "代", "表", "，", "5", "##g"), 1)}}
    made = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    assert [piece for _, piece in pieces_of("中国代表，5G", made)] == ["中", "国", "代", "表", "，", "5"]


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


def test_chinese_characters_have_the_shape_of_small_letters() -> None:
    doc = ExactTokenizer(Vocab())("马代表说，5G\n\n　　建议")
    shapes = [
        (token.text, int(shape)) for token, shape in zip(doc, token_shapes(doc), strict=True) if token.text.strip()
    ]
    # The first of a paragraph, though wide spaces stand before it.
    opens = 7 * 2
    assert shapes == [("马", opens), ("代", 0), ("表", 0), ("说", 0), ("，", 6), ("5G", 5), ("建", opens), ("议", 0)]


def test_batches_are_padded_and_masked() -> None:
    pieces = Pieces(np.arange(10, 15), np.zeros(5, dtype=np.int64), np.arange(5))
    windows = cut_windows(5, WindowOptions(6, 2))
    batch = make_batch([(pieces, window) for window in windows], 1, 2, 0)
    assert batch.ids[0].tolist() == [1, 10, 11, 12, 13, 2]
    assert batch.ids[1].tolist() == [1, 11, 12, 13, 14, 2]
    assert batch.mask.sum() == 12
