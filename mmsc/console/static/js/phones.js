// A phone's page: what it does changes at once, and files are measured before they are sent.
"use strict";
(() => {
  const tell = (form, words) => { const said = form.querySelector("[data-applied]"); if (said) said.textContent = words; };
  const apply = async (form) => {
    if (!form.reportValidity()) return;
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.ok) return tell(form, "Applied");
    tell(form, (await answer.text()).replace(/^\d+: /, ""));
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-live-form]");
    if (form) apply(form);
    const files = event.target.closest("[data-most]");
    if (files) measure(files);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-live-form]")) return;
    event.preventDefault();
    apply(event.target);
  });
  // Lists that change under the focus give it back.
  ["phones", "inbox", "lines"].forEach((name) => window.mmsc?.on(name, (html) => {
    const list = document.querySelector(`[data-swap=${name}]`);
    if (!list) return;
    const place = list.contains(document.activeElement) && document.activeElement.getAttribute("href");
    htmx.swap(list, html, { swapStyle: "innerHTML" });
    if (place) list.querySelector(`a[href="${CSS.escape(place)}"]`)?.focus({ preventScroll: true });
    return false;
  }));
  const ready = () => document.querySelectorAll("[data-live-form]").forEach((form) => form.classList.add("is-live"));
  document.addEventListener("DOMContentLoaded", ready);
  document.addEventListener("mmsc:refreshed", ready);
  const measure = (field) => {
    const octets = [...field.files].reduce((sum, file) => sum + file.size, 0);
    const { most, largest } = field.dataset;
    const said = `${octets.toLocaleString("en")} octets in ${field.files.length} ${field.files.length === 1 ? "file" : "files"}`;
    const remark = octets > most ? `: more than the ${Number(most).toLocaleString("en")} that can be sent from here`
      : octets > largest ? `: more than the ${Number(largest).toLocaleString("en")} that this server takes` : "";
    field.closest("label").querySelector("[data-files]").textContent = `${said}${remark}.`;
    field.setCustomValidity(octets > most ? "The files are too large" : "");
  };
})();
