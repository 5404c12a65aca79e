"""The rule pipeline on the sample coverage gives what `tests/golden/` holds.

Where a change of the records is meant, renew the files and read the difference:

    python -m pytest tests/test_golden.py --renew-golden
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.extract import Extractor
from pipeline.read import Failure, ReadOptions, read_articles

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"
SAMPLES = sorted(path for path in (ROOT / "data" / "raw").iterdir() if not path.name.startswith("."))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_sample_gives_its_golden_records(
    sample: Path, extractor: Extractor, options: ReadOptions, request: pytest.FixtureRequest
) -> None:
    found = []
    for item in extractor.records(read_articles([str(sample)], options)):
        assert not isinstance(item, Failure), item
        line = json.loads(json.dumps(item.to_dict()))
        del line["provenance"]
        found.append(line)
    golden = GOLDEN / f"{sample.stem}.jsonl"
    if request.config.getoption("--renew-golden"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text("".join(_line(record) for record in found), encoding="utf-8")
    assert golden.exists(), f"{golden} is missing: python -m pytest tests/test_golden.py --renew-golden"
    assert found == [json.loads(line) for line in golden.read_text(encoding="utf-8").splitlines()]


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def test_every_golden_file_has_its_sample() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {path.stem for path in SAMPLES}


def test_samples_are_what_the_project_promises() -> None:
    assert len(SAMPLES) >= 12
    years = {int(path.name[:4]) for path in SAMPLES}
    assert min(years) <= 2014
    assert max(years) >= 2026
    assert {path.suffix for path in SAMPLES} >= {".txt", ".md", ".html", ".jsonl"}
    assert any(b"\r\n" in path.read_bytes() for path in SAMPLES)


def test_background_story_has_no_record() -> None:
    assert (GOLDEN / "2019-how-motions-travel-background.jsonl").read_text(encoding="utf-8") == ""
