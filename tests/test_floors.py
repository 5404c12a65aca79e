"""The shipped model's scores stay at or above the floors in `floors.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pipeline.build import load_pipeline
from pipeline.evaluate import Report, evaluate
from pipeline.evaluation.gold import load_gold
from pipeline.evaluation.system import System

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
FLOORS = tomllib.loads((ROOT / "tests" / "floors.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=sorted(FLOORS))
def report(request: pytest.FixtureRequest) -> tuple[str, Report]:
    """The scores of a pipeline on the test articles."""
    name = request.param
    gold = load_gold(ROOT / "data" / "annotated" / "test")
    return name, evaluate(System(name, load_pipeline(name)), gold, resamples=10)


def test_scores_hold(report: tuple[str, Report]) -> None:
    name, found = report
    below = {
        key: (found.value(key), floor)
        for key, floor in FLOORS[name].get("at_least", {}).items()
        if (found.value(key) or 0.0) < floor
    }
    assert not below


def test_calibration_holds(report: tuple[str, Report]) -> None:
    name, found = report
    above = {
        key: (found.calibration[key].ece, ceiling)
        for key, ceiling in FLOORS[name].get("error_at_most", {}).items()
        if found.calibration[key].ece > ceiling
    }
    assert not above
