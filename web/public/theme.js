// Before the first paint, so that nothing flashes: what was chosen, else what the system says.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("tallymark.theme");
  } catch (_) {}
  var dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-theme", dark ? "dark" : "light");
})();
