"""A pipeline run a stage at a time, so that any stage can be given gold, replaced, or left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from ..build import stage_names
from ..document import make_doc
from ..schema import Article

#: The whole of it, beside the stages by name.
PIPELINE = "pipeline"
RECOGNISE, ATTRIBUTE, LINK, CLASSIFY = "recognise", "attribute", "link", "classify"
STAGES = (RECOGNISE, ATTRIBUTE, LINK, CLASSIFY)
Component = Callable[[Doc], Doc]


@dataclass(frozen=True)
class System:
    """A pipeline under evaluation; `replaced` holds another component for a stage."""

    name: str
    nlp: Language
    replaced: Mapping[str, Component] = field(default_factory=dict)

    def components(self) -> list[tuple[str | None, Any]]:
        """Return the components in order, each with its stage; None for one that is none of the four stages."""
        factories = stage_names(self.nlp)
        found = []
        for name, component in self.nlp.pipeline:
            stage = next((stage for stage in STAGES if factories[name].startswith(f"twosessions_{stage}")), None)
            found.append((stage, self.replaced.get(stage or "", component)))
        return found

    def prepare(self, articles: Sequence[Article]) -> list[Doc]:
        """Return documents that have gone through everything before the first stage: they hold the token vectors."""
        docs = [make_doc(self.nlp, article) for article in articles]
        for stage, component in self.components():
            if stage is not None:
                break
            docs = list(component.pipe(docs)) if hasattr(component, "pipe") else [component(doc) for doc in docs]
        return docs

    def run(
        self, doc: Doc, given: Mapping[str, Callable[[Doc], None]], until: str = CLASSIFY, after: str | None = None
    ) -> Doc:
        """Run the stages of a prepared document up to `until`; one that is `given` is filled in instead of run.

        A document that has been through a stage already goes on `after` it.
        """
        started = False
        for stage, component in self.components():
            if after is not None:
                started, after = stage == after, None if stage == after else after
                continue
            started = started or stage is not None
            if not started:
                continue
            if stage is not None and stage in given:
                given[stage](doc)
            else:
                doc = component(doc)
            if stage == until:
                break
        return doc


def fresh(nlp: Language, prepared: Doc, article: Article) -> Doc:
    """Return an unprocessed document of the same article that shares the token vectors of a prepared one."""
    doc = make_doc(nlp, article)
    doc.tensor = prepared.tensor
    return doc
