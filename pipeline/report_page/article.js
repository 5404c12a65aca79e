"use strict";
// One proposal in its article: the text with its marks, and what is known of the record.

/** An article's script calls this with its text and marks. */
TwoSessions.receive = (article) => {
  for (const [id, record] of Object.entries(article.records)) {
    TwoSessions.waiting.get(id)?.(article, record);
  }
};

/** Load an article's script; `fetch` does not work from disk. */
function loadArticle(file, recordId) {
  return new Promise((resolve, reject) => {
    const script = element("script", { src: `articles/${file}.js` });
    TwoSessions.waiting.set(recordId, (article, record) => resolve({ article, record }));
    script.addEventListener("load", () => script.remove());
    script.addEventListener("error", () => {
      script.remove();
      reject(new Error(`articles/${file}.js is missing from the report's folder`));
    });
    document.head.append(script);
  }).finally(() => TwoSessions.waiting.delete(recordId));
}

const MARKS = { mention: "proponent", post: "post", cue: "cue" };

/**
 * Return the text of an article as nodes, with the marks of one record and, faintly, the other proposals in it.
 *
 * Offsets count code points, as in the records; JavaScript's own strings count UTF-16 units.
 */
function markedText(text, record, others) {
  const points = Array.from(text);
  const outer = new Array(points.length).fill(null);
  const inner = new Array(points.length).fill(null);
  const paint = (layer, ranges, value) => ranges.forEach(([start, end]) => layer.fill(value, start, end));
  for (const other of others) paint(outer, other.spans, other);
  paint(outer, record.spans, record);
  paint(inner, record.cues, "cue");
  paint(inner, record.posts, "post");
  paint(inner, record.mentions, "mention");
  const nodes = [];
  let at = 0;
  while (at < points.length) {
    let end = at;
    while (end < points.length && outer[end] === outer[at]) end += 1;
    const pieces = innerPieces(points, inner, at, end);
    if (outer[at] === record) {
      nodes.push(element("mark", { class: "m-proposal", "aria-roledescription": "proposal" }, pieces));
    } else if (outer[at]) {
      nodes.push(element("a", { class: "m-other", href: address("proposal", { id: outer[at].id }), title: `a proposal of ${outer[at].name}` }, pieces));
    } else nodes.push(...pieces);
    at = end;
  }
  return nodes;
}

function innerPieces(points, inner, from, to) {
  const nodes = [];
  let at = from;
  while (at < to) {
    let end = at;
    while (end < to && inner[end] === inner[at]) end += 1;
    const piece = points.slice(at, end).join("");
    if (inner[at]) {
      nodes.push(element("mark", { class: "m-" + inner[at], "aria-roledescription": MARKS[inner[at]], title: MARKS[inner[at]] }, piece));
    } else nodes.push(...shown(piece));
    at = end;
  }
  return nodes;
}

/** A probability with its bar. */
function probability(label, value, stance) {
  const box = drawn("rect", { width: `${100 * value}%`, height: "100%", ...(stance ? { fill: `url(#p-${stance})` } : { class: "f-score" }) });
  const bar = drawn("svg", { class: "bar thin", "aria-hidden": "true", focusable: "false" }, box);
  return element("li", {}, element("span", {}, label), bar, element("b", {}, value.toFixed(2)));
}

function facts(pairs) {
  return pairs.filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && !value.length))
    .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
}

/** Return the nodes of the view of one proposal. */
function proposalView(row, loaded, links) {
  const { record, article } = loaded;
  const names = new Map(links.siblings.map((other) => [other.id, other.delegate.name]));
  const others = Object.entries(article.records).filter(([id]) => id !== row.id)
    .map(([id, other]) => ({ ...other, id, name: names.get(id) ?? "somebody else" }));
  const who = row.delegate;
  const source = row.article;
  const legend = element("ul", { class: "keys", "aria-label": "What the marks mean" },
    [["mention", "proponent"], ["post", "post"], ["cue", "cue"], ["proposal", "proposal"]].map(([key, label]) => element("li", {}, element("span", { class: `m-${key}` }, label))),
    others.length ? element("li", {}, element("span", { class: "m-other" }, "other proposals")) : null);
  const jump = element("button", { type: "button", class: "jump" }, "Go to its place in the text");
  jump.addEventListener("click", () => text.querySelector(".m-proposal")?.scrollIntoView({ block: "center" }));
  legend.append(element("li", {}, jump));
  const text = element("div", { class: "article t", lang: source.lang || null }, markedText(article.text, record, others));
  const posts = record.roles.map(([title, organization]) => foreign(organization ? `${title}, ${organization}` : title, "li"));
  const repeats = links.repeats.map((other) => element("li", {}, element("a", { href: address("proposal", { id: other.id }) }, foreign(other.article.title || other.article.id))));
  const siblings = links.siblings.filter((other) => other.id !== row.id).map((other) =>
    element("li", {}, element("a", { href: address("proposal", { id: other.id }) }, foreign(`${other.delegate.name}: ${other.text.length > 90 ? other.text.slice(0, 89) + "…" : other.text}`))));
  const models = Object.entries(article.models).map(([lang, digest]) => `${lang}: ${digest}`).join(", ");
  const panel = element("aside", { class: "facts", "aria-label": "The record" },
    element("section", {}, element("h2", {}, "Proponent"), element("dl", {}, facts([
      ["name", [element("a", { href: address("proposals", { who: who.id }) }, foreign(who.name)), who.zh ? element("span", { lang: "zh", class: "zh" }, " " + who.zh) : null]],
      ["kind", who.kind],
      ["body", row.body || "none named"],
      ["posts here", posts.length ? element("ul", {}, posts) : "none named"],
    ]))),
    element("section", {}, element("h2", {}, "Stance"), element("p", { class: "stance" }, swatch(row.stance), element("b", {}, row.stance)),
      element("ul", { class: "scores" }, probability("regulate", row.regulate, "regulate"), probability("promote", row.promote, "promote"))),
    element("section", {}, element("h2", {}, "Topics"), element("ul", { class: "scores" }, record.topics.map(([label, score]) =>
      probability(element("a", { href: address("proposals", { topic: label }) }, label), score)))),
    element("section", {}, element("h2", {}, "How sure"), element("ul", { class: "scores" }, probability("whole record", row.score), probability("this proponent", record.link))),
    repeats.length ? element("section", {}, element("h2", {}, "Also reported in"), element("ul", {}, repeats)) : null,
    siblings.length ? element("section", {}, element("h2", {}, "In the same article"), element("ol", { class: "others" }, siblings)) : null,
    element("section", { class: "provenance" }, element("h2", {}, "Where it comes from"), element("dl", {}, facts([
      ["article", foreign(source.id)],
      ["outlet", source.outlet ? foreign(source.outlet) : ""],
      ["address", source.url ? outward(source.url) : ""],
      ["published", source.published ? foreign(source.published) : ""],
      ["session", row.year ? String(row.year) : "not known"],
      ["characters", record.spans.map(([start, end]) => `${start}–${end}`).join(", ")],
      ["record", element("code", {}, row.id)],
      ["program", article.pipeline],
      ["models", element("code", {}, models)],
    ]))));
  return [
    element("div", { class: "story" },
      element("h2", { class: "headline" }, foreign(source.title || source.id)),
      element("p", { class: "byline" }, [source.outlet, source.published, row.year ? `session of ${row.year}` : ""].filter(Boolean).map((part) => foreign(part))),
      legend, text),
    panel,
  ];
}
