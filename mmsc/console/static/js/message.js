// One message: PDUs by click and key, fields and octets joined by number, a ladder that grows, panes that share the room.
"use strict";
(() => {
  const { one, all, key } = mmsc;
  const box = () => one(".msg"), pane = () => one("#pane");
  const wide = () => innerWidth >= 700;

  // PDUs. Below 700 px a PDU is a page of its own: the link does it.
  let asked = 0;
  const rows = () => all(".ldr-pdu[data-n]");
  const chosen = () => one(".ldr-pdu.chosen");
  const show = async (place, also) => {
    const mine = ++asked, url = new URL(place, location.href), at = url.pathname;
    const answer = await fetch(`${at}/pane${url.search}`);
    if (mine !== asked) return;
    if (!answer.ok) { location.href = url; return; }
    pane().innerHTML = await answer.text();
    history.replaceState(null, "", url);
    if (also) also();
    tidy();
  };
  const pick = (row, also) => {
    if (!row) return;
    all(".ldr-pdu.chosen, .ldr-pdu.alike").forEach((other) => other.classList.remove("chosen", "alike"));
    row.classList.add("chosen");
    if (row.dataset.same) all(`.ldr-pdu[data-same="${CSS.escape(row.dataset.same)}"]`).forEach((other) => other.classList.add("alike"));
    all(".ldr-w[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
    const link = one("a.ldr-w", row);
    link.setAttribute("aria-current", "true");
    row.scrollIntoView({ block: "nearest" });
    if (wide()) show(link.href, also); else location.href = link.href;
  };
  const step = (by, wanted) => {
    const list = rows().filter((row) => !wanted || row.matches(wanted)), now = chosen();
    const order = by > 0 ? list : list.reverse();
    pick(now ? order.find((row) => by > 0 ? now.compareDocumentPosition(row) & 4 : now.compareDocumentPosition(row) & 2) : order[0],
      () => chosen() && one("a.ldr-w", chosen()).focus({ preventScroll: true }));
  };
  key("j", () => step(1));
  key("k", () => step(-1));
  key("J", () => step(1, ".marked"));
  key("K", () => step(-1, ".marked"));

  // Fields and octets.
  const runs = (numbers) => all("[data-f]", one(".oct-hex", pane())).filter((run) => numbers.has(run.dataset.f));
  const within = (item) => {
    const { u, s, e } = item.dataset;
    return all("[data-s]", pane()).filter((other) => other.dataset.u === u && Number(other.dataset.s) >= Number(s) && Number(other.dataset.e) <= Number(e));
  };
  const numbers = (item) => new Set([item, ...(item.dataset.s >= 0 ? within(item) : [])].map((found) => found.dataset.f));
  const items = () => all("[role=treeitem]", pane()).filter((item) => item.offsetParent);
  const place = () => one(".oct-place", pane());
  const mark = (item, focus = true) => {
    const level = one(".oct-hex", pane()).dataset.level, row = one(":scope > a.oct-r", item);
    const range = row && /[?&]o=(\d+)-(\d+)/.exec(row.search);
    if (!range) { all(".on", pane()).forEach((other) => other.classList.remove("on")); item.classList.add("on"); return rove(item, focus); }
    if (!row.search.includes(`b=${level}&`) || one(".oct-hidden", pane())) {
      return show(location.pathname + row.search, () => focus && again(item.dataset.f));
    }
    all(".on", pane()).forEach((other) => other.classList.remove("on"));
    item.classList.add("on");
    const found = runs(numbers(item));
    found.forEach((run) => run.classList.add("on"));
    if (found[0]) found[0].scrollIntoView({ block: "nearest" });
    const [first, last] = [Number(range[1]), Number(range[2])], hex = (octet) => "0x" + octet.toString(16).padStart(2, "0");
    place().textContent = `${first}-${last} (${hex(first)}-${hex(last)}), ${last - first + 1} octet${last === first ? "" : "s"}`;
    history.replaceState(null, "", location.pathname + row.search);
    if (focus) rove(item);
  };
  const again = (number) => { const item = one(`[role=treeitem][data-f="${number}"]`, pane()); if (item) rove(item); };
  const rove = (item, focus = true) => {
    all("[role=treeitem][tabindex='0']", pane()).forEach((other) => { other.tabIndex = -1; });
    item.tabIndex = 0;
    if (focus) { item.focus({ preventScroll: true }); item.scrollIntoView({ block: "nearest" }); }
  };
  const open = (item, is) => { if (item.hasAttribute("aria-expanded")) item.setAttribute("aria-expanded", String(is)); };
  const isOpen = (item) => item.getAttribute("aria-expanded") === "true";
  const upOpen = (item) => { for (let up = item.parentElement; up && up !== pane(); up = up.parentElement) if (up.matches("[aria-expanded]")) open(up, true); };
  const tidy = () => {
    const first = one(".oct-tree .on", pane()) || one("[role=treeitem]", pane());
    if (first) rove(first, false);
    const on = one(".oct-hex .on", pane());
    if (on) on.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    const item = event.target.closest("[role=treeitem]");
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const list = items(), at = list.indexOf(item), { key: pressed } = event;
    if (pressed === "ArrowDown" || pressed === "ArrowUp") { const next = list[at + (pressed === "ArrowDown" ? 1 : -1)]; if (next) mark(next); }
    else if (pressed === "ArrowRight") { if (!isOpen(item)) open(item, true); else if (list[at + 1]) mark(list[at + 1]); }
    else if (pressed === "ArrowLeft") { if (isOpen(item)) open(item, false); else { const up = item.parentElement.closest("[role=treeitem]"); if (up) mark(up); } }
    else if (pressed === "Enter") open(item, !isOpen(item));
    else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const arrow = event.target.closest("[data-n] > a.ldr-w");
    if (arrow && wide()) { event.preventDefault(); pick(arrow.closest(".ldr-pdu")); return; }
    const row = event.target.closest("a.oct-r");
    if (row) {
      event.preventDefault();
      const item = row.parentElement, was = item.classList.contains("on");
      if (item.matches(".oct-layer")) open(item, was || !isOpen(item) ? !isOpen(item) : true);
      mark(item);
      return;
    }
    const run = event.target.closest(".oct-hex [data-f]");
    if (run) {
      const item = one(`.oct-tree [data-f="${run.dataset.f}"]`);
      if (item) { upOpen(item); mark(item, false); rove(item, false); item.scrollIntoView({ block: "nearest" }); }
      return;
    }
    const tab = event.target.closest(".oct-tabs a, .oct-hidden a[href*=whole]");
    if (tab && wide()) { event.preventDefault(); show(location.pathname + tab.search, () => { const now = one(".oct-tabs [aria-current]"); if (now) now.focus(); }); return; }
    const walk = event.target.closest(".oct-head a.in");
    if (walk && wide()) { event.preventDefault(); show(walk.href); return; }
    const hex = event.target.closest("[data-hex]");
    if (hex) mmsc.copy(octets(hex.dataset.hex));
    const png = event.target.closest("[data-png]");
    if (png) { event.preventDefault(); picture(png); }
    const text = event.target.closest("[data-text]");
    if (text) { event.preventDefault(); fetch(text.href).then((answer) => answer.text()).then(mmsc.copy); }
  });
  // A drag over octets selects the innermost field that has them all.
  document.addEventListener("mouseup", () => {
    const chosen = getSelection(), hex = one(".oct-hex", pane());
    if (chosen.isCollapsed || !hex || !hex.contains(chosen.anchorNode) || !hex.contains(chosen.focusNode)) return;
    const touched = all("[data-f]", hex).filter((run) => chosen.containsNode(run, true)).map((run) => one(`.oct-tree [data-f="${run.dataset.f}"]`)).filter(Boolean);
    if (touched.length < 2) return;
    let item = touched[0];
    const has = (outer) => touched.every((other) => within(outer).includes(other));
    if (!has(item)) item = all(".oct-layer", pane()).filter(has).pop();
    if (item) { upOpen(item); mark(item, false); rove(item, false); }
  });
  ["mouseover", "mouseout"].forEach((name) => document.addEventListener(name, (event) => {
    const item = event.target.closest && event.target.closest(".oct-tree [role=treeitem]");
    const run = event.target.closest && event.target.closest(".oct-hex [data-f]");
    const found = item ? runs(numbers(item)) : run ? all(`.oct-hex [data-f="${run.dataset.f}"]`) : [];
    found.forEach((other) => other.classList.toggle("over", name === "mouseover"));
  }));
  const octets = (how) => {
    const list = all(".oct-hex div > code:nth-of-type(1)").map((line) => line.textContent).join(" ").trim().split(/\s+/);
    if (how === "hex") return list.join(" ");
    const lines = [];
    for (let at = 0; at < list.length; at += 12) lines.push("  " + list.slice(at, at + 12).map((octet) => "0x" + octet).join(", "));
    return `static const unsigned char pdu[${list.length}] = {\n${lines.join(",\n")}\n};\n`;
  };
  const picture = (link) => {
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [2 * image.naturalWidth, 2 * image.naturalHeight];
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => {
        const save = document.createElement("a");
        save.href = URL.createObjectURL(blob);
        save.download = `${link.dataset.png}.png`;
        save.click();
        URL.revokeObjectURL(save.href);
      });
    };
    image.src = link.href;
  };

  // It grows: rows are put in one by one, so that what is chosen, and where one reads, stays.
  mmsc.on("ladder", (html) => {
    const fresh = document.createElement("template"), target = one("#ladder");
    fresh.innerHTML = html;
    const was = one(".ldr", target), now = one(".ldr", fresh.content), kept = chosen() && chosen().dataset.n;
    const left = one(".msg-left"), atEnd = left.scrollTop + left.clientHeight >= left.scrollHeight - 40;
    const frame = (root) => one(".ldr-head", root).outerHTML;
    if (!was || frame(target) !== frame(fresh.content)) target.replaceChildren(...fresh.content.children);
    else {
      const known = new Map([...was.children].map((row) => [row.id, row]));
      [...now.children].forEach((row, index) => {
        const old = known.get(row.id);
        known.delete(row.id);
        if (old) { old.classList.remove("chosen", "alike", "new"); one("a.ldr-w[aria-current]", old)?.removeAttribute("aria-current"); }
        const next = old && old.outerHTML === row.outerHTML ? old : row;
        if (next === row && !old) row.classList.add("new");
        if (old && next === row) old.replaceWith(row);
        if (was.children[index] !== next) was.insertBefore(next, was.children[index] || null);
      });
      known.forEach((row) => row.remove());
    }
    const again = kept && one(`.ldr-pdu[data-n="${kept}"]`);
    if (again) { again.classList.add("chosen"); one("a.ldr-w", again).setAttribute("aria-current", "true"); }
    if (!kept && rows().length && wide()) pick(rows()[0]);
    if (atEnd) left.scrollTop = left.scrollHeight;
    rail();
  });
  const rail = () => {
    const left = one(".msg-left"), list = all(".ldr > .marked");
    all(".msg-rail").forEach((old) => old.remove());
    if (!list.length || left.scrollHeight <= left.clientHeight + 4) return;
    const made = document.createElement("div");
    made.className = "msg-rail";
    made.setAttribute("aria-hidden", "true");
    list.forEach((row) => {
      const spot = made.appendChild(document.createElement("a"));
      spot.className = row.querySelector(".chip.fault") ? "fault" : row.matches(".bad") ? "bad" : "";
      spot.style.top = `${Math.round((row.offsetTop / left.scrollHeight) * (left.clientHeight - 48))}px`;
      spot.addEventListener("click", () => row.scrollIntoView({ block: "center" }));
    });
    left.prepend(made);
  };

  // Panes.
  const WAYS = ["", "only-ladder", "only-octets"];
  const way = (name) => { WAYS.forEach((other) => other && box().classList.toggle(other, other === name)); mmsc.remember("panes", name); };
  key("|", () => way(WAYS[(WAYS.indexOf(mmsc.remembered("panes")) + 1) % WAYS.length]));
  const width = (share) => { one(".msg-split").setAttribute("aria-valuenow", Math.round(share)); box().style.setProperty("--w", `${Math.min(75, Math.max(30, share))}%`); mmsc.remember("split", share); };
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest(".msg-split")) return;
    event.preventDefault();
    const frame = box().getBoundingClientRect();
    const drag = (move) => width(((move.clientX - frame.left) / frame.width) * 100);
    document.addEventListener("pointermove", drag);
    document.addEventListener("pointerup", () => document.removeEventListener("pointermove", drag), { once: true });
  });
  document.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -3, ArrowRight: 3 }[event.key];
    if (by && event.target.closest(".msg-split")) { event.preventDefault(); width((Number(mmsc.remembered("split")) || 55) + by); }
  });

  // Recipients by number, and the messages before and behind in the list this one was opened from.
  for (let digit = 1; digit <= 9; digit += 1) key(String(digit), () => {
    const choice = one("[data-picks]");
    if (!choice || !choice.options[digit]) return false;
    choice.selectedIndex = digit;
    choice.form.submit();
    return true;
  });
  document.addEventListener("change", (event) => { if (event.target.matches("[data-picks]")) event.target.form.submit(); });
  const beside = (by) => () => {
    let list = [];
    try { list = JSON.parse(sessionStorage.getItem("mmsc.list") || "[]"); } catch { /* not ours */ }
    const next = list[list.indexOf(box().dataset.mm) + by];
    if (list.includes(box().dataset.mm) && next) location.href = `/m/${encodeURIComponent(next)}`;
  };
  key("[", beside(-1));
  key("]", beside(1));

  const begin = () => {
    if (!box()) return;
    if (mmsc.remembered("split")) width(Number(mmsc.remembered("split")));
    if (mmsc.remembered("panes")) way(mmsc.remembered("panes"));
    tidy();
    rail();
    const now = chosen();
    if (now) now.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("DOMContentLoaded", begin);
  document.addEventListener("mmsc:refreshed", begin);
})();
