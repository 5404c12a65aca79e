"""Fixtures that the tests share; what is slow to make is made once a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from spacy.language import Language
from sqlalchemy.engine import Engine

from pipeline.build import load_pipeline
from pipeline.extract import Extractor
from pipeline.languages import Languages, load_languages
from pipeline.people import delegate_id
from pipeline.read import ReadOptions
from pipeline.rules.lexicon import Lexicon, load_lexicon
from pipeline.schema import (
    SCHEMA_VERSION,
    Article,
    Body,
    Delegate,
    Kind,
    Proposal,
    Provenance,
    Record,
    Role,
    Span,
    Stance,
    TopicScore,
    document_info,
    stable_hash,
)
from pipeline.store import open_store

ROOT = Path(__file__).parent.parent

# The default profile gives the same examples every time; `--hypothesis-profile explore` looks for new ones.
_slow_is_fine = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile(
    "suite", deadline=None, max_examples=60, derandomize=True, suppress_health_check=_slow_is_fine
)
settings.register_profile("explore", deadline=None, max_examples=1000, suppress_health_check=_slow_is_fine)
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--renew-golden", action="store_true", help="write tests/golden/ anew from what the pipeline gives now"
    )


@pytest.fixture(scope="session")
def rules() -> Language:
    """The rule pipeline for English."""
    return load_pipeline("en-rules")


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    """The English lexicon of the rule stages."""
    return load_lexicon("en")


@pytest.fixture(scope="session")
def languages() -> Languages:
    """Two languages, of which English alone has a model."""
    shipped = load_languages().table
    return Languages({"en": {**shipped["en"], "model": "en-rules"}, "zh": {**shipped["zh"], "model": ""}})


@pytest.fixture(scope="session")
def options(languages: Languages) -> ReadOptions:
    """How to read where a test does not care."""
    return ReadOptions(languages)


@pytest.fixture
def extractor(languages: Languages, rules: Language) -> Extractor:
    """An extractor whose every model is the rule pipeline."""
    return Extractor(languages, load=lambda name: rules)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A new store."""
    opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def samples() -> list[Path]:
    """The sample coverage."""
    return sorted(path for path in (ROOT / "data" / "raw").iterdir() if not path.name.startswith("."))


RecordMaker = Callable[..., Record]


@pytest.fixture(scope="session")
def make_record() -> RecordMaker:
    """A function that makes a record of an article whose text begins with the delegate's name."""

    def make(
        article: Article,
        name: str = "Ma Lan",
        body: Body | None = "NPC",
        kind: Kind = "person",
        organization: str | None = None,
        span: tuple[int, int] = (0, 6),
        name_zh: str | None = None,
        topics: tuple[str, ...] = ("education",),
    ) -> Record:
        start, end = span
        piece = Span(start, end, article.text[start:end])
        proposal_id = stable_hash("proposal", article.id, (start, end))
        return Record(
            schema_version=SCHEMA_VERSION,
            record_id=stable_hash("record", article.id, name, proposal_id),
            document_id=article.id,
            document=document_info(article),
            delegate=Delegate(
                id=delegate_id(kind, name, body),
                name=name,
                name_zh=name_zh,
                kind=kind,
                body=body,
                score=0.9,
                roles=(Role("chairman", organization, 0, 8),) if organization else (),
                mentions=(Span(0, len(name), article.text[: len(name)]),),
            ),
            proposal=Proposal(
                id=proposal_id,
                text=piece.text,
                spans=(piece,),
                topics=tuple(TopicScore(label, 0.8) for label in topics),
                stance=Stance("promote", 0.75, 0.25),
            ),
            score=0.5,
            provenance=Provenance("0.1.0", {"en": "digest"}),
        )

    return make
