"use strict";
// What the other scripts share: elements without HTML strings, and the address that holds the state.

const TwoSessions = { data: null, waiting: new Map() };

// Characters that are not seen but change what is; page.py has the same.
const HIDDEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Return nodes that show a text as it is, each hidden control character as a mark that names it. */
function shown(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > at) nodes.push(document.createTextNode(text.slice(at, match.index)));
    const mark = document.createElement("span");
    mark.className = "control";
    mark.title = "a hidden control character in the article";
    mark.textContent = "⟨U+" + match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟩";
    nodes.push(mark);
    at = match.index + match[0].length;
  }
  if (at < text.length) nodes.push(document.createTextNode(text.slice(at)));
  return nodes;
}

/** Make an element; texts among the children are shown as they are, never as HTML. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(2)) {
    if (child === null || child === undefined || child === false) continue;
    made.append(...(child instanceof Node ? [child] : shown(String(child))));
  }
  return made;
}

/** A text of an article or a name in it: its direction is its own and does not reach its neighbours. */
function foreign(text, name = "span") {
  return element(name, { class: "t" }, text);
}

/** A link out of the page, or the bare text where the address is not of the web. */
function outward(url) {
  if (!/^https?:\/\//i.test(url)) return foreign(url);
  return element("a", { href: url, rel: "noopener noreferrer", target: "_blank", class: "t" }, url);
}

const SVG = "http://www.w3.org/2000/svg";

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function swatch(stance) {
  const box = drawn("rect", { width: 12, height: 12, fill: `url(#p-${stance})` });
  return drawn("svg", { class: "swatch", width: 12, height: 12, "aria-hidden": "true", focusable: "false" }, box);
}

/** A stacked bar of counts by stance, `scale` records long. */
function stackedBar(counts, scale) {
  const { drawn: order, stances } = TwoSessions.data;
  const words = order.filter((name) => counts[stances.indexOf(name)]).map((name) => `${counts[stances.indexOf(name)]} ${name}`);
  const title = drawn("title", {});
  title.textContent = words.join(", ");
  const bar = drawn("svg", { class: "bar", role: "img", "aria-label": title.textContent }, title);
  let at = 0;
  for (const name of order) {
    const count = counts[stances.indexOf(name)];
    if (!count) continue;
    bar.append(drawn("rect", { x: `${(100 * at) / scale}%`, width: `${(100 * count) / scale}%`, height: "100%", fill: `url(#p-${name})` }));
    at += count;
  }
  return bar;
}

const number = (value) => value.toLocaleString("en-US");
const plural = (count, one, many = one + "s") => `${number(count)} ${count === 1 ? one : many}`;
/** Case and accents do not matter to a search. */
const plain = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();

/** Return the view and the filters that the address names. */
function readAddress() {
  const [view, query = ""] = location.hash.replace(/^#/, "").split(/\?(.*)/s);
  return { view: view || "overview", filters: new URLSearchParams(query) };
}

function address(view, filters) {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value)).toString();
  return "#" + view + (query ? "?" + query : "");
}
