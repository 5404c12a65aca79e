"""Training from end to end on a tiny backbone, and what comes of it: files, loading, running, errors."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from spacy.language import Language

from pipeline import resources
from pipeline.build import build, load_pipeline
from pipeline.corpus import CorpusError, load_topics, load_xml
from pipeline.document import make_doc
from pipeline.resources import resource
from pipeline.rules.classify import load_topic_terms
from pipeline.schema import Article
from pipeline.stage import ModelFileError
from pipeline.topics import topic_table
from pipeline.training.backbone import new_model
from pipeline.training.draw import draw_examples
from pipeline.training.joint import Checkpoint, CheckpointError, Joint, train
from pipeline.training.recipe import TopicOptions, TrainingError, load_recipe
from pipeline.training.run import train_all
from pipeline.training.topics import train_topics
from tests.tiny_backbone import write_backbone, write_config, write_corpus

pytestmark = pytest.mark.slow

TEXT = (
    "Luo Wenqing, an NPC deputy and president of Lanhe Bank, said that villages should get a ledger of their own and "
    'money for it.\n\n"Hospitals must be fined when they sell the names of patients," said Hu Jianbang, a member of '
    'the CPPCC National Committee.\n\nTang Yue, a lawyer, was doubtful. "We have enough rules already," he said.'
)


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny backbone, a corpus of one story, and the config of a training on it."""
    root = tmp_path_factory.mktemp("trained")
    write_corpus(root / "corpus" / "train", tuple(range(2013, 2021)))
    write_corpus(root / "corpus" / "dev", (2021, 2022))
    write_config(root / "train.toml", root / "corpus", write_backbone(root / "backbone"), 30)
    return root


@pytest.fixture(scope="session")
def trained(untrained: Path) -> Path:
    """The same folder, with a model that has learned the story by heart."""
    recipe = load_recipe(untrained / "train.toml")
    train_all(recipe, untrained / "model", untrained / "work", keep_torch=True, log=lambda line: None)
    return untrained


@pytest.fixture(scope="session")
def nlp(trained: Path) -> Language:
    """The tiny model, loaded as any spaCy model."""
    return spacy.load(trained / "model")


def records(nlp: Language, text: str = TEXT) -> list[tuple[str, str | None, str, str]]:
    doc = nlp(make_doc(nlp, Article("tiny", text)))
    return [(r.delegate.name, r.delegate.body, r.proposal.text, r.proposal.stance.label) for r in doc._.records]


def test_a_small_set_is_learned_by_heart(nlp: Language) -> None:
    found = records(nlp)
    assert [row[:2] for row in found] == [("Luo Wenqing", "NPC"), ("Hu Jianbang", "CPPCC")]
    assert found[0][2].startswith("villages should get")
    assert [row[3] for row in found] == ["promote", "regulate"]


def test_posts_belong_to_their_person(nlp: Language) -> None:
    doc = nlp(make_doc(nlp, Article("tiny", TEXT)))
    roles = {r.delegate.name: [(role.title, role.organization) for role in r.delegate.roles] for r in doc._.records}
    assert roles["Luo Wenqing"] == [("president", "Lanhe Bank")]
    assert roles["Hu Jianbang"] == []


def test_pipe_equals_call(nlp: Language) -> None:
    texts = [TEXT, TEXT * 3, "", "Nothing here.", "\n\n \n"]
    one_by_one = [[r.record_id for r in nlp(make_doc(nlp, Article("x", text)))._.records] for text in texts]
    docs = nlp.pipe([make_doc(nlp, Article("x", text)) for text in texts], batch_size=2)
    assert [[r.record_id for r in doc._.records] for doc in docs] == one_by_one
    assert len(one_by_one[1]) > len(one_by_one[2]) == 0


def test_every_offset_fits_its_text(nlp: Language) -> None:
    doc = nlp(make_doc(nlp, Article("tiny", TEXT.replace("\n\n", "\r\n"))))
    assert doc._.records
    for record in doc._.records:
        for place in (*record.proposal.spans, *record.delegate.mentions):
            assert doc.text[place.start : place.end] == place.text


