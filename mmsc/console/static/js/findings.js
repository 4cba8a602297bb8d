// j and k walk the rows, Enter opens.
"use strict";
(() => {
  const rows = () => mmsc.all(".findings tbody tr");
  const step = (by) => () => {
    const found = rows();
    const at = found.findIndex((row) => row.contains(document.activeElement));
    const next = found[at < 0 ? (by > 0 ? 0 : found.length - 1) : Math.min(found.length - 1, Math.max(0, at + by))];
    if (next) mmsc.one("a", next).focus();
  };
  mmsc.key("j", step(1));
  mmsc.key("k", step(-1));
})();
