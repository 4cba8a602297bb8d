// A button with data-copy="NAME" copies the text of what has data-copied="NAME". Shown only where that can be done.
"use strict";
for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.querySelector(`[data-copied="${CSS.escape(button.dataset.copy)}"]`);
  if (!source || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const words = button.textContent;
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not copied";
    }
    setTimeout(() => { button.textContent = words; }, 2000);
  });
}
