"""List labels are told from sentences with a colon."""

from __future__ import annotations

import pytest

from pipeline.attribute import widened
from pipeline.lists import bare_organization, entries, entry_start
from pipeline.rules.lexicon import Lexicon
from pipeline.schema import PROPOSAL, SAYING, Mention

LABEL = "NPC deputy and president of Lanhe Bank, Luo Wen: Build a ledger. Fund it."


def mentions(text: str, *marked: tuple[str, str]) -> list[Mention]:
    return [Mention(text.index(words), text.index(words) + len(words), words, label) for words, label in marked]


KNOWN = (("NPC deputy", "BODY"), ("president", "ROLE"), ("Lanhe Bank", "ORG"), ("Luo Wen", "PERSON"))


def test_a_label_of_mentions_opens_an_entry(lexicon: Lexicon) -> None:
    begin = entry_start(LABEL, 0, len(LABEL), mentions(LABEL, *KNOWN), lexicon)
    assert begin is not None
    assert LABEL[begin:].startswith("Build")


def test_a_name_in_brackets_is_no_clause(lexicon: Lexicon) -> None:
    text = "NPC deputy Luo Wen (罗文，澜河银行董事会主席): build it."
    assert entry_start(text, 0, len(text), mentions(text, KNOWN[0], KNOWN[3]), lexicon) == text.index("build")


@pytest.mark.parametrize(
    "text",
    [
        "NPC deputy Luo Wen said on Monday: build it.",
        "Not everybody agrees with the NPC deputy Luo Wen and his many loud friends: build it.",
        '"A plan", says NPC deputy Luo Wen: build it.',
        "NPC deputy Luo Wen:",
    ],
)
def test_a_sentence_is_no_label(lexicon: Lexicon, text: str) -> None:
    assert entry_start(text, 0, len(text), mentions(text, KNOWN[0], KNOWN[3]), lexicon) is None


def test_a_label_without_a_membership_is_none(lexicon: Lexicon) -> None:
    assert entry_start("Luo Wen: build it.", 0, 18, [Mention(0, 7, "Luo Wen", "PERSON")], lexicon) is None


def test_a_party_submits_by_itself(lexicon: Lexicon) -> None:
    text = "China Democratic League: build it."
    assert entry_start(text, 0, len(text), mentions(text, ("China Democratic League", "ORG")), lexicon) == 25


def test_one_span_is_widened_to_the_entry(lexicon: Lexicon) -> None:
    start = LABEL.index("Build")
    one = Mention(start, start + 5, "Build", PROPOSAL, 0.8)
    found = widened(LABEL, mentions(LABEL, *KNOWN), [one], lexicon, merge=False)
    assert [(s.text, s.score) for s in found] == [("Build a ledger. Fund it.", 0.8)]


@pytest.mark.parametrize(
    ("text", "proposed"),
    [
        ('"Build a ledger."', "Build a ledger."),
        ("“Build a ledger,” she told reporters on Friday.", "Build a ledger,"),
        ("** Build a ledger.", "Build a ledger."),
        ("*Build a ledger.*", "Build a ledger."),
        # These open with a term in quotation marks.
        ("“Ledger China” should be built.", "“Ledger China” should be built."),
        ("“Build” it and “fund” it, she said.", "“Build” it and “fund” it, she said."),
        ("“Build a ledger.", "“Build a ledger."),
    ],
)
def test_marks_around_an_entry_are_no_part_of_it(lexicon: Lexicon, text: str, proposed: str) -> None:
    label = LABEL[: LABEL.index("Build")]
    whole = label + text
    tagged = Mention(len(label), len(whole), text, PROPOSAL, 0.8)
    (found,) = widened(whole, mentions(whole, *KNOWN), [tagged], lexicon, merge=True)
    assert (found.text, whole[found.start : found.end]) == (proposed, proposed)


def test_several_spans_are_merged_only_where_asked(lexicon: Lexicon) -> None:
    start, other = LABEL.index("Build"), LABEL.index("Fund")
    two = [Mention(start, start + 15, "Build a ledger.", PROPOSAL), Mention(other, other + 8, "Fund it.", PROPOSAL)]
    assert widened(LABEL, mentions(LABEL, *KNOWN), two, lexicon, merge=False) == two
    assert len(widened(LABEL, mentions(LABEL, *KNOWN), two, lexicon, merge=True)) == 1


def test_what_proposes_nothing_stays(lexicon: Lexicon) -> None:
    start = LABEL.index("Build")
    said = [Mention(start, start + 5, "Build", SAYING)]
    assert widened(LABEL, mentions(LABEL, *KNOWN), said, lexicon, merge=True) == said


def test_entries_have_a_label_a_text_and_an_end(lexicon: Lexicon) -> None:
    found = entries(LABEL + "\nNothing here.", mentions(LABEL, *KNOWN), lexicon)
    assert found == [(0, LABEL.index("Build"), len(LABEL))]


@pytest.mark.parametrize(
    ("text", "post", "known", "organization"),
    [
        ("Chairman and CEO of Tencent, Luo Wen: x", "Chairman and CEO", None, "Tencent"),
        ("Chairman of Modern Amp Co., Limited, Luo Wen: x", "Chairman", "Amp Co., Limited", "Modern Amp Co., Limited"),
        ("President of the Lanhe Bank, Luo Wen: x", "President", "Lanhe Bank", "Lanhe Bank"),
        ("Mayor of Qinzhou, Luo Wen: x", "Mayor", None, None),
        ("Chairman, Luo Wen: x", "Chairman", None, None),
    ],
)
def test_posts_in_labels_get_their_organization(
    lexicon: Lexicon, text: str, post: str, known: str | None, organization: str | None
) -> None:
    assert bare_organization(text, (0, len(post)), text.index(":"), known, lexicon) == organization


def test_an_organization_ends_where_its_person_begins(lexicon: Lexicon) -> None:
    text = "Chairman of Lanhe Luo Wen: x"
    people = mentions(text, ("Luo Wen", "PERSON"))
    assert bare_organization(text, (0, 8), text.index(":"), None, lexicon, people) == "Lanhe"
    people = mentions(text, ("Lanhe Luo Wen", "PERSON"))
    assert bare_organization(text, (0, 8), text.index(":"), None, lexicon, people) is None
