"""Annotated articles made by hypothesis: authored as XML, so that they hold whatever the markup can say."""

from __future__ import annotations

from xml.sax.saxutils import escape

from hypothesis import strategies as st

from pipeline.corpus import AnnotatedArticle, parse_xml

TOPICS = ("health", "data", "metaverse", "law-justice")
_NAMES = ("Luo Wenqing", "Ma Huateng", "Dolkun Memet", "Zhang Li", "MA HUATENG", "Ouyang Fu", "王小明", "Regina Ip")
_WORDS = ("the", "rule", "money", "“fund”", "5G", "R&D", "<b>", "emoji🙂", "村", "said,", "naïve", "it's", "1.", "A")


@st.composite
def xml_articles(draw: st.DrawFn) -> str:
    """An article with people, posts, organizations, bodies, references, proposals and other statements."""
    words = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=4).map(" ".join)
    names = draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=4, unique=True))
    people = {f"p{index}": name for index, name in enumerate(names, 1)}
    pieces: list[list[str]] = []
    for key, name in people.items():
        body = draw(st.sampled_from(("NPC", "CPPCC", "local", "unknown")))
        line = [f'<per id="{key}">{name}</per>,', f'<body of="{key}" is="{body}">a deputy</body>']
        if draw(st.booleans()):
            line.append(f'and <role of="{key}">chief engineer</role> of <org of="{key}">Qianhe &amp; Sons</org>')
        pieces.append(line)
    speakers = list(people)
    if draw(st.booleans()):
        pieces.append(['<org id="o1">The Jiusan Society</org>', "met."])
        speakers.append("o1")
    for index in range(draw(st.integers(0, 5))):
        by = draw(st.lists(st.sampled_from(speakers), min_size=1, max_size=2, unique=True))
        inside = escape(draw(words))
        if draw(st.booleans()):
            inside += f" <org>{draw(st.sampled_from(('Tencent', 'Ministry of Health')))}</org>"
        if draw(st.booleans()):
            topics = draw(st.lists(st.sampled_from(TOPICS), min_size=1, max_size=3, unique=True))
            stance = draw(st.sampled_from(("promote", "regulate", "both", "neither")))
            tag = f'prop by="{" ".join(by)}" n="{index + 1}" topics="{" ".join(topics)}" stance="{stance}"'
            again = f", <{tag}>{escape(draw(words))}</prop>" if draw(st.booleans()) else ""
            statement = f"<{tag}>{inside}</prop>{again}"
        else:
            by = by if draw(st.booleans()) else []
            statement = f'<say by="{" ".join(by)}">{inside}</say>' if by else f"<say>{inside}</say>"
        reference = draw(st.sampled_from((people["p1"].split()[0], "she", "the deputy", "马化腾")))
        pieces.append([statement, "—", f'<ref to="p1">{reference}</ref>', escape(draw(words))])
    pieces = draw(st.permutations(pieces))
    breaks = draw(st.sampled_from(("", ' breaks="1"')))
    outlet = draw(st.sampled_from(("state daily", "R&amp;D &quot;weekly&quot;", "newsletter")))
    head = f'id="made" lang="en" outlet="{outlet}" published="2024-03-06" session_year="2024" shape="report"{breaks}'
    paragraphs = "\n".join(f"<p>{' '.join(line)}</p>" for line in pieces)
    return f"<article {head}>\n{paragraphs}\n</article>\n"


@st.composite
def annotated_articles(draw: st.DrawFn) -> AnnotatedArticle:
    """The annotated article of such an XML file, which has no problems."""
    annotated, problems = parse_xml(draw(xml_articles()).encode(), "made.xml", TOPICS)
    assert annotated is not None
    assert problems == []
    return annotated
