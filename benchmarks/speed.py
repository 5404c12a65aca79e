"""Speed of the shipped pipeline beside the bare encoder and others, in one run: `make bench`.

Everything reads the same articles; each contender is timed in turn, several rounds, and the medians are compared.
Start-up and peak memory are of a fresh process. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BARE = "bare encoder, ONNX int8"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="en")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    from pipeline.build import load_pipeline
    from pipeline.corpus import load_xml

    articles = [gold.article for gold in load_xml(ROOT / "data" / "annotated" / "test")]
    nlp = load_pipeline(arguments.model)
    contenders = {
        "whole pipeline": whole(nlp, articles),
        BARE: bare(nlp, windows_of(nlp, articles)),
        "the same, windows of all articles sorted by length": bare(nlp, sorted_windows_of(nlp, articles)),
        **torch_encoder(nlp, articles),
        "blank spaCy CNN ner": spacy_ner(articles),
    }
    for run in contenders.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(arguments.rounds):
        for name, run in contenders.items():
            started = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - started)
    pieces = count_pieces(nlp, articles)
    medians = {name: statistics.median(values) for name, values in times.items()}
    reference = medians[BARE]
    print(
        f"{len(articles)} articles, {pieces} word pieces, {os.cpu_count()} cores, median of {arguments.rounds} rounds\n"
    )
    print("| | articles a second | word pieces a second | of the bare encoder |")
    print("|---|---|---|---|")
    for name, median in medians.items():
        print(f"| {name} | {len(articles) / median:.1f} | {pieces / median:.0f} | {reference / median:.2f} |")
    start, first, peak = fresh_process(arguments.model)
    print(
        f"\nA fresh process, as installed without PyTorch: {start:.2f} s from its start to the first record,"
        f" {first:.0f} MB then, at most {peak:.0f} MB behind all the articles"
    )
    if arguments.json:
        result = {"seconds": medians, "articles": len(articles), "pieces": pieces, "start": start, "peak_mb": peak}
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def whole(nlp: Any, articles: list[Any]) -> Callable[[], None]:
    """Return a run of the whole pipeline, records and all."""
    from pipeline.document import make_doc

    def run() -> None:
        for doc in nlp.pipe(make_doc(nlp, article) for article in articles):
            _ = doc._.records

    return run


def windows_of(nlp: Any, articles: list[Any]) -> list[Any]:
    """Return the encoder's batches for the articles, cut as the pipeline cuts them."""
    from pipeline.encode import window_batches
    from pipeline.windows import split_pieces

    encode = nlp.get_pipe("encode")
    pieces = [split_pieces(nlp.make_doc(article.text), encode.tokenizer) for article in articles]
    return [batch for found in pieces for _, batch in window_batches(found, encode.options, encode.special)]


def sorted_windows_of(nlp: Any, articles: list[Any], most: int = 3072) -> list[Any]:
    """Return batches over the borders of articles, by length and with up to `most` pieces: the quickest way to read
    them.
    """
    from pipeline.windows import cut_windows, make_batch, split_pieces

    encode = nlp.get_pipe("encode")
    pieces = [split_pieces(nlp.make_doc(article.text), encode.tokenizer) for article in articles]
    windows = [(found, window) for found in pieces for window in cut_windows(len(found.ids), encode.options)]
    windows.sort(key=lambda entry: entry[1].end - entry[1].start)
    groups: list[list[Any]] = [[]]
    for entry in windows:
        longest = entry[1].end - entry[1].start + 2
        if longest * (len(groups[-1]) + 1) > most:
            groups.append([])
        groups[-1].append(entry)
    return [make_batch(group, *encode.special) for group in groups]


def bare(nlp: Any, batches: list[Any]) -> Callable[[], None]:
    """Return a run of the encoder alone."""
    runtime = nlp.get_pipe("encode").runtime

    def run() -> None:
        for batch in batches:
            runtime.run(batch)

    return run


def torch_encoder(nlp: Any, articles: list[Any]) -> dict[str, Callable[[], None]]:
    """Return a run of an encoder of the same shape in PyTorch fp32; nothing where PyTorch is not installed."""
    try:
        import torch
        from transformers import BertConfig, BertModel
    except ModuleNotFoundError:
        print("PyTorch is not installed: it is left out", file=sys.stderr)
        return {}
    from pipeline.training.export import ModuleRuntime
    from pipeline.training.model import Encoder

    torch.set_num_threads(os.cpu_count() or 1)
    config = BertConfig(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536, vocab_size=30522
    )
    runtime, batches = ModuleRuntime(Encoder(BertModel(config)).eval()), windows_of(nlp, articles)

    def run() -> None:
        for batch in batches:
            runtime.run(batch)

    return {"same encoder, PyTorch fp32": run}


def spacy_ner(articles: list[Any]) -> Callable[[], None]:
    """Return a run of an untrained spaCy CNN with an entity recogniser, the usual small pipeline."""
    import spacy
    from spacy.training import Example

    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    ner = nlp.add_pipe("ner", config={"model": {"@architectures": "spacy.TransitionBasedParser.v2", "tok2vec": {
        "@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"}, "state_type": "ner",
        "extra_state_tokens": False, "hidden_width": 64, "maxout_pieces": 2, "use_upper": False}})  # fmt: skip
    for label in ("PERSON", "ROLE", "ORG", "BODY"):
        ner.add_label(label)
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("Li Wen spoke."), {"entities": [(0, 6, "PERSON")]})])

    def run() -> None:
        for _ in nlp.pipe(article.text for article in articles):
            pass

    return run


def count_pieces(nlp: Any, articles: list[Any]) -> int:
    """Return the number of word pieces of the articles, overlaps not counted."""
    tokenizer = nlp.get_pipe("encode").tokenizer
    return sum(len(tokenizer.encode(article.text, add_special_tokens=False).ids) for article in articles)


_FRESH = """
import sys, time
started = time.perf_counter()
sys.modules["torch"] = None  # as in an install without it
from pathlib import Path
from pipeline.build import load_pipeline
from pipeline.corpus import load_xml
from pipeline.document import make_doc

def peak():  # of this process alone, where `getrusage` remembers the one that started it
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1000

nlp = load_pipeline(sys.argv[1])
nlp("An NPC deputy, Li Wen, proposed a fund for villages.")._.records
first = time.perf_counter() - started, peak()
for doc in nlp.pipe(make_doc(nlp, gold.article) for gold in load_xml(Path(sys.argv[2]))):
    doc._.records
print(*first, peak())
"""


def fresh_process(model: str) -> tuple[float, float, float]:
    """Return the seconds to the first record, and the peak memory in MB then and behind all test articles: medians
    of three fresh processes.
    """
    command = [sys.executable, "-c", _FRESH, model, str(ROOT / "data" / "annotated" / "test")]
    rows = []
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append([float(value) for value in done.stdout.split()])
    start, first, peak = (statistics.median(column) for column in zip(*rows, strict=True))
    return start, first, peak


if __name__ == "__main__":
    main()
