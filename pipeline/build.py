"""Config → `nlp`: the stages as spaCy components, and the loading of a shipped pipeline.

Each factory is an entry point, so `spacy.load` of a folder under `models/` finds it. The implementations are imported
when a component is made, not before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import load_config

from .document import ExactTokenizer
from .resources import resource
from .schema import stable_hash

Component = Callable[[Doc], Doc]

_MENTIONS = ["doc.ents", "doc.spans"]
_LINKS = ["doc._.entities", "doc._.proposals"]


_VECTORS = ["doc.tensor"]


@Language.factory("twosessions_encode", default_config={"runtime": "onnx", "threads": 0}, assigns=_VECTORS)
def make_encode(nlp: Language, name: str, runtime: str, threads: int) -> Component:
    """Return the shared encoder; `runtime` is "onnx" or "torch", `threads` 0 lets the runtime choose."""
    from .encode import Encode

    return Encode(name, runtime, threads)


@Language.factory("twosessions_recognise", requires=_VECTORS, assigns=_MENTIONS)
def make_recognise(nlp: Language, name: str) -> Component:
    """Return the trained stage that finds mentions."""
    from .recognise import Recognise

    return Recognise(name)


@Language.factory("twosessions_attribute", requires=[*_VECTORS, *_MENTIONS], assigns=["doc.spans"])
def make_attribute(nlp: Language, name: str) -> Component:
    """Return the trained stage that finds statement spans; list labels are known where the language has a lexicon."""
    from .attribute import Attribute

    return Attribute(name, _lexicon(nlp.lang or ""))


def _lexicon(lang: str) -> Any:
    """Return the lexicon of a language, or None where it has none."""
    from .rules.lexicon import load_lexicon

    try:
        return load_lexicon(lang)
    except FileNotFoundError:
        return None


@Language.factory("twosessions_link", requires=[*_VECTORS, *_MENTIONS], assigns=_LINKS)
def make_link(nlp: Language, name: str) -> Component:
    """Return the trained stage that links posts and statements to people."""
    from .link import Link

    return Link(name, _lexicon(nlp.lang or ""))


@Language.factory(
    "twosessions_classify",
    requires=[*_VECTORS, "doc._.proposals"],
    assigns=["doc._.proposals", "doc._.records"],
)
def make_classify(nlp: Language, name: str) -> Component:
    """Return the trained stage that gives proposals their topics and stance."""
    from .classify import Classify

    return Classify(name)


# Without a `lang` a rule stage takes the lexicon of its pipeline's language.
@Language.factory("twosessions_recognise_rules", default_config={"lang": ""}, assigns=_MENTIONS)
def make_rules_recogniser(nlp: Language, name: str, lang: str) -> Component:
    """Return the rule stage that finds mentions."""
    from .rules.recognise import RulesRecogniser

    return RulesRecogniser(lang or nlp.lang or "")


@Language.factory("twosessions_attribute_rules", default_config={"lang": ""}, requires=_MENTIONS, assigns=["doc.spans"])
def make_rules_attributer(nlp: Language, name: str, lang: str) -> Component:
    """Return the rule stage that finds statement spans."""
    from .rules.attribute import RulesAttributer

    return RulesAttributer(lang or nlp.lang or "")


@Language.factory("twosessions_link_rules", default_config={"lang": ""}, requires=_MENTIONS, assigns=_LINKS)
def make_rules_linker(nlp: Language, name: str, lang: str) -> Component:
    """Return the rule stage that links posts and statements to people."""
    from .rules.link import RulesLinker

    return RulesLinker(lang or nlp.lang or "")


@Language.factory(
    "twosessions_classify_rules",
    default_config={"lang": ""},
    requires=["doc._.proposals"],
    assigns=["doc._.proposals", "doc._.records"],
)
def make_rules_classifier(nlp: Language, name: str, lang: str) -> Component:
    """Return the rule stage that gives proposals their topics and stance."""
    from .rules.classify import RulesClassifier

    return RulesClassifier(lang or nlp.lang or "")


def build(config: Path) -> Language:
    """Return the pipeline that a spaCy config file describes."""
    return spacy.util.load_model_from_config(load_config(config), auto_fill=True)


def load_pipeline(name: str, runtime: str | None = None) -> Language:
    """Return a shipped pipeline: a folder under `models/`, or a config `configs/<name>.cfg`, or any model folder.

    A bare name is a shipped one's before it is that of a folder where the command runs: `./en` is the folder. `runtime`
    ("onnx", "torch") replaces the one in the model's config. Raises `OSError` that names the missing or damaged file.
    """
    folder = _model_folder(name)
    if folder is None:
        nlp = build(resource("configs", f"{name}.cfg"))
    else:
        digest = check_files(folder) or _files_digest(folder)
        nlp = spacy.load(folder, config={"components": {"encode": {"runtime": runtime}}} if runtime else {})
        nlp.meta["twosessions_digest"] = f"sha256:{digest}"
    # What comes from the pipeline alone, by `nlp(text)`, says too which it was.
    if isinstance(nlp.tokenizer, ExactTokenizer):
        nlp.tokenizer.models = {nlp.lang or "": model_digest(nlp)}
    return nlp


def model_digest(nlp: Language) -> str:
    """Return the digest that provenance carries: of a model folder's files where there is one, else of the config."""
    known = nlp.meta.get("twosessions_digest")
    return str(known) if known else f"rules:{stable_hash(*nlp.pipe_names, nlp.config.to_str())}"


def _model_folder(name: str) -> Path | None:
    """Return the folder of a model, or None where the name is that of a config, or of nothing."""
    if name == Path(name).name != "..":
        for parts in (("models", name), ("configs", f"{name}.cfg")):
            try:
                found = resource(*parts)
            except FileNotFoundError:
                continue
            return found if found.is_dir() else None
    return Path(name) if Path(name).is_dir() else None


def check_files(folder: Path) -> str | None:
    """Compare a model folder with its checksums and return the digest of them all, or None where it has none.

    Raises `ModelFileError` that names a file which is missing or not as it was written.
    """
    from .stage import ModelFileError, read_json

    listing = folder / "checksums.json"
    if not listing.exists():
        return None
    sums = read_json(listing)
    for name, wanted in sums.items():
        path = folder / name
        if not path.is_file():
            raise ModelFileError(f"{path} is missing")
        if hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
            raise ModelFileError(f"{path} is damaged: its SHA-256 is not the one in checksums.json")
    return hashlib.sha256(listing.read_bytes()).hexdigest()


def _files_digest(folder: Path) -> str:
    """Return a digest of the files of a model folder that has no checksums: one that spaCy wrote anew, for instance."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def stage_names(nlp: Language) -> dict[str, Any]:
    """Return the factory of each component, by its name in the pipeline."""
    return {name: nlp.get_pipe_meta(name).factory for name in nlp.pipe_names}
