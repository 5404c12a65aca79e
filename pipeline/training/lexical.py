"""The linear models over words, by logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..corpus import AnnotatedArticle
from ..corpus_proposals import LabelledProposal, pages
from ..document import ExactTokenizer
from ..lexical import weigh, word_keys
from .calibrate import class_data
from .load import PAGE

#: One record's words: its document and token ranges.
Words = tuple[Doc, Sequence[tuple[int, int]]]

#: A key of the topics' model is in so many records: it has a weight for each topic, so many bytes.
TOPIC_LEAST = 3
# How freely a model follows the training data (the inverse of scikit-learn's regularisation).
_FREEDOM = 5.0
# What each key counts beforehand with and without a label.
_SMOOTHING = 0.1


def lexical_weights(
    corpus: Sequence[AnnotatedArticle], topics: Sequence[str], proposals: Sequence[LabelledProposal] = ()
) -> dict[str, Any]:
    """Return the linear models over words, for topics and stance, of annotated articles and single proposals."""
    data = class_data(ExactTokenizer(Vocab()), [*corpus, *pages(proposals, PAGE)], topics)
    records = [(data.docs[at], spans) for at, spans in data.places]
    of_topics = fit_lexical("topics", records, data.topics, TOPIC_LEAST)
    return {**of_topics, **fit_lexical("stance", records, data.sides)}


def fit_lexical(name: str, records: Sequence[Words], target: NDArray[Any], least: int = 2) -> dict[str, NDArray[Any]]:
    """Return the parameters of the linear model `name`; `target` is (records, labels) of 0 and 1.

    A key that fewer records than `least` have says nothing.

    For each label words count the more, the more they tell its records from the others by themselves (Wang and
    Manning 2012, "Baselines and Bigrams"), so that a word that is telling but rare is not regularised away. A label
    that all records share, or none, gets no weights and a constant of its own.
    """
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    counted = [word_keys(doc, spans) for doc, spans in records]
    keys, seen = np.unique(np.concatenate([found for found, _ in counted]), return_counts=True)
    keys, seen = keys[seen >= least], seen[seen >= least]
    rarity = (np.log((1 + len(records)) / (1 + seen)) + 1).astype(np.float32)
    weighed = [weigh(keys, rarity, found, counts) for found, counts in counted]
    rows = np.repeat(np.arange(len(weighed)), [len(places) for places, _ in weighed])
    columns, values = (np.concatenate(side) for side in zip(*weighed, strict=True))
    inputs = csr_matrix((values, (rows, columns)), shape=(len(weighed), len(keys)))
    weight = np.zeros((target.shape[1], len(keys)))
    bias = np.zeros(target.shape[1], dtype=np.float32)
    for label in range(target.shape[1]):
        wanted = target[:, label] > 0.5
        if wanted.all() or not wanted.any():
            bias[label] = 5.0 if wanted.all() else -5.0
            continue
        if not len(keys):
            continue
        telling = 1 + np.abs(_log_ratio(inputs, wanted))
        model = LogisticRegression(C=_FREEDOM, solver="liblinear").fit(inputs.multiply(telling).tocsr(), wanted)
        weight[label], bias[label] = model.coef_[0] * telling, model.intercept_[0]
    # A byte a weight is enough: what it loses is far below what one word says.
    scale = np.maximum(np.abs(weight).max(axis=1, initial=0.0), 1e-9) / 127
    return {
        f"lexical.{name}.keys": keys,
        f"lexical.{name}.rarity": rarity,
        f"lexical.{name}.weight": np.round(weight / scale[:, None]).astype(np.int8),
        f"lexical.{name}.scale": scale.astype(np.float32),
        f"lexical.{name}.bias": bias,
    }


def _log_ratio(inputs: Any, wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the log of how much more often each column of (records, keys) counts in some records than in others."""
    inside, outside = (np.asarray(inputs[rows].sum(axis=0)).ravel() + _SMOOTHING for rows in (wanted, ~wanted))
    return np.asarray(np.log(inside / inside.sum()) - np.log(outside / outside.sum()))