def test_what_is_written_loads_the_same(nlp: Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "again", exclude=["vocab"])
    assert records(spacy.load(tmp_path / "again")) == records(nlp)


def test_bytes_carry_a_stage(nlp: Language) -> None:
    stage = nlp.get_pipe("link")
    fresh = build(resource("configs", "en.cfg")).get_pipe("link")
    fresh.from_bytes(stage.to_bytes())
    assert fresh.settings == stage.settings
    assert set(fresh.weights) == set(stage.weights)


def test_torch_and_onnx_agree(trained: Path, nlp: Language) -> None:
    other = spacy.load(trained / "model", config={"components": {"encode": {"runtime": "torch"}}})
    doc, twin = nlp.make_doc(TEXT), other.make_doc(TEXT)
    vectors, others = nlp.get_pipe("encode")(doc).tensor, other.get_pipe("encode")(twin).tensor
    assert np.corrcoef(vectors.ravel(), others.ravel())[0, 1] > 0.98
    assert [row[0] for row in records(other)] == [row[0] for row in records(nlp)]


def test_torch_without_its_weights_is_an_error_by_name(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "model", tmp_path / "model")
    shutil.rmtree(tmp_path / "model" / "encode" / "torch")
    with pytest.raises(ModelFileError, match=r"encoder\.safetensors is missing"):
        spacy.load(tmp_path / "model", config={"components": {"encode": {"runtime": "torch"}}})


