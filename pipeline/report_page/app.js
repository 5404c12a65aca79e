"use strict";
// The views of the report and what they show; data.js holds the tables, by position as page.py writes them.

(() => {
  const data = TwoSessions.data;
  const articles = data.articles.map(([id, file, title, outlet, url, published, lang]) => ({ id, file, title, outlet, url, published, lang }));
  const delegates = data.delegates.map(([id, name, zh, kind, bodies, organizations, titles]) => ({
    id, name, zh, kind, bodies, organizations, titles, count: 0, split: data.stances.map(() => 0), years: new Set(),
  }));
  const records = data.records.map(([id, article, delegate, body, year, topics, stance, promote, regulate, score, same, text]) => ({
    id, article: articles[article], delegate: delegates[delegate], body, year, topics: topics.map((at) => data.topics[at]),
    stance: data.stances[stance], promote, regulate, score, same, text,
  }));
  const byId = new Map();
  records.forEach((row, at) => {
    row.first = row.same === at;
    row.delegate.count += 1;
    row.delegate.split[data.stances.indexOf(row.stance)] += 1;
    if (row.year !== null) row.delegate.years.add(row.year);
    byId.set(row.id, row);
  });

  // What a search looks through is made when it is first asked for.
  const heap = (row, parts) => (row.heap ??= plain(parts().filter(Boolean).join("\n")));
  const hears = (text, words) => words.every((word) => text.includes(word));
  const wordsOf = (() => {
    let last = "", words = [];
    return (query) => (query === last ? words : ((last = query), (words = plain(query).split(/\s+/).filter(Boolean))));
  })();

  const proposals = makeTable({
    name: "proposals",
    rows: records,
    noun: ["proposal"],
    first: "-year",
    down: ["year", "score"],
    sorts: {
      year: (row) => row.year,
      name: (row) => row.delegate.name,
      text: (row) => row.text,
      topic: (row) => row.topics[0] ?? null,
      stance: (row) => data.drawn.indexOf(row.stance),
      score: (row) => row.score,
    },
    keep: (row, f) =>
      (!f.year || (f.year === "none" ? row.year === null : String(row.year) === f.year)) &&
      (!f.topic || row.topics.includes(f.topic)) &&
      (!f.stance || row.stance === f.stance) &&
      (!f.body || (row.body ?? "none") === f.body) &&
      (!f.min || row.score >= Number(f.min)) &&
      (!f.once || row.first) &&
      (!f.who || row.delegate.id === f.who) &&
      (!f.q || hears(heap(row, () => [row.text, row.delegate.name, row.delegate.zh, ...row.delegate.titles, row.article.title, row.article.outlet, row.article.id]), wordsOf(f.q))),
    chips: (f) => (f.who ? [["who", delegates.find((one) => one.id === f.who)?.name ?? f.who]] : []),
    cells: (row) => [
      element("td", { class: "c-year" }, row.year ?? "–"),
      element("td", { class: "c-who" },
        element("a", { href: address("proposals", { who: row.delegate.id }) }, foreign(row.delegate.name)),
        row.delegate.zh ? element("span", { lang: "zh", class: "zh" }, " " + row.delegate.zh) : null,
        row.body ? [" ", element("span", { class: "body" }, row.body)] : null,
        row.delegate.titles.length ? element("span", { class: "post t" }, row.delegate.titles[0]) : null),
      element("td", { class: "c-text" },
        element("a", { href: address("proposal", { id: row.id }), class: "words t" }, row.text),
        element("span", { class: "from t" }, [row.article.outlet, row.article.title ?? row.article.id].filter(Boolean).join(" · "))),
      element("td", { class: "c-topics" }, row.topics.map((topic) => element("span", { class: "topic" }, topic))),
      element("td", { class: "c-stance" }, element("span", { class: `stance s-${row.stance}` }, swatch(row.stance), row.stance)),
      element("td", { class: "c-score n" }, row.score.toFixed(2)),
    ],
  });

  const most = delegates.reduce((highest, one) => Math.max(highest, one.count), 1);
  const people = makeTable({
    name: "delegates",
    rows: delegates,
    noun: ["entry", "entries"],
    first: "-count",
    down: ["count", "years"],
    sorts: {
      name: (one) => one.name,
      body: (one) => one.bodies[0] ?? null,
      organization: (one) => one.organizations[0] ?? null,
      years: (one) => (one.years.size ? Math.max(...one.years) : null),
      count: (one) => one.count,
    },
    keep: (one, f) =>
      (!f.body || (f.body === "none" ? !one.bodies.length : one.bodies.includes(f.body))) &&
      (!f.kind || one.kind === f.kind) &&
      (!f.org || one.organizations.some((name) => plain(name).includes(plain(f.org)))) &&
      (!f.q || hears(heap(one, () => [one.name, one.zh, ...one.titles, ...one.organizations]), wordsOf(f.q))),
    chips: () => [],
    cells: (one) => [
      element("td", { class: "c-name" }, element("a", { href: address("proposals", { who: one.id }) }, foreign(one.name)),
        one.zh ? element("span", { lang: "zh", class: "zh" }, " " + one.zh) : null,
        one.kind === "organization" ? element("span", { class: "post" }, "organization") : null),
      element("td", { class: "c-body" }, one.bodies.length ? one.bodies.flatMap((body) => [element("span", { class: "body" }, body), " "]) : "–"),
      element("td", { class: "c-org" }, one.titles.length ? element("ul", {}, one.titles.slice(0, 3).map((title) => foreign(title, "li")),
        one.titles.length > 3 ? element("li", { class: "more" }, `and ${one.titles.length - 3} more`) : null) : "–"),
      element("td", { class: "c-years" }, yearsOf(one)),
      element("td", { class: "c-n n" }, number(one.count)),
      element("td", { class: "c-split" }, stackedBar(one.split, most)),
    ],
  });

  function yearsOf(one) {
    const years = [...one.years].sort();
    return years.length > 3 ? `${years[0]}–${years.at(-1)} (${years.length})` : years.join(", ") || "–";
  }

  // The most frequent organizations; a list of thousands would help nobody.
  const organizations = new Map();
  for (const one of delegates) for (const name of one.organizations) organizations.set(name, (organizations.get(name) ?? 0) + one.count);
  document.getElementById("organizations").replaceChildren(
    ...[...organizations].sort((a, b) => b[1] - a[1]).slice(0, 300).map(([name]) => element("option", { value: name })),
  );

  let listed = "#proposals";
  let asked = 0;
  async function showProposal(filters) {
    const view = document.getElementById("view-proposal");
    const row = byId.get(filters.get("id"));
    const mine = ++asked;
    const back = element("a", { href: listed, class: "back" }, "← All proposals" + (listed.includes("?") ? " of this list" : ""));
    if (!row) {
      view.replaceChildren(element("p", {}, back), element("h1", { id: "t-proposal", tabindex: "-1" }, "There is no such proposal in this report"));
      return;
    }
    const order = proposals.found();
    const at = order.indexOf(row);
    const near = (to, text, key) => (at >= 0 && order[to] ? element("a", { href: address("proposal", { id: order[to].id }), rel: key }, text) : null);
    const top = element("nav", { class: "steps", "aria-label": "Proposals" }, back,
      element("span", {}, near(at - 1, "‹ Previous", "prev"), at >= 0 ? element("span", {}, `${number(at + 1)} of ${number(order.length)}`) : null, near(at + 1, "Next ›", "next")));
    const long = row.text.length > 320 ? row.text.slice(0, 319) + "…" : row.text;
    const title = element("header", { class: "opening" },
      element("p", { class: "kicker" }, foreign(row.delegate.name), row.body ? ` · ${row.body}` : "", row.year ? ` · ${row.year}` : ""),
      element("h1", { id: "t-proposal", tabindex: "-1", class: "quote" + (long.length > 160 ? " long" : "") }, foreign(long)));
    const box = element("div", { class: "detail" }, element("p", { role: "status" }, "Loading the article …"));
    view.replaceChildren(top, title, box);
    try {
      const loaded = await loadArticle(row.article.file, row.id);
      if (mine !== asked) return;
      const siblings = records.filter((other) => other.article === row.article);
      const repeats = records.filter((other) => other.same === row.same && other.article !== row.article);
      box.replaceChildren(...proposalView(row, loaded, { siblings, repeats }));
      document.body.dataset.proposal = row.id;
    } catch (error) {
      if (mine === asked) box.replaceChildren(element("p", { role: "alert", class: "notice" }, error.message));
    }
  }

  const views = { overview: null, sources: null, proposals: (filters) => proposals.show(filters), delegates: (filters) => people.show(filters), proposal: showProposal };
  let current = "overview";

  function route() {
    let { view, filters } = readAddress();
    if (view === "main") return;
    if (!(view in views)) view = "overview";
    if (view === "proposals") listed = location.hash;
    for (const name of Object.keys(views)) document.getElementById("view-" + name).hidden = name !== view;
    for (const link of document.querySelectorAll("[data-view]")) {
      const own = link.dataset.view === (view === "proposal" ? "proposals" : view);
      if (own) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    views[view]?.(filters);
    const heading = document.querySelector(`#view-${view} h1`);
    document.title = `${view === "overview" ? "Two Sessions: who proposes what" : `${heading?.textContent.slice(0, 60)} · Two Sessions`}`;
    if (view !== current || view === "proposal") {
      window.scrollTo(0, 0);
      document.getElementById(view === "proposal" || view === "overview" ? "main" : `t-${view}`).focus({ preventScroll: true });
    }
    current = view;
    document.body.dataset.ready = view;
  }

  window.addEventListener("hashchange", route);
  route();
})();
