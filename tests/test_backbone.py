"""Backbones: one that is not whole, or not the one asked for, is refused by name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.corpus import load_topics
from pipeline.training.backbone import find_backbone, new_model
from pipeline.training.recipe import TrainingError, load_recipe
from tests.tiny_backbone import write_backbone, write_config

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny backbone, and the config of a training on it."""
    root = tmp_path_factory.mktemp("untrained")
    write_config(root / "train.toml", root / "corpus", write_backbone(root / "backbone"), 1)
    return root


@pytest.mark.parametrize(
    ("missing", "damaged"),
    [
        (("*",), ()),
        (("config.json",), ()),
        (("model.safetensors",), ()),
        (("tokenizer*",), ()),
        ((), ("model.safetensors",)),
        ((), ("tokenizer.json",)),
    ],
)
def test_half_a_backbone_is_named(
    untrained: Path, tmp_path: Path, missing: tuple[str, ...], damaged: tuple[str, ...]
) -> None:
    folder = tmp_path / "half"
    shutil.copytree(untrained / "backbone", folder)
    for path in [path for name in missing for path in folder.glob(name)]:
        path.unlink()
    for name in damaged:
        (folder / name).write_bytes((folder / name).read_bytes()[:300])
    with pytest.raises(TrainingError, match=r"backbone .*half.*tokenizer\.json"):
        new_model(load_recipe(untrained / "train.toml", str(folder)), load_topics())


def test_a_wrong_backbone_is_refused(untrained: Path, tmp_path: Path) -> None:
    path = tmp_path / "train.toml"
    text = (untrained / "train.toml").read_text()
    path.write_text(text.replace("[joint]", 'sha256 = "00"\n[joint]'))
    with pytest.raises(TrainingError, match="SHA-256"):
        find_backbone(load_recipe(path))
    path.write_text(text.replace(str(untrained / "backbone"), "package:no_such_package/model"))
    with pytest.raises(TrainingError, match="pip install no-such-package"):
        find_backbone(load_recipe(path))
