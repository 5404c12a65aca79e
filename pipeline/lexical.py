"""What the words of a proposal alone say of it: hashed words, their beginnings and word pairs, for linear models
beside the heads.

The encoder knows meanings, a linear model over words knows the few thousand wordings that decide; both together are
better than either. Only hashes are kept, of what training has seen more than once, so any language and any new topic
fit in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.strings import get_string_id
from spacy.tokens import Doc

FloatArray = NDArray[np.float32]
KeyArray = NDArray[np.uint32]

# So many characters at its begin are what most forms of a word share.
_BEGINNING = 5
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)


def word_keys(doc: Doc, spans: Sequence[tuple[int, int]]) -> tuple[KeyArray, FloatArray]:
    """Return the keys of words, beginnings of longer words and pairs of neighbouring words in token ranges, and their
    damped counts.

    Case counts for nothing, nor do punctuation and space. The keys ascend.
    """
    found = []
    for start, end in spans:
        texts = [text for token in doc[start:end] if any(map(str.isalnum, text := token.text.lower()))]
        words = np.array([get_string_id(text) for text in texts], dtype=np.uint64)
        beginnings = [get_string_id(f"{text[:_BEGINNING]}-") for text in texts if len(text) > _BEGINNING]
        found += [words, (words[:-1] * _MIX) ^ (words[1:] + _MIX), np.array(beginnings, dtype=np.uint64)]
    mixed = np.concatenate(found) if found else np.zeros(0, dtype=np.uint64)
    keys, counts = np.unique(((mixed * _MIX) >> _SHIFT).astype(np.uint32), return_counts=True)
    return keys, (1 + np.log(counts)).astype(np.float32)


def weigh(
    known: KeyArray, rarity: FloatArray, keys: KeyArray, counts: FloatArray
) -> tuple[NDArray[np.int64], FloatArray]:
    """Return where the known ones of some keys stand, and their counts by rarity as a vector of length 1.

    `known` ascends; `rarity` is how telling each of them is.
    """
    places = np.searchsorted(known, keys)
    hit = places < len(known)
    hit[hit] = known[places[hit]] == keys[hit]
    values = counts[hit] * rarity[places[hit]]
    return places[hit], np.asarray(values / max(float(np.linalg.norm(values)), 1e-9), dtype=np.float32)


def lexical_logits(
    parameters: Mapping[str, NDArray[Any]], doc: Doc, spans: Sequence[tuple[int, int]], labels: Mapping[str, int]
) -> dict[str, FloatArray]:
    """Return the logits, (labels,), of each linear model for the words in token ranges.

    `labels` is the number of labels by model. A model has the `keys` it knows, their `rarity`, its `weight`, (labels,
    keys) in whole numbers that count by its `scale`, (labels,), and its `bias`; one without parameters gives zeros.
    """
    keys, counts = word_keys(doc, spans)
    found = {}
    for name, count in labels.items():
        if f"lexical.{name}.keys" not in parameters:
            found[name] = np.zeros(count, dtype=np.float32)
            continue
        known, rarity, weight, scale, bias = (
            parameters[f"lexical.{name}.{part}"] for part in ("keys", "rarity", "weight", "scale", "bias")
        )
        places, values = weigh(known, rarity, keys, counts)
        found[name] = np.asarray((weight[:, places].astype(np.float32) @ values) * scale + bias, dtype=np.float32)
    return found
