"""What a training config may say, and how one that can't be used is refused."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from pipeline.resources import resource
from pipeline.training.recipe import TrainingError, load_recipe
from tests.tiny_backbone import write_config

pytestmark = pytest.mark.slow


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config of a tiny training."""
    return write_config(tmp_path / "train.toml", tmp_path / "corpus", tmp_path / "backbone", 30)


@pytest.mark.parametrize(("line", "key"), [("window_size = 64", "window_size"), ('lang = "en"', "lang")])
def test_a_config_without_a_key_is_named(config: Path, tmp_path: Path, line: str, key: str) -> None:
    path = tmp_path / "bad.toml"
    text = config.read_text(encoding="utf-8")
    assert f"{line}\n" in text
    path.write_text(text.replace(f"{line}\n", ""), encoding="utf-8")
    with pytest.raises(TrainingError, match=rf"bad\.toml: no value for '{key}'"):
        load_recipe(path)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("[augment]", 'proposals = "en.jsonl"\n[augment]', r"proposals is 'en\.jsonl' in \[data\]; a list of texts"),
        ("[augment]", 'outside = "folder"\n[augment]', r"outside is 'folder' in \[data\]; a list of texts"),
        (
            "[augment]",
            "proposal_part = 3\n[augment]",
            r"no key proposal_part in \[data\]; the keys are .*parts",
        ),
        ("[augment]", "[augment]\nnames = 1.5", r"names is 1\.5 in \[augment\]; a number from 0 to 1"),
        ("[augment]", "[augment]\nname = 0.5", r"no key name in \[augment\]"),
        ("[augment]", "[augmentation]", "no key augmentation; the keys are lang, data, augment"),
        ("[joint]", "[joint]\nweights = {topics = 5.0}", r"no key topics in \[joint\.weights\]; .*topic, stance"),
        ("[joint]", "[joint]\nweights = 5.0", r"weights is 5\.0 in \[joint\]; a table"),
        ("[joint]", "[joint]\nwarm = 0.1", r"no key warm in \[joint\]"),
        ("batch = 2", "batch = 0", r"batch is 0 in \[joint\]; a whole number, 1 at least"),
        ("batch = 2", "batch = true", r"batch is True in \[joint\]"),
        ("epochs = 30", "epochs = 0", r"epochs is 0 in \[joint\]; a whole number, 1 at least"),
        ("encoder_rate = 5e-3", 'encoder_rate = "fast"', r"encoder_rate is 'fast' in \[joint\]; a number"),
        ("head_rate = 1e-2", "head_rate = nan", r"head_rate is nan in \[joint\]; a number"),
        ("epochs = 5", "epochs = 0", r"epochs is 0 in \[topics\]"),
        ("[topics]", '[topics]\nrate = "fast"', r"rate is 'fast' in \[topics\]; a number"),
    ],
)
def test_a_config_is_checked_whole(config: Path, tmp_path: Path, before: str, after: str, message: str) -> None:
    path = tmp_path / "bad.toml"
    text = config.read_text(encoding="utf-8")
    assert f"{before}\n" in text
    path.write_text(text.replace(f"{before}\n", f"{after}\n"), encoding="utf-8")
    with pytest.raises(TrainingError, match=rf"bad\.toml: .*{message}"):
        load_recipe(path)


def test_every_setting_of_the_joint_training_may_be_in_a_config(config: Path, tmp_path: Path) -> None:
    recipe = load_recipe(config)
    values = {f.name: getattr(recipe.joint, f.name) for f in fields(recipe.joint) if f.name != "window"}
    lines = [f"{name} = {value}" for name, value in values.items() if name != "weights"]
    joint = "\n".join(["[joint]", *lines, "window_size = 64", "window_overlap = 16", "weights = {topic = 2}"])
    text = config.read_text(encoding="utf-8")
    path = tmp_path / "train.toml"
    path.write_text(re.sub(r"\[joint\].*(?=\[topics\])", f"{joint}\n", text, flags=re.DOTALL), encoding="utf-8")
    assert load_recipe(path).joint == replace(recipe.joint, weights={"topic": 2})


def test_the_shipped_config_is_one() -> None:
    assert load_recipe(resource("configs", "train.en.toml")).lang == "en"


def test_proposals_are_not_dealt_into_fewer_than_no_parts(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(config.read_text().replace("[augment]", "proposal_parts = -1\n[augment]"))
    with pytest.raises(TrainingError, match=r"bad\.toml: proposal_parts is -1"):
        load_recipe(path)


def test_windows_that_overlap_wholly_are_refused(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "train.toml"
    text = config.read_text(encoding="utf-8")
    path.write_text(re.sub(r"window_overlap = \d+", "window_overlap = 4000", text), encoding="utf-8")
    with pytest.raises(TrainingError, match="window_overlap 4000 does not fit"):
        load_recipe(path)
