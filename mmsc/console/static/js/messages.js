// The list: rows that come and change without moving the one under the pointer, keys, rates.
"use strict";
(() => {
  const { one, all } = mmsc;
  const MOST_ROWS = 300, NEW_PER_SECOND = 20;
  let table, body, waiting = new Map(), counted = 0, pointed = false, chosen = null, cell = null, inserted = [];
  const isNewer = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
  const isBusy = () => mmsc.held || pointed || scrollY > 100 || (table && table.contains(document.activeElement));

  // What waits behind "12 newer".
  const announce = () => {
    const number = waiting.size + counted, box = one(".list-new");
    if (!box) return;
    box.hidden = !number;
    one("span", box).textContent = `${number.toLocaleString("en")} newer`;
    if (number) mmsc.tell(`${number} newer`);
  };
  const put = (row) => {
    const before = all("tr", body).find((other) => isNewer(other.dataset.id, row.dataset.id) < 0);
    row.classList.add("new");
    body.insertBefore(row, before || null);
    while (body.rows.length > MOST_ROWS) body.deleteRow(-1);
  };
  const showWaiting = () => {
    if (counted) return mmsc.refresh();
    [...waiting.values()].forEach(put);
    waiting.clear();
    announce();
  };
  mmsc.on("rows", (html) => {
    if (!body) { if (!table) mmsc.refresh(); return false; }
    const made = document.createElement("template");
    made.innerHTML = `<table><tbody>${html}</tbody></table>`;
    const first = body.rows[0] ? body.rows[0].dataset.id : "0";
    const now = Date.now();
    inserted = inserted.filter((at) => now - at < 1000);
    all("tr", made.content).forEach((row) => {
      const id = row.dataset.id, there = document.getElementById(row.id);
      if (there) {
        ["aria-selected", "data-picked"].forEach((name) => { if (there.hasAttribute(name)) row.setAttribute(name, there.getAttribute(name)); });
        const held = there.contains(document.activeElement) && document.activeElement;
        if (there === chosen) chosen = row;
        there.replaceWith(row);
        if (held) one(held.closest(".c-subject") ? ".c-subject a" : "a", row).focus();
      } else if (waiting.has(id) || isNewer(id, first) > 0) {
        if (isBusy() || inserted.length >= NEW_PER_SECOND) waiting.set(id, row);
        else { inserted.push(now); put(row); }
      }
    });
    announce();
    return false;
  });
  mmsc.on("many", (number) => { counted += Number(number); announce(); return false; });
  mmsc.on("behind", () => { if (isBusy()) { counted += 1; announce(); } else mmsc.refresh(); });

  // Keys, and the row under them.
  const choose = (row) => {
    if (chosen) chosen.removeAttribute("aria-selected");
    chosen = row;
    if (!row) return false;
    row.setAttribute("aria-selected", "true");
    row.scrollIntoView({ block: "nearest" });
    one("a", row).focus({ preventScroll: true });
  };
  const step = (by) => {
    const rows = all("tr.link");
    return choose(rows[Math.min(rows.length - 1, Math.max(0, rows.indexOf(chosen) + by))]);
  };
  const picked = () => all("tr[data-picked]").map((row) => row.dataset.id);
  mmsc.key("j", () => step(1));
  mmsc.key("k", () => step(-1));
  mmsc.key("Enter", () => { if (!chosen) return false; location.href = one("a", chosen).href; });
  mmsc.key("y", () => mmsc.copy(chosen ? one("a", chosen).href : location.href));
  mmsc.key(".", () => showWaiting());
  mmsc.key("x", () => {
    const row = chosen || (cell && cell.closest("tr.link"));
    if (!row) return false;
    row.toggleAttribute("data-picked");
    mmsc.tell(`${picked().length} selected`);
    showPicked();
  });
  const plural = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
  const showPicked = () => {
    const ids = picked(), acts = one(".list-acts"), link = one("[data-pcapng]");
    if (acts) {
      const people = all("tr[data-picked]").reduce((sum, row) => sum + Number(row.dataset.people || 1), 0);
      const counted = `${plural(people, "recipient")} of ${plural(ids.length, "message")}`;
      acts.hidden = !ids.length;
      one("b", acts).textContent = counted;
      one("[value=cancel]", acts).dataset.confirm = `Cancel ${counted}`;
      all("input", acts).forEach((old) => old.remove());
      ids.forEach((id) => acts.append(Object.assign(document.createElement("input"), { type: "hidden", name: "mm", value: id })));
    }
    if (!link) return;
    const where = new URL(link.href);
    where.searchParams.delete("mm");
    ids.forEach((id) => where.searchParams.append("mm", id));
    link.href = where.href;
    link.lastChild.data = ids.length ? `pcapng of ${ids.length}` : "pcapng";
  };
  mmsc.key("f", () => {
    const row = cell ? cell.closest("tr") : chosen, name = cell && cell.className.match(/c-(\w+)/);
    const value = row && ((name && row.dataset[name[1]]) || (!cell && row.dataset.state));
    if (!value) return false;
    const field = one("#q");
    field.value = `${field.value} ${value}`.trim();
    field.form.requestSubmit();
  });
  document.addEventListener("pointerover", (event) => { cell = event.target.closest(".list td"); });
  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr.link");
    if (event.target.closest(".list-new button")) return showWaiting();
    if (event.target.closest("[data-does=none]")) { all("tr[data-picked]").forEach((one) => one.removeAttribute("data-picked")); return showPicked(); }
    if (!row || event.target.closest("a, button") || String(getSelection())) return;
    if (event.ctrlKey || event.metaKey) open(one("a", row).href); else location.href = one("a", row).href;
  });

  // For `[` and `]` on a message's page: what was above and below it here.
  const remember = () => {
    const ids = all("tr.link").map((row) => row.dataset.id);
    try { if (ids.length) sessionStorage.setItem("mmsc.list", JSON.stringify(ids)); } catch { /* switched off */ }
  };
  document.addEventListener("click", remember, true); // a new tab gets a copy
  addEventListener("pagehide", remember);

  // Older ones, on demand, into the same table.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest(".list-older a");
    if (!link || !body || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const fresh = new DOMParser().parseFromString(await (await fetch(link.href)).text(), "text/html");
    all("#rows > tr", fresh).forEach((row) => body.append(document.adoptNode(row)));
    const next = one(".list-older", fresh);
    if (next) link.parentNode.replaceWith(document.adoptNode(next)); else link.parentNode.remove();
  });

  // Rates: lines without axes; the figure follows the pointer.
  const charts = new Map();
  const colour = (name) => { // a canvas knows no custom properties
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = `var(${name})`;
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const draw = () => all("[data-rate]").forEach((box) => {
    if (!window.uPlot || innerWidth < 1201) return;
    const old = charts.get(box.dataset.rate);
    const values = old ? old.data[1] : JSON.parse(box.dataset.values);
    if (old) old.destroy();
    const padded = [...Array(Math.max(0, 120 - values.length)).fill(null), ...values];
    const chart = new uPlot({
      width: Math.max(60, box.clientWidth - 166), height: 34, legend: { show: false }, padding: [2, 0, 2, 0], cursor: { y: false, points: { size: 5 }, drag: { x: false, y: false } },
      scales: { x: { time: false }, y: { range: (_, low, high) => [Math.max(high || 0, 1) * -0.06, Math.max(high || 0, 1) * 1.06] } },
      axes: [{ show: false }, { show: false }],
      series: [{}, { stroke: colour("--accent"), width: 1.5, points: { show: false }, spanGaps: true }],
      hooks: { setCursor: [(plot) => {
        const at = plot.cursor.idx, value = at == null ? null : plot.data[1][at];
        one("b", box).textContent = at == null ? box.dataset.now || one("b", box).textContent : value == null ? "–" : Number(value.toPrecision(3));
        one("dt", box).textContent = at == null ? box.dataset.label : `${120 - at} s ago`;
      }] },
    }, [[...padded.keys()], padded], one("dd", box));
    box.dataset.label = box.dataset.label || one("dt", box).textContent;
    box.dataset.now = box.dataset.now || one("b", box).textContent;
    charts.set(box.dataset.rate, chart);
  });
  mmsc.on("rates", (text) => {
    JSON.parse(text).forEach((rate) => {
      const box = one(`[data-rate="${rate.name}"]`), chart = charts.get(rate.name);
      if (!box) return;
      box.dataset.now = rate.now;
      if (!chart || chart.cursor.idx == null) one("b", box).textContent = rate.now;
      if (chart) chart.setData([chart.data[0], [...chart.data[1], ...JSON.parse(rate.line)].slice(-120)]);
    });
    return false;
  });

  const begin = () => {
    table = one("table.list");
    body = table && table.hasAttribute("data-follows") ? one("#rows") : null;
    waiting.clear();
    counted = 0;
    chosen = null;
    showPicked();
    if (table) {
      table.addEventListener("pointerenter", () => { pointed = true; });
      table.addEventListener("pointerleave", () => { pointed = false; cell = null; });
    }
    charts.forEach((chart) => chart.destroy());
    charts.clear();
    draw();
    const field = one("#q[data-at]");
    if (field) { field.focus(); field.setSelectionRange(Number(field.dataset.at), field.value.length); }
  };
  document.addEventListener("mmsc:refreshed", begin);
  document.addEventListener("mmsc:theme", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("resize", draw);
  document.addEventListener("DOMContentLoaded", begin);
})();
