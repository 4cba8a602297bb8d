// Before anything is painted: the theme that was chosen here.
try {
  const chosen = localStorage.getItem("mmsc.theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch { /* storage may be off: the system's choice */ }
