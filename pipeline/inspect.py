"""One processed article with everything marked in its text, for a terminal or a browser."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text
from spacy.tokens import Doc

from .document import article_of, mentions_of, statements_of
from .schema import PROPOSAL, Record, stable_hash
from .scripts import UNSPACED

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


# C0 controls have pictures of their own; the others, and what turns the direction of text, get one for all.
_PICTURES = {
    **dict.fromkeys((*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "�"),
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    0x0D: "\n",
    0x7F: "\u2421",
}


def visible(text: str) -> str:
    """Return a text with its control characters as symbols, so that a terminal obeys none of them; lengths stay."""
    return re.sub(r"\r(?=\n)", " ", text).translate(_PICTURES)


def terminal_view(doc: Doc) -> Group:
    """Return what `twosessions inspect` prints: a legend, the marked text and the table of records."""
    text = Text(visible(doc.text))
    for statement in statements_of(doc):
        text.stylize(STYLES[statement.label], statement.start, statement.end)
    for mention in mentions_of(doc):
        text.stylize(STYLES[mention.label], mention.start, mention.end)
    legend = Text(" ").join(Text(f" {label} ", style=style) for label, style in STYLES.items())
    return Group(legend, Text(), text, Text(), records_table(doc._.records, title=article_of(doc).id))


def records_table(records: Iterable[Record], title: str | None = None) -> Table:
    """Return a readable table, one row a record; it fits a terminal of 80 columns."""
    # As a string it would be read as markup.
    table = Table(title=None if title is None else Text(visible(title)), show_lines=True, expand=True)
    table.add_column("who", ratio=4)
    table.add_column("proposes", ratio=7)
    table.add_column("topics and stance", ratio=3)
    table.add_column("score", justify="right", width=5)
    article = None
    for record in records:
        if title is None and record.document_id != article:
            article = record.document_id
            table.add_section()
            table.add_row(Text(visible(article), style="bold"))
        table.add_row(
            _who(record),
            Text(visible(_shortened(record.proposal.text, 200))),
            Text(", ".join(topic.label for topic in record.proposal.topics) + "\n" + record.proposal.stance.label),
            Text(f"{record.score:.2f}"),
        )
    return table


def _who(record: Record) -> Text:
    delegate = record.delegate
    text = Text(visible(delegate.name + (f" {delegate.name_zh}" if delegate.name_zh else "")), style="bold")
    text.append(f" ({delegate.body or delegate.kind})", style="not bold magenta")
    for role in delegate.roles:
        post = role.title + (f", {role.organization}" if role.organization else "")
        text.append("\n" + visible(post), style="not bold")
    return text


def _shortened(text: str, most: int) -> str:
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    end = most - 1
    # Back to the end of a word, which Chinese has everywhere.
    while end and not (text[end - 1] == " " or UNSPACED.match(text[end - 1])):
        end -= 1
    return text[: end or most - 1].rstrip(" ") + "…"


def page_name(doc: Doc) -> str:
    """Return the name of an article's page in a folder: its id, or what of it a file can be named, with a hash."""
    name = article_of(doc).id
    # File systems bound a name to 255 bytes, and a character may take four.
    safe = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:50]
    return f"{safe}.html" if safe == name else f"{safe or 'article'}-{stable_hash(name)[:8]}.html"


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
