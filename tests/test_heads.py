"""The NumPy heads: decoding, features, and agreement with the PyTorch modules that are trained."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.heads import (
    MENTION_TAGS,
    PARENT_FEATURES,
    SAME_FEATURES,
    SOURCE_FEATURES,
    STATEMENT_TAGS,
    TokenSpan,
    decode_tags,
    edge_score,
    gelu,
    log_softmax,
    pair_scores,
    parent_candidates,
    parent_features,
    record_vector,
    same_features,
    source_candidates,
    source_features,
    statement_vectors,
    topic_logits,
)

BEGIN, INSIDE, LAST, UNIT = 1, 2, 3, 4


def certain(tags: list[int], count: int = 5) -> np.ndarray:
    return log_softmax(np.eye(count, dtype=np.float32)[tags] * 9)


def test_tags_are_bilou() -> None:
    assert STATEMENT_TAGS[:5] == ("O", "B-PROPOSAL", "I-PROPOSAL", "L-PROPOSAL", "U-PROPOSAL")
    assert len(MENTION_TAGS) == 21


def test_decoding_reads_spans_off_certain_tags() -> None:
    assert decode_tags(certain([0, BEGIN, INSIDE, LAST, 0, UNIT, UNIT]), [(0, 7)], 1) == [
        (1, 4, 0, 0),
        (5, 6, 0, 0),
        (6, 7, 0, 0),
    ]


def test_decoding_repairs_what_is_not_legal() -> None:
    assert decode_tags(certain([0, INSIDE, INSIDE, LAST, 0]), [(0, 5)], 1) in ([(0, 4, 0, 0)], [(1, 4, 0, 0)])
    assert decode_tags(certain([BEGIN, 0, 0]), [(0, 3)], 1) in ([], [(0, 1, 0, 0)])


def test_lines_are_decoded_alike_in_any_company() -> None:
    random = np.random.default_rng(3)
    lengths = [*random.integers(0, 9, 300).tolist(), 2000, 1]
    ends = np.cumsum(lengths)
    lines = list(zip((ends - lengths).tolist(), ends.tolist(), strict=True))
    log_probs = log_softmax(random.normal(size=(int(ends[-1]), 9)).astype(np.float32))
    alone = [span for at, line in enumerate(lines) for span in _in_line(decode_tags(log_probs, [line], 2), at)]
    assert decode_tags(log_probs, lines, 2) == alone


def _in_line(spans: list[tuple[int, int, int, int]], line: int) -> list[tuple[int, int, int, int]]:
    return [(start, end, kind, line) for start, end, kind, _ in spans]


def test_one_long_line_among_many_needs_little_memory() -> None:
    lines = [(0, 4000), *((4000 + at, 4001 + at) for at in range(2000))]
    log_probs = np.zeros((6000, 21), dtype=np.float32)
    tracemalloc.start()
    decode_tags(log_probs, lines, 5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6


def test_no_span_crosses_a_line() -> None:
    found = decode_tags(certain([BEGIN, INSIDE, INSIDE, INSIDE, LAST]), [(0, 2), (3, 5)], 1)
    assert all((start, end) in ((0, 2), (3, 5)) or end - start == 1 for start, end, _, _ in found)
    assert {line for _, _, _, line in found} <= {0, 1}


@given(st.integers(1, 30), st.integers(0, 10_000), st.lists(st.integers(0, 30), max_size=4))
def test_decoded_spans_are_in_order_and_in_their_lines(count: int, seed: int, cuts: list[int]) -> None:
    scores = log_softmax(np.random.default_rng(seed).normal(size=(count, 9)).astype(np.float32) * 3)
    edges = sorted({0, count, *(cut for cut in cuts if cut < count)})
    lines = list(itertools.pairwise(edges))
    found = decode_tags(scores, lines, 2)
    for start, end, kind, line in found:
        assert lines[line][0] <= start < end <= lines[line][1]
        assert kind in (0, 1)
    assert all(before[1] <= behind[0] for before, behind in itertools.pairwise(found))


def test_edge_score_is_of_the_first_and_last_tag() -> None:
    probs = np.zeros((3, 5), dtype=np.float32)
    probs[0, BEGIN], probs[2, LAST], probs[1, UNIT] = 0.9, 0.4, 0.7
    assert edge_score(probs, 0, 3, 0) == pytest.approx(0.6)
    assert edge_score(probs, 1, 2, 0) == pytest.approx(0.7)


def test_vectors_by_hand() -> None:
    vectors = np.arange(8, dtype=np.float32).reshape(4, 2)
    row = statement_vectors(vectors, np.array([1]), np.array([3]))[0]
    assert row.tolist() == [2, 3, 4, 5, 0, 1, 6, 7, 3, 4]
    assert record_vector(vectors, [(0, 1), (3, 4)]).tolist() == [3, 4, 6, 7]
    edge = statement_vectors(vectors, np.array([0]), np.array([4]))[0]
    assert edge[4:8].tolist() == [0, 1, 6, 7]


SPANS = [TokenSpan(0, 2, 0, 0), TokenSpan(3, 4, 1, 0), TokenSpan(9, 12, 2, 1), TokenSpan(500, 501, 4, 3)]


def test_features_have_their_width() -> None:
    left, right = np.array([1, 2, 3]), np.array([0, 0, 0])
    assert parent_features(SPANS, left, right).shape == (3, PARENT_FEATURES)
    assert source_features(SPANS, SPANS, left, right).shape == (3, SOURCE_FEATURES)
    assert same_features(SPANS, right, left).shape == (3, SAME_FEATURES)


def test_features_tell_sides_and_lines_apart() -> None:
    there = parent_features(SPANS, np.array([0]), np.array([2]))
    back = parent_features(SPANS, np.array([2]), np.array([0]))
    assert not np.array_equal(there, back)
    assert there[0, -1] == 1
    assert back[0, -1] == 0
    assert parent_features(SPANS, np.array([1]), np.array([0]))[0, -2] == 1


def test_candidates_are_near_and_of_the_right_kind() -> None:
    assert parent_candidates(1, SPANS) == [0]
    assert parent_candidates(3, SPANS) == [0, 2]
    assert source_candidates(TokenSpan(5, 8, 0, 0), SPANS) == [0, 2, 3]


def test_numpy_heads_equal_torch_heads() -> None:
    torch = pytest.importorskip("torch")
    from pipeline.training.model import Heads

    torch.manual_seed(1)
    heads = Heads(8, topics=3, pair_width=16, dropout=0.5).eval()
    weights = {name: value.numpy() for name, value in heads.state_dict().items()}
    random = np.random.default_rng(2)
    left = random.normal(size=(4, 40)).astype(np.float32)
    right = random.normal(size=(5, 16)).astype(np.float32)
    at, to = np.array([0, 1, 3, 3]), np.array([4, 0, 2, 1])
    features = random.normal(size=(4, SOURCE_FEATURES)).astype(np.float32)
    ours = pair_scores(weights, "source", left, right, at, to, features)
    with torch.no_grad():
        theirs = heads.source(*(torch.from_numpy(x) for x in (left[at], right[to], features))).numpy()
        topics = heads.topic_logits(torch.from_numpy(right)).numpy()
    assert np.allclose(ours, theirs, atol=1e-4)
    assert np.allclose(topic_logits(weights, right), topics, atol=1e-4)
    assert gelu(np.array([0.0, 3.0], dtype=np.float32)) == pytest.approx([0.0, 2.9964], abs=1e-3)
