"""The benchmark of trainings that differ in one thing each."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from benchmarks import variants
from pipeline.resources import resource
from pipeline.training.recipe import load_recipe

pytestmark = pytest.mark.slow


def test_variants_without_their_data_are_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OUTSIDE", raising=False)
    assert variants.chosen([]) == [name for name in variants.VARIANTS if name != "outside sets"]
    assert capsys.readouterr().err == "outside sets: left out, for OUTSIDE names no folder of them\n"
    monkeypatch.setenv("OUTSIDE", "folder")
    assert variants.chosen([]) == list(variants.VARIANTS)


def test_variants_differ_from_the_config_in_what_they_are_about() -> None:
    recipe = replace(load_recipe(resource("configs", "train.en.toml")), proposal_parts=4)
    made = {name: make(recipe) for name, make in variants.VARIANTS.items() if name != "outside sets"}
    assert made.pop("single proposals in the joint training too") == recipe
    assert made.pop("single proposals too") == replace(recipe, proposal_parts=0)
    assert {(variant.proposals, variant.proposal_parts) for variant in made.values()} == {((), 0)}


def test_a_variant_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["variants.py", "no such variant"])
    with pytest.raises(SystemExit):
        variants.main()
    assert "invalid choice: 'no such variant'" in capsys.readouterr().err
