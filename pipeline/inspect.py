"""One processed article with everything marked in its text, for a terminal or a browser."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text
from spacy.tokens import Doc

from .document import article_of, mentions_of, statements_of
from .schema import PROPOSAL, Record

STYLES = {
    "PERSON": "bold cyan",
    "ROLE": "green",
    "ORG": "yellow",
    "BODY": "magenta",
    "REF": "cyan",
    "PROPOSAL": "on dark_blue",
    "SAYING": "dim italic",
}
COLOURS = {
    "PERSON": "#8fd3f4",
    "ROLE": "#b7e4a7",
    "ORG": "#ffe08a",
    "BODY": "#e3b7f0",
    "REF": "#cfeefb",
    "PROPOSAL": "#ffb3a7",
    "SAYING": "#d9d9d9",
}


def terminal_view(doc: Doc) -> Group:
    """Return what `twosessions inspect` prints: a legend, the marked text and the table of records."""
    text = Text(doc.text)
    for statement in statements_of(doc):
        text.stylize(STYLES[statement.label], statement.start, statement.end)
    for mention in mentions_of(doc):
        text.stylize(STYLES[mention.label], mention.start, mention.end)
    legend = Text(" ").join(Text(f" {label} ", style=style) for label, style in STYLES.items())
    return Group(legend, Text(), text, Text(), records_table(doc._.records, title=article_of(doc).id))


def records_table(records: Iterable[Record], title: str | None = None) -> Table:
    """Return a readable table, one row a record; it fits a terminal of 80 columns."""
    table = Table(title=title, show_lines=True, expand=True)
    table.add_column("who", ratio=4)
    table.add_column("proposes", ratio=7)
    table.add_column("topics and stance", ratio=3)
    table.add_column("score", justify="right", width=5)
    article = None
    for record in records:
        if title is None and record.document_id != article:
            article = record.document_id
            table.add_section()
            table.add_row(Text(article, style="bold"))
        table.add_row(
            _who(record),
            Text(_shortened(record.proposal.text, 200)),
            Text(", ".join(topic.label for topic in record.proposal.topics) + "\n" + record.proposal.stance.label),
            Text(f"{record.score:.2f}"),
        )
    return table


def _who(record: Record) -> Text:
    delegate = record.delegate
    text = Text(delegate.name + (f" {delegate.name_zh}" if delegate.name_zh else ""), style="bold")
    text.append(f" ({delegate.body or delegate.kind})", style="not bold magenta")
    for role in delegate.roles:
        text.append("\n" + role.title + (f", {role.organization}" if role.organization else ""), style="not bold")
    return text


def _shortened(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0] + "…"


def html_view(doc: Doc) -> str:
    """Return a page that shows the article with its spans, made by displaCy.

    displaCy escapes the article's text; titles and links it takes as they are, so they are escaped here.
    """
    from spacy import displacy

    article = article_of(doc)
    spans: list[dict[str, Any]] = []
    for span in (*doc.spans.get("mentions", ()), *doc.spans.get("statements", ())):
        spans.append({"start_token": span.start, "end_token": span.end, "label": span.label_})
    owners = {
        (start, end): doc._.entities[proposal["entity"]]["name"]
        for proposal in doc._.proposals or []
        for start, end in proposal["spans"]
    }
    for entry, span in zip(spans[len(doc.spans.get("mentions", ())) :], doc.spans.get("statements", ()), strict=True):
        owner = owners.get((span.start_char, span.end_char))
        if span.label_ == PROPOSAL and owner:
            entry["label"] = PROPOSAL
            entry["kb_id"] = escape(owner)
    tokens = [token.text for token in doc]
    page = displacy.render(
        {"text": doc.text, "spans": spans, "tokens": tokens, "title": escape(article.id)},
        style="span",
        manual=True,
        page=True,
        options={"colors": COLOURS},
    )
    return str(page)
