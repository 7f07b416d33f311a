// Runs before the first paint: the reader's choice, else the system's.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  let choice = "system";
  try { choice = localStorage.getItem("troupe-theme") ?? "system"; } catch { /* storage is off */ }

  function apply() {
    const dark = choice === "dark" || (choice !== "light" && system.matches);
    root.dataset.theme = dark ? "dark" : "light";
    root.dataset.choice = choice;
  }
  globalThis.troupeTheme = {
    next() {
      choice = { system: "light", light: "dark", dark: "system" }[choice] ?? "system";
      try { localStorage.setItem("troupe-theme", choice); } catch { /* storage is off */ }
      apply();
      return choice;
    },
    get choice() { return choice; },
  };
  system.addEventListener("change", apply);
  apply();
})();
