"""A Chinese article as an annotator would mark it up, with posts, a list entry, a pronoun, and a surname with title."""

from __future__ import annotations

from pipeline.corpus import AnnotatedArticle, load_topics, parse_xml

NAME = "2024-liangxiang-jianyi"
XML = f"""<article id="{NAME}" lang="zh" title="代表委员谈农村养老" outlet="省级日报" published="2024-03-07"
 session_year="2024" shape="report">
<p><per id="p1">马映川</per>：<prop by="p1" n="1" topics="population-family" stance="promote">
让老人在村里吃上热饭</prop></p>
<p><body of="p1" is="NPC">全国人大代表</body>、<org of="p1">青禾职业技术学院</org><role of="p1">教师</role>
<ref to="p1">马映川</ref>今年带来了一份关于农村养老的建议。<ref to="p1">马</ref>代表建议，
<prop by="p1" n="1" topics="population-family" stance="promote">由财政安排专项资金，在乡镇建设养老服务中心，
为独居老人提供助餐、助浴和上门护理服务。</prop>“<prop by="p1" n="1" topics="population-family" stance="promote">
村里不缺房子，缺的是愿意留下来的人</prop>，”<ref to="p1">她</ref>说。</p>
<p><ref to="p1">马代表</ref>还介绍，<say by="p1">学院去年培训了三百名护理员</say>。
对此，<org id="o1">云溪省民政厅</org>回应称，<say by="o1">补贴标准正在研究</say>。
<ref to="o1">该厅</ref>表示，<say by="o1">将公开征求意见</say>。</p>
<p><body of="p2" is="CPPCC">全国政协委员</body>、<org of="p2">澜泽科技</org><role of="p2">董事长</role>
<per id="p2">董砚秋</per>（<ref to="p2">Dong Yanqiu</ref>）：<prop by="p2" n="1" topics="data health" stance="both">
加快健康数据立法，明确医院之间的共享规则，对泄露病历的行为从严处罚。</prop></p>
<p><ref to="p2">董事长</ref>同时希望，<prop by="p2" n="2" topics="artificial-intelligence" stance="promote">
支持县级医院使用辅助诊断系统</prop>。<ref to="p2">砚秋</ref>是<ref to="p2">这位委员</ref>的本名。</p>
</article>
"""


def chinese_article() -> AnnotatedArticle:
    """Return the annotated article; it has no problems."""
    annotated, problems = parse_xml(XML.encode(), f"{NAME}.xml", load_topics())
    assert annotated is not None
    assert problems == []
    return annotated
