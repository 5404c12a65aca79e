"""The linear models over words, by logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from ..lexical import BUCKETS, weigh, word_buckets

#: One record's words: its document and token ranges.
Words = tuple[Doc, Sequence[tuple[int, int]]]

# How freely each model follows the training data (the inverse of scikit-learn's regularisation).
_FREEDOM = {"topics": 20.0, "stance": 5.0}
# A bucket that fewer records have says nothing.
_LEAST = 2


def fit_lexical(name: str, records: Sequence[Words], target: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
    """Return the parameters of the linear model `name`; `target` is (records, labels) of 0 and 1.

    A label that all records share, or none, gets no weights and a constant of its own.
    """
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    counted = [word_buckets(doc, spans) for doc, spans in records]
    seen = np.zeros(BUCKETS, dtype=np.int64)
    for buckets, _ in counted:
        seen[buckets] += 1
    rarity = np.where(seen >= _LEAST, np.log((1 + len(records)) / (1 + seen)) + 1, 0).astype(np.float32)
    rows = np.repeat(np.arange(len(counted)), [len(buckets) for buckets, _ in counted])
    columns = np.concatenate([buckets for buckets, _ in counted])
    values = np.concatenate([weigh(rarity, buckets, counts) for buckets, counts in counted])
    inputs = csr_matrix((values, (rows, columns)), shape=(len(counted), BUCKETS))
    weight = np.zeros((target.shape[1], BUCKETS), dtype=np.float32)
    bias = np.zeros(target.shape[1], dtype=np.float32)
    for label in range(target.shape[1]):
        wanted = target[:, label] > 0.5
        if wanted.all() or not wanted.any():
            bias[label] = 5.0 if wanted.all() else -5.0
            continue
        model = LogisticRegression(C=_FREEDOM.get(name, 10.0), max_iter=500).fit(inputs, wanted)
        weight[label], bias[label] = model.coef_[0], model.intercept_[0]
    return {f"lexical.{name}.rarity": rarity, f"lexical.{name}.weight": weight, f"lexical.{name}.bias": bias}
