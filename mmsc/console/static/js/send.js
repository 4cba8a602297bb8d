// The request follows the form: half a second after the last letter it is asked for anew, as it would go out now.
"use strict";
(() => {
  const form = document.querySelector("#send"), request = document.querySelector("#send-request");
  const button = document.querySelector("#send-now");
  let waiting = 0, number = 0;
  const follow = async () => {
    const mine = ++number, tab = request.querySelector("[role=tab][aria-selected=true]")?.id;
    const answer = await fetch(form.dataset.shown, { method: "POST", body: new FormData(form) });
    if (!answer.ok || mine !== number) return;
    request.innerHTML = await answer.text();
    if (tab) document.getElementById(tab)?.click();
    button.textContent = request.querySelector(".send-found") ? "Send anyway" : "Send";
  };
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(follow, 500); });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    button.click();
  });
})();
