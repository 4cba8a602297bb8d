// What every page has: keys, the stream, the theme, copies. Nothing here is needed to read or to do; it makes it quick.
// Others use: mmsc.key(k, does) · mmsc.on(event, does) · mmsc.tell(words) · mmsc.copy(text) · mmsc.refresh() · mmsc.held
// A button with data-key="h" is pressed by that key. A form with data-confirm="Cancel 48 recipients" asks first.
"use strict";
(() => {
  const one = (wanted, under = document) => under.querySelector(wanted);
  const all = (wanted, under = document) => [...under.querySelectorAll(wanted)];
  const remembered = (name) => { try { return localStorage.getItem("mmsc." + name) || ""; } catch { return ""; } };
  const remember = (name, value) => { try { localStorage.setItem("mmsc." + name, value); } catch { /* off */ } };
  const mmsc = window.mmsc = { one, all, remembered, remember, held: false };

  // Words for readers of the screen: polite, and at most one in five seconds.
  let toldAt = 0, toTell = "", telling = 0;
  mmsc.tell = (words) => {
    toTell = words;
    clearTimeout(telling);
    telling = setTimeout(() => { toldAt = Date.now(); one("#told").textContent = toTell; },
      Math.max(0, toldAt + 5000 - Date.now()));
  };

  // Keys.
  const bound = new Map();
  let going = 0;
  mmsc.key = (key, does) => bound.set(key, does);
  const singles = () => remembered("keys") !== "off";
  const isTyped = (on) => on.closest("input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable]");
  const press = (key) => {
    const button = all(`[data-key="${CSS.escape(key)}"]`).find((found) => !found.disabled);
    const field = all(`[data-focus="${CSS.escape(key)}"]`).filter((found) => found.offsetParent).pop();
    if (bound.has(key)) return bound.get(key)() !== false;
    if (field) field.select();
    else if (button) button.click();
    return field || button;
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (isTyped(event.target)) event.target.blur();
      const more = one(".more[open]");
      if (more) { more.open = false; one("summary", more).focus(); }
      return;
    }
    if (isTyped(event.target) || one("dialog[open]") || !singles()) return;
    if ((event.key === "Enter" || event.key === " ") && event.target.closest("a, button, summary, label, input")) return;
    if (going && Date.now() - going < 1500) {
      going = 0;
      const link = one(`[data-go="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); return; }
    }
    if (event.key === "g" && !bound.has("g")) { going = Date.now(); return; }
    if (press(event.key)) event.preventDefault();
  });
  mmsc.key("?", () => one("#keys").showModal());
  document.addEventListener("click", (event) => {
    const more = one(".more[open]");
    if (more && !more.contains(event.target)) more.open = false;
    const does = event.target.closest("[data-does]")?.dataset.does;
    if (does === "keys") one("#keys").showModal();
    if (does === "hold") mmsc.hold(!mmsc.held);
  });

  // Copies. Without the clipboard's permission (plain HTTP off loopback) a field is selected and copied the old way.
  mmsc.copy = async (text) => {
    try { await navigator.clipboard.writeText(text); } catch {
      const field = document.body.appendChild(document.createElement("textarea"));
      field.value = text;
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    mmsc.tell("Copied");
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from], [data-copy-link]");
    if (!button) return;
    event.preventDefault();
    const { copy, copyFrom, copyLink } = button.dataset;
    await mmsc.copy(copyLink !== undefined ? new URL(copyLink || location.href, location.href).href
      : copyFrom ? one(copyFrom).textContent : copy);
    const word = [...button.childNodes].filter((node) => node.nodeType === 3 && node.data.trim()).pop();
    if (!word || button.dataset.was) return;
    button.dataset.was = word.data;
    word.data = "Copied";
    setTimeout(() => { word.data = button.dataset.was; delete button.dataset.was; }, 1500);
  });
  document.addEventListener("submit", (event) => {
    const asks = (event.submitter && event.submitter.dataset.confirm) || event.target.dataset.confirm;
    if (asks && !confirm(asks + "?")) event.preventDefault();
  });

  // Tabs within a page: [role=tablist] of [role=tab][aria-controls].
  const choose = (tab) => all("[role=tab]", tab.closest("[role=tablist]")).forEach((other) => {
    other.setAttribute("aria-selected", String(other === tab));
    other.tabIndex = other === tab ? 0 : -1;
    one("#" + other.getAttribute("aria-controls")).hidden = other !== tab;
  });
  document.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab][aria-controls]");
    if (tab) { event.preventDefault(); choose(tab); }
  });
  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest("[role=tab][aria-controls]");
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!tab || !step) return;
    const tabs = all("[role=tab]", tab.closest("[role=tablist]"));
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    event.preventDefault();
    choose(next);
    next.focus();
  });

  // What the reader opened or closed stays so when its part of the page is made anew: details that have an id.
  const opened = new Map();
  document.addEventListener("click", (event) => {
    const summary = event.target.closest("details[id] > summary");
    if (summary) opened.set(summary.parentElement.id, !summary.parentElement.open);
  });
  const asOpened = () => opened.forEach((open, id) => {
    const found = document.getElementById(id);
    if (found) found.open = open;
  });
  // And what has the keyboard keeps it: an element with its id, its details' summary, its link, or a button that says and
  // sends the same; where there is none, or more than one, nothing has it.
  const sent = (button) => [button.textContent, button.name, button.value, button.form.getAttribute("action"),
    new URLSearchParams(new FormData(button.form))].join("\n");
  const likes = (had) => {
    if (had.id) return all("#" + CSS.escape(had.id));
    if (had.matches("details[id] > summary")) return all(`#${CSS.escape(had.parentElement.id)} > summary`);
    if (had.matches("a[href]")) return all(`a[href="${CSS.escape(had.getAttribute("href"))}"]`);
    return had.matches("form[action] button") ? all("form[action] button").filter((other) => sent(other) === sent(had)) : [];
  };
  const anew = (does) => {
    const had = document.activeElement;
    const only = had && likes(had).length === 1;
    does();
    asOpened();
    const found = only && !had.isConnected ? likes(had) : [];
    if (found.length === 1) found[0].focus({ preventScroll: true });
  };

  // The stream. It is ours, not the browser's, to open again, so that the page can say when, and stops while hidden.
  const RETRY_MS = 3000, SILENT_MS = 12000, HIDDEN_MS = 60000;
  const listeners = new Map();
  let source = null, last = "", heard = 0, retryAt = 0, hiddenTimer = 0, missed = false;
  mmsc.on = (name, does) => {
    listeners.set(name, [...(listeners.get(name) || []), does]);
    if (source) source.addEventListener(name, take);
  };
  const age = () => {
    const seconds = Math.round((Date.now() - heard) / 1000);
    return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  };
  const show = (is, words) => {
    const dot = one("#live");
    if (dot.dataset.is !== is || dot.textContent !== words) { dot.dataset.is = is; dot.textContent = words; }
  };
  const look = () => {
    if (mmsc.held) return show("held", missed ? `held, ${age()} old` : "held");
    if (source && source.readyState === 1 && Date.now() - heard < SILENT_MS) return show(missed ? "held" : "live", missed ? "not whole: reload" : "live");
    if (retryAt) return show("lost", `connection lost, retrying in ${Math.max(0, Math.ceil((retryAt - Date.now()) / 1000))} s · ${age()} old`);
    if (!source && heard) show("held", `asleep, ${age()} old`);
  };
  const take = (event) => {
    if (event.currentTarget !== source) return;
    heard = Date.now();
    if (event.lastEventId) last = event.lastEventId;
    const doers = listeners.get(event.type) || [];
    if (event.type === "behind") {
      if (!doers.some((does) => does(event.data) !== false)) { isBusy() ? missed = true : mmsc.refresh(); }
      return look();
    }
    if (mmsc.held && event.type !== "strip" && event.type !== "beat") { missed = true; return look(); }
    const stop = doers.map((does) => does(event.data)).includes(false);
    if (!stop) all(`[data-swap="${CSS.escape(event.type)}"]`).forEach((target) => {
      anew(() => htmx.swap(target, event.data, { swapStyle: target.dataset.how || "innerHTML" }));
    });
    look();
  };
  const isBusy = () => mmsc.held || (document.activeElement && one("#main").contains(document.activeElement) && isTyped(document.activeElement));
  const close = () => { if (source) source.close(); source = null; };
  const open = () => {
    const place = document.body.dataset.live;
    if (source || !place) return;
    clearTimeout(retryAt && open.timer);
    retryAt = 0;
    source = new EventSource(last ? `${place}${place.includes("?") ? "&" : "?"}after=${encodeURIComponent(last)}` : place);
    source.onopen = () => { heard = Date.now(); look(); };
    source.onerror = () => {
      close();
      retryAt = Date.now() + RETRY_MS;
      open.timer = setTimeout(() => { retryAt = 0; if (!document.hidden) open(); }, RETRY_MS);
      look();
    };
    new Set(["strip", "beat", "behind", ...listeners.keys(), ...all("[data-swap]").map((found) => found.dataset.swap)])
      .forEach((name) => source.addEventListener(name, take));
  };
  mmsc.follow = (place) => { document.body.dataset.live = place; close(); open(); };
  mmsc.hold = (hold) => {
    mmsc.held = hold;
    all("[data-does=hold]").forEach((button) => button.setAttribute("aria-pressed", String(hold)));
    document.dispatchEvent(new CustomEvent("mmsc:held", { detail: hold }));
    if (!hold && missed) mmsc.refresh();
    look();
  };
  // The page anew, from where it is: its main part and the strip.
  mmsc.refresh = async () => {
    const answer = await fetch(location.href, { headers: { "X-Refresh": "1" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    missed = false;
    heard = Date.now();
    anew(() => {
      ["#main", "#strip"].forEach((wanted) => { one(wanted).replaceWith(document.adoptNode(one(wanted, fresh))); });
      htmx.process(one("#main"));
    });
    document.dispatchEvent(new CustomEvent("mmsc:refreshed"));
    look();
  };
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiddenTimer);
    if (document.hidden) hiddenTimer = setTimeout(close, HIDDEN_MS);
    else open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });

  // When the page stands.
  document.addEventListener("DOMContentLoaded", () => {
    const theme = (chosen) => all("[data-theme][aria-pressed]").forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.theme === chosen)));
    theme(remembered("theme"));
    all("button[data-theme]").forEach((button) => button.addEventListener("click", () => {
      remember("theme", button.dataset.theme);
      document.documentElement.dataset.theme = button.dataset.theme;
      theme(button.dataset.theme);
      document.dispatchEvent(new CustomEvent("mmsc:theme"));
    }));
    const tab = one(".tabs [aria-current]");
    if (tab) tab.scrollIntoView({ block: "nearest", inline: "center" });
    one("#single-keys").checked = singles();
    one("#single-keys").addEventListener("change", (event) => remember("keys", event.target.checked ? "" : "off"));
    one("#live").addEventListener("click", () => {
      if (missed && !mmsc.held) mmsc.refresh(); else if (source) mmsc.hold(!mmsc.held); else open();
    });
    heard = Date.now();
    open();
    setInterval(look, 1000);
  });
})();