@pytest.mark.parametrize(
    "name", ["encode/model.onnx", "encode/tokenizer.json", "encode/settings.json", "link/weights.safetensors"]
)
def test_a_missing_or_damaged_file_is_named(trained: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(trained / "model", tmp_path / "model")
    path = tmp_path / "model" / name
    path.write_bytes(path.read_bytes()[:40] + b"damaged")
    with pytest.raises(ModelFileError, match=path.name):
        load_pipeline(str(tmp_path / "model"))
    with pytest.raises(ModelFileError, match=path.name):
        spacy.load(tmp_path / "model")
    path.unlink()
    with pytest.raises(ModelFileError, match=f"{path.name}.* is missing"):
        load_pipeline(str(tmp_path / "model"))


def test_untrained_stages_say_so() -> None:
    nlp = build(resource("configs", "en.cfg"))
    with pytest.raises(ValueError, match="encode: not trained"):
        nlp("Some words.")


@pytest.mark.parametrize("name", ["recognise", "attribute", "link", "classify"])
def test_a_stage_without_weights_or_vectors_says_so(nlp: Language, name: str) -> None:
    fresh = build(resource("configs", "en.cfg"))
    with pytest.raises(ValueError, match=f"{name}: not trained"):
        fresh.get_pipe(name)(fresh.make_doc("Some words."))
    if name in ("recognise", "attribute"):
        with pytest.raises(ValueError, match="no token vectors"):
            nlp.get_pipe(name)(nlp.make_doc("Some words."))


def test_the_pipeline_has_no_problems(nlp: Language) -> None:
    assert not any(nlp.analyze_pipes()["problems"].values())


def test_metrics_and_provenance_stand_beside_the_weights(trained: Path) -> None:
    metrics = json.loads((trained / "model" / "metrics.json").read_text())
    assert metrics["training"]["articles"] == 8
    assert 0 <= metrics["dev"]["attribution_f1"] <= 1
    loaded = load_pipeline(str(trained / "model"))
    assert loaded.meta["twosessions_digest"].startswith("sha256:")


def test_a_killed_training_resumes(trained: Path, tmp_path: Path) -> None:
    recipe = load_recipe(trained / "train.toml", epochs=2)
    train_all(recipe, tmp_path / "model", tmp_path / "work", log=lambda line: None)
    lines: list[str] = []
    train_all(recipe, tmp_path / "model", tmp_path / "work", log=lines.append)
    assert any(line == "resumed behind epoch 2" for line in lines)
    assert not any(line.startswith("epoch 1/") for line in lines)


def test_new_articles_are_learned_from_the_weights_of_an_earlier_training(trained: Path, tmp_path: Path) -> None:
    write_corpus(tmp_path / "train", (*range(2013, 2021), 2023))
    recipe = replace(load_recipe(trained / "train.toml"), train=tmp_path / "train")
    start = trained / "work" / "joint.pt"
    lines: list[str] = []
    train_all(recipe, tmp_path / "model", tmp_path / "work", log=lines.append, start=start)
    assert f"started from {start}" in lines
    assert not (tmp_path / "work" / "joint.pt").exists()
    assert records(spacy.load(tmp_path / "model")) == records(spacy.load(trained / "model"))
    before, training = (
        json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["training"]
        for folder in (trained / "model", tmp_path / "model")
    )
    assert training["start"] == before["data"] != training["data"]
    assert (training["epochs"], training["rounded_epochs"]) == (0, 1)


def test_rounded_epochs_behind_other_weights_begin_anew(trained: Path, tmp_path: Path) -> None:
    recipe = load_recipe(trained / "train.toml", epochs=1)
    train_all(recipe, tmp_path / "model", tmp_path / "work", log=lambda line: None)
    state = torch.load(tmp_path / "work" / "joint.pt", weights_only=True)
    state["best"]["heads"]["topic_scale"] += 1
    torch.save(state, tmp_path / "work" / "joint.pt")
    lines: list[str] = []
    train_all(recipe, tmp_path / "model", tmp_path / "work", log=lines.append)
    assert any(line.startswith("epoch 1/1") for line in lines[lines.index("with the rounding of int8:") :])


def test_other_rounded_epochs_leave_the_joint_training_as_it_is(trained: Path, tmp_path: Path) -> None:
    recipe = load_recipe(trained / "train.toml", epochs=1)
    train_all(recipe, tmp_path / "model", tmp_path / "work", log=lambda line: None)
    lines: list[str] = []
    more = replace(recipe, joint=replace(recipe.joint, rounded_epochs=2))
    train_all(more, tmp_path / "model", tmp_path / "work", log=lines.append)
    assert lines.index("resumed behind epoch 1") < lines.index("with the rounding of int8:")
    assert sum(line.startswith("epoch ") for line in lines) == 2


def test_a_start_must_be_a_checkpoint_that_fits(trained: Path, tmp_path: Path) -> None:
    recipe = load_recipe(trained / "train.toml")
    none = tmp_path / "none.pt"
    text = tmp_path / "text.pt"
    text.write_text("no weights", encoding="utf-8")
    state = torch.load(trained / "work" / "joint.pt", weights_only=True)
    state["best"]["heads"]["topic_scale"] = torch.zeros(3)
    torch.save(state, tmp_path / "other.pt")
    torch.save({**state, "topics": list(reversed(state["topics"]))}, tmp_path / "topics.pt")
    (tmp_path / "empty.pt").touch()
    for path in (none, text, *(tmp_path / f"{name}.pt" for name in ("other", "topics", "empty"))):
        with pytest.raises(TrainingError, match=rf"{path.name} is no checkpoint"):
            train_all(recipe, tmp_path / "model", tmp_path / "work", log=lambda line: None, start=path)
    only_joint = replace(recipe, joint=replace(recipe.joint, rounded_epochs=0))
    with pytest.raises(TrainingError, match="rounded_epochs is 0"):
        train_all(only_joint, tmp_path / "model", tmp_path / "work", log=lambda line: None, start=none)


def test_the_rounded_epochs_resume_too(trained: Path, tmp_path: Path) -> None:
    recipe = load_recipe(trained / "train.toml", epochs=1)
    train_all(recipe, tmp_path / "model", tmp_path / "work", log=lambda line: None)
    lines: list[str] = []
    train_all(recipe, tmp_path / "again", tmp_path / "work", log=lines.append)
    behind = lines[lines.index("with the rounding of int8:") :]
    assert "resumed behind epoch 1" in behind
    assert not any(line.startswith("epoch ") for line in lines)
    assert records(spacy.load(tmp_path / "again")) == records(spacy.load(tmp_path / "model"))


def test_a_resumed_training_goes_on_as_if_never_killed(trained: Path, tmp_path: Path) -> None:
    recipe = load_recipe(trained / "train.toml", epochs=3)
    topics = load_topics()
    found = []
    for kill in (False, True):
        checkpoint = Checkpoint(tmp_path / f"{kill}.pt", "one")
        model, tokenizer = new_model(recipe, topics)
        draw = draw_examples(recipe, load_xml(recipe.train, topics), tokenizer)
        if kill:
            with pytest.raises(KeyboardInterrupt):
                train(model, draw, recipe.joint, checkpoint, _rising(1), log=lambda line: None)
            torch.manual_seed(77)
            random.seed(77)
            model, _ = new_model(recipe, topics)
        train(model, draw, recipe.joint, checkpoint, _rising(), log=lambda line: None)
        found.append(model.heads.mention_tags.weight.detach().numpy().copy())
    assert np.array_equal(*found)


def _rising(killed_in: int | None = None) -> Callable[[int, Joint], float]:
    """Scores that rise by the epoch, in one of which the training is killed."""

    def score(epoch: int, current: Joint) -> float:
        if epoch == killed_in:
            raise KeyboardInterrupt
        return float(epoch)

    return score


def test_a_checkpoint_of_another_training_is_refused(trained: Path, tmp_path: Path) -> None:
    recipe = load_recipe(trained / "train.toml", epochs=1)
    train_all(recipe, tmp_path / "model", tmp_path / "work", log=lambda line: None)
    other = replace(recipe, joint=replace(recipe.joint, seed=2))
    with pytest.raises(TrainingError, match=r"joint\.pt is of a training with other data"):
        train_all(other, tmp_path / "model", tmp_path / "work", log=lambda line: None)


def test_a_checkpoint_chosen_on_another_dev_is_refused(untrained: Path, tmp_path: Path) -> None:
    recipe = replace(load_recipe(untrained / "train.toml", epochs=1), dev=write_corpus(tmp_path / "dev", (2021,)))
    train_all(recipe, tmp_path / "model", tmp_path / "work", log=lambda line: None)
    before = json.loads((tmp_path / "model" / "metrics.json").read_text(encoding="utf-8"))["training"]
    write_corpus(tmp_path / "dev", (2021, 2022))
    with pytest.raises(TrainingError, match=r"joint\.pt is of a training with other data"):
        train_all(recipe, tmp_path / "model", tmp_path / "work", log=lambda line: None)
    lines: list[str] = []
    start = tmp_path / "work" / "joint.pt"
    train_all(recipe, tmp_path / "model", tmp_path / "work", log=lines.append, start=start)
    assert any(line.startswith("epoch 1/1") for line in lines)
    after = json.loads((tmp_path / "model" / "metrics.json").read_text(encoding="utf-8"))["training"]
    assert after["data"] == before["data"] == after["start"]
    assert after["dev_data"] != before["dev_data"]


@pytest.mark.parametrize("size", [0, 1, 100, -200])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, size: int) -> None:
    checkpoint = Checkpoint(tmp_path / "joint.pt", "one")
    checkpoint.save({"model": {"weights": torch.zeros(500)}})
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:size])
    with pytest.raises(CheckpointError, match=r"joint\.pt is no whole checkpoint: remove it, or name another folder"):
        checkpoint.load(torch.device("cpu"))


