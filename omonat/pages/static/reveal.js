// Revealed values close again: after data-closes seconds the mask comes back. Fifteen seconds before, a warning says
// which key keeps them open (E). Without script the page shows the value until it is left.
const WARN = 15;
for (const value of document.querySelectorAll("[data-closes]")) {
  const { closes, mask, spoken, warning, closed } = value.dataset;
  const word = document.createElement("span");
  word.className = "closing";
  word.setAttribute("role", "status");
  value.after(word);
  let left = Number(closes);
  const tick = setInterval(() => {
    left -= 1;
    if (left === WARN) word.textContent = warning;
    if (left > 0) return;
    clearInterval(tick);
    document.removeEventListener("keydown", extend);
    value.className = "dots";
    const shown = document.createElement("span");
    shown.setAttribute("aria-hidden", "true");
    shown.textContent = mask;
    const said = document.createElement("span");
    said.className = "spoken";
    said.textContent = spoken;
    value.replaceChildren(shown, said);
    word.textContent = closed;
  }, 1000);
  const extend = (event) => {
    const typing = event.target.closest("input, select, textarea");
    if (event.key.toLowerCase() !== "e" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
    left = Number(closes);
    word.textContent = "";
  };
  document.addEventListener("keydown", extend);
}
