// Faults & clock: the seconds run between two words of the server, and a fault's parameters open in its row.
"use strict";
(() => {
  const two = (number) => String(number).padStart(2, "0");
  const shown = (micros) => {
    const date = new Date(micros / 1000);
    return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  };
  let told = null, toldAt = 0;
  const tick = () => {
    const now = document.querySelector("#fa-now"), real = document.querySelector("#fa-real");
    if (!now || !real) return;
    if (told !== now) { told = now; toldAt = performance.now(); }
    if (mmsc.held || document.querySelector("#live").dataset.is === "lost") return;
    const passed = (performance.now() - toldAt) * 1000;
    const service = Number(now.dataset.now) + ("paused" in now.dataset ? 0 : passed * Number(now.dataset.speed));
    const words = shown(service), wall = shown(Number(now.dataset.real) + passed);
    if (now.textContent !== words) now.textContent = words;
    if (real.textContent !== wall) real.textContent = wall;
  };
  setInterval(tick, 200);
  mmsc.on("rows", (html) => {
    const pieces = new DOMParser().parseFromString(html, "text/html");
    pieces.querySelectorAll("[id]").forEach((piece) => {
      const old = piece.id.startsWith("h-") && document.getElementById(piece.id);
      if (!old || old.contains(document.activeElement)) return;
      piece.removeAttribute("hx-swap-oob");
      old.replaceWith(document.adoptNode(piece));
    });
    return false;
  });
  document.addEventListener("click", async (event) => {
    const link = event.target.closest(".fa-open");
    if (link && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const row = link.closest("li"), open = row.querySelector(".fa-set");
      if (open) { open.remove(); return; }
      const answer = await fetch(`/faults/form/${row.id.slice(2)}`);
      if (!answer.ok) { location.href = link.href; return; }
      row.insertAdjacentHTML("beforeend", await answer.text());
      row.querySelector(".fa-set input, .fa-set select, .fa-set button").focus();
    }
    const close = event.target.closest("[data-close]");
    if (close) {
      event.preventDefault();
      const row = close.closest("li");
      close.closest(".fa-set").remove();
      row.querySelector(".fa-open").focus();
    }
  });
})();
