"""What property tests feed to the pipeline: any text, and text made of pieces that the rules react to."""

from __future__ import annotations

from hypothesis import strategies as st

# Names, memberships, posts, cue verbs and punctuation of coverage.
COVERAGE = (
    "Ma Lan", "Wu Jianping", "Ouyang Xiu", "Ma", "Li Wei-min", "Xi'an Bank", "WU Jianping", "she", "The deputy",
    ", an NPC deputy and chairman of Harbour Group Co., Ltd.,", " a member of the CPPCC National Committee ",
    "NPC deputy and mayor of Linhai, ", "CPPCC member and professor at Donghu University, ", "political adviser",
    " deputy to the Henan Provincial People's Congress", "The Jiusan Society Central Committee", "China Zhi Gong Party",
    " proposed that ", " called for ", " said", " told reporters that ", " was proposed by ", " according to ",
    "schools should be open on Sundays", "a law on drones", "blockchain", "metaverse", "digital yuan",
    ": ", "：", ". ", ".", "; ", ", ", "? ", "“", "”", '"', "'", "’", "‘‘", "(", ")", "**", "1. ", "① ", "First, ",
)  # fmt: skip

# What breaks careless offsets: line ends of all kinds, controls, direction marks, wide and combining characters.
AWKWARD = (
    "\n", "\r\n", "\r", "\n\n", "\t", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", " ", "  ", "\u3000", "\u00a0",
    "\0", "\x01", "\x07", "\x1b[31m", "\x7f", "\u200b", "\u200d", "\ufeff", "\u202e", "\u202a", "\u2066", "\u2069",
    "e\u0301", "ﬁ", "ß", "İ", "ı", "ǅ", "马化腾", "全国人大代表", "𠀀", "👩‍👩‍👧", "🇨🇳", "שלום", "مرحبا", "한국", "१२३",
    "<script>alert(1)</script>", "&amp;", "{0}", "%s", "[bold]", "\\", "NPCdeputy", "Ma_Lan", "Ma Lan2", "-", "_",
)  # fmt: skip


def coverage_text(max_pieces: int = 40) -> st.SearchStrategy[str]:
    """Text of coverage pieces with awkward characters between them."""
    piece = st.sampled_from(COVERAGE) | st.sampled_from(AWKWARD) | st.text(max_size=3)
    return st.lists(piece, max_size=max_pieces).map("".join)


def long_line() -> st.SearchStrategy[str]:
    """One line of many thousand characters."""
    return st.tuples(coverage_text(8), st.integers(200, 600)).map(lambda pair: pair[0].replace("\n", " ") * pair[1])


def any_text() -> st.SearchStrategy[str]:
    """Any text that UTF-8 can carry."""
    return st.text(max_size=300) | coverage_text()
