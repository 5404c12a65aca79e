"""What the words of a proposal alone say of it: hashed words and word pairs, for linear models beside the heads.

The encoder knows meanings, a linear model over words knows the few hundred wordings that decide; both together are
better than either. No vocabulary is kept: a word's bucket is its hash, so any language and any new topic fit in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.strings import get_string_id
from spacy.tokens import Doc

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

#: How many buckets words and pairs share; rows of the weights are as long.
BUCKETS = 1 << 15
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(64 - 15)


def word_buckets(doc: Doc, spans: Sequence[tuple[int, int]]) -> tuple[IntArray, FloatArray]:
    """Return the buckets of the words and pairs of neighbouring words in token ranges, and their damped counts.

    Case counts for nothing, nor do punctuation and space. The buckets ascend.
    """
    found = []
    for start, end in spans:
        texts = (token.text.lower() for token in doc[start:end])
        words = np.array([get_string_id(text) for text in texts if any(map(str.isalnum, text))], dtype=np.uint64)
        pairs = (words[:-1] * _MIX) ^ (words[1:] + _MIX)
        found += [words, pairs]
    keys = np.concatenate(found) if found else np.zeros(0, dtype=np.uint64)
    buckets, counts = np.unique((keys * _MIX) >> _SHIFT, return_counts=True)
    return buckets.astype(np.int64), (1 + np.log(counts)).astype(np.float32)


def weigh(rarity: FloatArray, buckets: IntArray, counts: FloatArray) -> FloatArray:
    """Return the counts by rarity, as a vector of length 1 (0 where no bucket is known)."""
    values = counts * rarity[buckets]
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-9), dtype=np.float32)


def lexical_logits(
    parameters: Mapping[str, FloatArray], doc: Doc, spans: Sequence[tuple[int, int]], labels: Mapping[str, int]
) -> dict[str, FloatArray]:
    """Return the logits, (labels,), of each linear model for the words in token ranges.

    `labels` is the number of labels by model. A model's `rarity` is how telling each bucket is, 0 where training has
    hardly seen it; one without parameters gives zeros.
    """
    buckets, counts = word_buckets(doc, spans)
    found = {}
    for name, count in labels.items():
        rarity, weight, bias = (parameters.get(f"lexical.{name}.{part}") for part in ("rarity", "weight", "bias"))
        if rarity is None or weight is None or bias is None:
            found[name] = np.zeros(count, dtype=np.float32)
        else:
            found[name] = weight[:, buckets] @ weigh(rarity, buckets, counts) + bias
    return found
