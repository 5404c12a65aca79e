"use strict";
// A table over rows in memory: filtered by a form, sorted by its head, a page at a time, all of it told by the address.

const PAGE_SIZES = [25, 50, 100, 250];

/**
 * Make a table of the view `name`.
 *
 * `rows` are any values; `sorts` maps a column to the value that it sorts by, `first` names the column and direction to
 * begin with ("-score" is downwards); `keep(row, filters)` tells whether a row passes; `cells(row)` makes its <td>s;
 * `chips(filters)` names filters that no control shows; `noun` counts rows.
 */
function makeTable({ name, rows, sorts, first, down, keep, cells, chips, noun }) {
  const table = document.querySelector(`[data-table="${name}"]`);
  const form = document.querySelector(`[data-filters="${name}"]`);
  const status = document.querySelector(`[data-status="${name}"]`);
  const chipBox = document.querySelector(`[data-chips="${name}"]`);
  const pages = document.querySelector(`[data-pages="${name}"]`);
  const controls = [...form.elements].filter((control) => control.name);
  const buttons = [...table.querySelectorAll("[data-sort]")];
  const labels = [...table.querySelectorAll("th")].map((head) => head.textContent);
  const collator = new Intl.Collator("en", { numeric: true });
  let filters = {};
  let found = [];
  let lastKey = null;

  function compare(a, b) {
    if (a === b) return 0;
    // What is not known comes last, whichever the direction.
    if (a === null || a === "") return 2;
    if (b === null || b === "") return -2;
    return typeof a === "number" && typeof b === "number" ? Math.sign(a - b) : Math.sign(collator.compare(a, b));
  }

  function select() {
    const sort = filters.sort && sorts[filters.sort.replace(/^-/, "")] ? filters.sort : first;
    const { page, size, ...rest } = filters;
    const key = JSON.stringify({ ...rest, sort });
    if (key === lastKey) return sort;
    lastKey = key;
    const by = sorts[sort.replace(/^-/, "")];
    const sign = sort.startsWith("-") ? -1 : 1;
    found = rows
      .filter((row) => keep(row, filters))
      .map((row, at) => [row, by(row), at])
      .sort((a, b) => {
        const order = compare(a[1], b[1]);
        return (Math.abs(order) === 2 ? order : sign * order) || a[2] - b[2];
      })
      .map(([row]) => row);
    return sort;
  }

  function show(given) {
    filters = Object.fromEntries(given);
    for (const control of controls) {
      const value = filters[control.name] ?? "";
      if (control.type === "checkbox") control.checked = value === "1";
      // What is being typed is in the address already; setting it again would move the cursor.
      else if (control.value !== value) control.value = value;
    }
    const sort = select();
    for (const button of buttons) {
      const head = button.closest("th");
      const own = sort.replace(/^-/, "") === button.dataset.sort;
      if (own) head.setAttribute("aria-sort", sort.startsWith("-") ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    const size = PAGE_SIZES.includes(Number(filters.size)) ? Number(filters.size) : PAGE_SIZES[0];
    const last = Math.max(1, Math.ceil(found.length / size));
    const page = Math.min(Math.max(1, Math.floor(Number(filters.page)) || 1), last);
    const visible = found.slice((page - 1) * size, page * size);
    table.tBodies[0].replaceChildren(
      ...visible.map((row) => {
        const made = cells(row);
        made.forEach((cell, at) => cell.setAttribute("data-label", labels[at]));
        return element("tr", {}, made);
      }),
    );
    table.hidden = !found.length;
    const all = found.length === rows.length;
    const at = found.length ? `${number((page - 1) * size + 1)}–${number((page - 1) * size + visible.length)} of ` : "";
    status.textContent = found.length
      ? at + plural(found.length, ...noun) + (all ? "" : `, from ${number(rows.length)}`)
      : rows.length ? "Nothing passes these filters." : "There is nothing here yet.";
    chipBox.replaceChildren(
      ...chips(filters).map(([key, text]) => {
        const chip = element("button", { type: "button", class: "chip" }, text, element("span", { "aria-hidden": "true" }, " ×"));
        chip.setAttribute("aria-label", `remove the filter: ${text}`);
        chip.addEventListener("click", () => go({ ...filters, [key]: "", page: "" }));
        return chip;
      }),
    );
    showPages(page, last, size);
  }

  function showPages(page, last, size) {
    const step = (to, text, rel) => {
      const button = element("button", { type: "button", "data-step": rel, disabled: to < 1 || to > last }, text);
      button.addEventListener("click", () => {
        go({ ...filters, page: to > 1 ? String(to) : "" });
        // The buttons are made anew: give the focus to their heirs.
        requestAnimationFrame(() => (pages.querySelector(`[data-step="${rel}"]:enabled`) ?? pages.querySelector("button:enabled"))?.focus());
        table.scrollIntoView({ block: "start" });
      });
      return button;
    };
    const sizes = element("select", { "aria-label": "Rows a page" }, PAGE_SIZES.map((value) => element("option", { value }, `${value} a page`)));
    sizes.value = String(size);
    sizes.addEventListener("change", () => go({ ...filters, size: sizes.value, page: "" }));
    pages.hidden = found.length <= PAGE_SIZES[0];
    pages.replaceChildren(
      step(page - 1, "← Previous", "previous"),
      element("span", {}, `Page ${number(page)} of ${number(last)}`),
      step(page + 1, "Next →", "next"),
      sizes,
    );
  }

  function go(next, replace = false) {
    const to = address(name, next);
    // Typing makes one step of the history, not one a letter.
    if (replace) {
      history.replaceState(null, "", to);
      show(readAddress().filters);
    } else location.hash = to;
  }

  function fromForm() {
    const next = { ...filters, page: "" };
    for (const control of controls) next[control.name] = control.type === "checkbox" ? (control.checked ? "1" : "") : control.value;
    return next;
  }

  let timer = 0;
  form.addEventListener("input", (event) => {
    if (event.target.type !== "search") return;
    clearTimeout(timer);
    timer = setTimeout(() => readAddress().view === name && go(fromForm(), true), 120);
  });
  form.addEventListener("change", (event) => event.target.type !== "search" && go(fromForm()));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    go(fromForm(), true);
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    for (const control of controls) control.value = control.type === "checkbox" ? control.value : "";
    go({});
  });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const column = button.dataset.sort;
      const current = filters.sort || first;
      // The first click sorts the way that is of use: counts and scores downwards, names upwards.
      const start = down.includes(column) ? "-" + column : column;
      const other = start.startsWith("-") ? column : "-" + column;
      go({ ...filters, sort: current === start ? other : start, page: "" });
    });
  }

  return {
    show,
    /** The rows that pass the last filters, in their order. */
    found: () => {
      select();
      return found;
    },
  };
}
