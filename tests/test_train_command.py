"""`twosessions train`: which options go together, and what it asks for before it starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import pipeline.training.run
import pipeline.training.topics
from pipeline.cli import app
from pipeline.training.recipe import Recipe
from tests.tiny_backbone import write_config

pytestmark = pytest.mark.slow


def call(*args: object) -> tuple[int, str]:
    """Return the exit code and what `twosessions train` says on standard error."""
    result = CliRunner().invoke(app, ["train", *map(str, args)])
    return result.exit_code, result.stderr


def test_epochs_are_those_of_the_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Recipe] = []
    keep = lambda recipe, *rest, **options: seen.append(recipe) or {}  # noqa: E731
    monkeypatch.setattr(pipeline.training.run, "train_all", keep)
    monkeypatch.setattr(pipeline.training.topics, "train_topics", keep)
    config = write_config(tmp_path / "train.toml", tmp_path / "corpus", tmp_path / "backbone", 30)
    for part in ("all", "topics"):
        assert call(part, "--config", config, "--epochs", 7)[0] == 0
    assert [(recipe.joint.epochs, recipe.topics.epochs) for recipe in seen] == [(7, 5), (30, 7)]


@pytest.mark.parametrize(
    ("part", "option"),
    [
        ("topics", ("--work", "folder")),
        ("topics", ("--backbone", "folder")),
        ("topics", ("--keep-torch",)),
        ("topics", ("--start", "joint.pt")),
        ("all", ("--model", "en")),
    ],
)
def test_an_option_of_the_other_part_is_refused(part: str, option: tuple[str, ...]) -> None:
    assert call(part, "--config", "none.toml", *option) == (2, f"{option[0]} does not go with {part}\n")


def test_a_start_leaves_no_epochs_to_count() -> None:
    code, said = call("all", "--config", "none.toml", "--start", "joint.pt", "--epochs", 2)
    assert (code, said) == (2, "--start leaves the joint epochs out: it does not go with --epochs\n")


@pytest.mark.parametrize("module", ["torch", "transformers", "sklearn", "onnx", "onnxscript"])
def test_all_of_the_extra_is_looked_for_at_once(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    code, said = call("all", "--config", "none.toml")
    assert (code, said) == (2, f"{module} is not installed: pip install -c constraints.txt -e '.[train]'\n")
