"""Calibration by hand: logits, thresholds, and fits that mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.classify import probabilities, stance_label
from pipeline.heads import calibrated
from pipeline.training.calibrate import best_cut, fit_logistic, logits, micro_f1


def test_logits_by_hand() -> None:
    assert logits(np.array([0.5, 0.75])) == pytest.approx([0.0, np.log(3)])
    assert np.isfinite(logits(np.array([0.0, 1.0]))).all()


def test_micro_f1_by_hand() -> None:
    wanted = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    probs = np.array([[0.9, 0.6, 0.1], [0.2, 0.3, 0.1]])
    # Given: first two of row one; the best one of row two, which no threshold reaches. Two of three right, of three
    # wanted.
    assert micro_f1(wanted, probs, 0.5) == pytest.approx(2 * 2 / (3 + 3))


def test_a_fit_is_calibrated() -> None:
    random = np.random.default_rng(0)
    truth = random.uniform(0.02, 0.98, 4000)
    target = random.uniform(size=4000) < truth
    overconfident = logits(truth)[:, None] * 3
    slope, constant = fit_logistic(overconfident, target)
    found = probabilities(overconfident, [slope, constant])
    for low, high in ((0.1, 0.3), (0.4, 0.6), (0.7, 0.9)):
        inside = (found > low) & (found < high)
        assert target[inside].mean() == pytest.approx(found[inside].mean(), abs=0.06)


def test_one_sided_data_gives_a_constant() -> None:
    fit = fit_logistic(np.zeros((8, 2)), np.ones(8, dtype=bool))
    assert fit[:2] == [0.0, 0.0]
    assert probabilities([0.0, 0.0], fit).item() == pytest.approx(0.9)


def test_probabilities_by_hand() -> None:
    both = np.array([[1.0, 3.0], [0.0, -2.0]])
    assert probabilities(both, None) == pytest.approx([1 / (1 + np.exp(-1)), 0.5])
    assert probabilities(both, [2.0, 0.5, -3.5]) == pytest.approx([0.5, 1 / (1 + np.exp(4.5))])
    # A row of weights a label: (records, labels, parts).
    rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 2.0]]
    assert probabilities(both[None], rows) == pytest.approx(np.array([[1 / (1 + np.exp(-1)), 0.5]]))


def test_record_scores_by_hand() -> None:
    assert calibrated([0.5, 0.8], None) == pytest.approx(0.4)
    assert calibrated([0.75, 0.5], [1.0, 2.0, 0.0]) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("promote", "regulate", "label"),
    [(True, True, "both"), (True, False, "promote"), (False, True, "regulate"), (False, False, "neither")],
)
def test_the_stance_follows_from_two_answers(promote: bool, regulate: bool, label: str) -> None:
    assert stance_label(promote, regulate) == label


def test_the_best_cut_by_hand() -> None:
    scored = [(0.9, True), (0.6, True), (0.3, False), (0.28, False)]
    # All kept: 4 of 4 and 2 gold, F1 4/6; from 0.35 on the two wrong ones are gone, F1 1.
    assert best_cut(scored, 2) == pytest.approx(0.35)
    assert best_cut([(0.2, True)], 1) == 0.0


def test_no_cut_for_what_a_record_on_dev_makes() -> None:
    # All kept: 200 of 201 and 200 gold, F1 400/401; without the wrong one 1, which is 0.0025 more.
    assert best_cut([(0.9, True)] * 200 + [(0.5, False)], 200) == 0.0
    # With three wrong ones F1 is 400/403, 0.0074 less than 1; from 0.45 on, when two are gone, 0.0025 less.
    assert best_cut([(0.9, True)] * 200 + [(0.5, False), (0.4, False), (0.4, False)], 200) == pytest.approx(0.45)