def test_nothing_of_the_model_before_is_left_in_its_folder(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    shutil.copytree(trained / "model", out)
    assert (out / "encode" / "torch").is_dir()
    (out / "README.md").write_text("card", encoding="utf-8")
    train_all(load_recipe(trained / "train.toml", epochs=1), out, tmp_path / "work", log=lambda line: None)
    assert not (out / "encode" / "torch").exists()
    assert (out / "README.md").exists()
    load_pipeline(str(out))


def test_a_language_without_a_pipeline_is_refused_before_it_trains(untrained: Path, tmp_path: Path) -> None:
    recipe = replace(load_recipe(untrained / "train.toml"), lang="xx")
    with pytest.raises(FileNotFoundError, match=r"configs/xx\.cfg is missing"):
        train_all(recipe, tmp_path / "model", tmp_path / "work", log=lambda line: None)
    assert not (tmp_path / "work").exists()


def test_topics_are_not_trained_on_rules(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="en-rules classifies by rules"):
        train_topics(load_recipe(trained / "train.toml"), "en-rules", tmp_path / "model", log=lambda line: None)


def test_topics_are_not_trained_on_a_model_of_another_language(trained: Path, tmp_path: Path) -> None:
    recipe = replace(load_recipe(trained / "train.toml"), lang="zh")
    with pytest.raises(TrainingError, match="en-rules is of language 'en', the config of 'zh'"):
        train_topics(recipe, "en-rules", tmp_path / "model", log=lambda line: None)


def test_an_article_is_read_alike_in_any_company(nlp: Language) -> None:
    texts = [TEXT, "Hospitals. " * 400, "A ban, said He Min, an NPC deputy."]
    docs = [nlp.make_doc(text) for text in texts]
    encode = nlp.get_pipe("encode")
    together = [np.array(doc.tensor) for doc in encode.pipe(docs)]
    for text, tensor in zip(texts, together, strict=True):
        assert np.array_equal(encode(nlp.make_doc(text)).tensor, tensor)


def test_bytes_and_files_carry_the_encoder(trained: Path, nlp: Language, tmp_path: Path) -> None:
    copy = spacy.load(trained / "model")
    copy.from_bytes(nlp.to_bytes())
    assert records(copy) == records(nlp)
    load_pipeline(str(trained / "model"), "torch").to_disk(tmp_path / "torch")
    for runtime in ("torch", "onnx"):
        assert records(load_pipeline(str(tmp_path / "torch"), runtime)) == records(nlp)


def test_training_stops_early_and_keeps_the_best(trained: Path) -> None:
    recipe = load_recipe(trained / "train.toml", epochs=9)
    topics = load_topics()
    model, tokenizer = new_model(recipe, topics)
    draw = draw_examples(recipe, load_xml(recipe.train, topics), tokenizer)
    states: list[float] = []

    def score(epoch: int, current: Joint) -> float:
        states.append(float(current.heads.topic_scale.detach().sum()))
        return (0.1, 0.5, 0.4, 0.3, 0.6)[epoch]

    lines: list[str] = []
    train(model, draw, replace(recipe.joint, patience=2), None, score, lines.append)
    assert len(states) == 4
    assert lines[-1] == "no better score for 2 epochs: stopped"
    assert float(model.heads.topic_scale.detach().sum()) == states[1] != states[3]


def test_a_training_that_stopped_early_stays_stopped(untrained: Path, tmp_path: Path) -> None:
    recipe = load_recipe(untrained / "train.toml", epochs=9)
    options = replace(recipe.joint, patience=2)
    topics = load_topics()
    checkpoint = Checkpoint(tmp_path / "joint.pt", "one")
    scored: list[int] = []
    found = []

    def score(epoch: int, current: Joint) -> float:
        scored.append(epoch)
        return (0.1, 0.5, 0.4, 0.3, 0.6)[epoch]

    for _ in range(2):
        model, tokenizer = new_model(recipe, topics)
        draw = draw_examples(recipe, load_xml(recipe.train, topics), tokenizer)
        lines: list[str] = []
        train(model, draw, options, checkpoint, score, lines.append)
        found.append(model.heads.mention_tags.weight.detach().numpy().copy())
    assert scored == [0, 1, 2, 3]
    assert lines == ["resumed behind epoch 4", "no better score for 2 epochs: stopped"]
    assert np.array_equal(*found)


def test_single_proposals_count_in_training(trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "en.jsonl"
    path.write_text('{"text": "Ban kites near airports.", "topics": ["transport"], "stance": "regulate"}\n')
    recipe = replace(load_recipe(trained / "train.toml", epochs=1), proposals=(path,))
    train_all(recipe, tmp_path / "model", tmp_path / "work", log=lambda line: None)
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["training"]["proposals"] == 1
    lines: list[str] = []
    train_topics(recipe, str(trained / "model"), tmp_path / "again", log=lines.append)
    assert lines[0].endswith("8 articles; words of 1 single proposals")
    path.write_text('{"text": "Ban kites."}\n', encoding="utf-8")
    with pytest.raises(CorpusError, match=r"en\.jsonl:1"):
        train_all(recipe, tmp_path / "model", tmp_path / "work", log=lambda line: None)


@pytest.fixture
def add_topic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What adds a table to `configs/topics.toml`, in a copy of the shipped configs."""
    shutil.copytree(resource("configs"), tmp_path / "configs")
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "pipeline")

    def add(table: str) -> None:
        with (tmp_path / "configs" / "topics.toml").open("a", encoding="utf-8") as file:
            file.write(f"\n{table}\n")

    return add


def chess() -> str:
    """The topic that the head of `configs/topics.toml` shows how to add."""
    lines = resource("configs", "topics.toml").read_text(encoding="utf-8").splitlines()
    return "\n".join(line.removeprefix("#   ") for line in lines if line.startswith("#   "))


def test_a_topic_can_be_added(trained: Path, tmp_path: Path, add_topic: Callable[[str], None]) -> None:
    add_topic(chess())
    recipe = replace(load_recipe(trained / "train.toml"), topics=TopicOptions(60, 1e-2))
    source = tmp_path / "source"
    shutil.copytree(trained / "model", source)
    (source / "README.md").write_text("The card of the model before.", encoding="utf-8")
    train_topics(recipe, str(source), tmp_path / "model", log=lambda line: None)
    loaded = load_pipeline(str(tmp_path / "model"))
    assert loaded.get_pipe("classify").settings["topics"] == list(load_topics())
    text = TEXT.replace(
        "villages should get a ledger of their own and money for it", "chess must be taught in villages"
    )
    doc = loaded(make_doc(loaded, Article("tiny", text)))
    given = [[topic.label for topic in record.proposal.topics] for record in doc._.records]
    assert ["chess" in labels for labels in given] == [True, False]
    assert topic_table()[-1].cap_major == 23
    assert load_topic_terms("en")["chess"].search(text)
    assert not (tmp_path / "model" / "README.md").exists()
    before, after = (
        json.loads((folder / "metrics.json").read_text(encoding="utf-8")) for folder in (source, tmp_path / "model")
    )
    assert after["before"] == before["training"]
    assert (after["training"]["articles"], after["training"]["examples"]) == (8, 3)
    assert after["training"]["data"] != before["training"]["data"]
    assert after["training"]["dev_data"] == before["training"]["dev_data"]


@pytest.mark.parametrize(
    "examples", ['examples.en = ["chess for all"]', 'examples = "chess for all"', "examples = [1]"]
)
def test_examples_are_a_list_of_texts(
    trained: Path, tmp_path: Path, add_topic: Callable[[str], None], examples: str
) -> None:
    add_topic(f"[chess]\n{examples}")
    recipe = load_recipe(trained / "train.toml")
    with pytest.raises(TrainingError, match=r"topics\.toml: the examples of chess must be a list of texts"):
        train_topics(recipe, str(trained / "model"), tmp_path / "model", log=lambda line: None)


def test_a_topic_that_nothing_shows_is_refused(trained: Path, tmp_path: Path, add_topic: Callable[[str], None]) -> None:
    add_topic('[chess]\ndefinition = "Chess."\nexample = ["chess for all"]')
    with pytest.raises(TrainingError, match=r"topics\.toml: chess is new to .* give it `examples`"):
        train_topics(
            load_recipe(trained / "train.toml"), str(trained / "model"), tmp_path / "model", log=lambda line: None
        )
