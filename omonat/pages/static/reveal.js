// Revealed values close again: after data-closes seconds the masks come back. Fifteen seconds before, a warning offers
// to keep them open, by the key E or a press. Without script the page shows the values until it is left.
const WARN = 15;
const values = [...document.querySelectorAll("[data-closes]")];
if (values.length) {
  const { closes, warning, keep, closed } = values[0].dataset;
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "small plain";
  button.textContent = keep;
  button.hidden = true;
  const bar = document.createElement("p");
  bar.className = "closing";
  bar.append(said, button);
  const last = values.at(-1);
  (last.closest("dl") ?? last.closest("p") ?? last).after(bar);
  let until = 0;
  const extend = () => {
    until = Date.now() + Number(closes) * 1000;
    said.textContent = "";
    button.hidden = true;
  };
  const close = () => {
    clearInterval(tick);
    document.removeEventListener("keydown", key);
    document.removeEventListener("visibilitychange", look);
    button.remove();
    for (const value of values) {
      const shown = document.createElement("span");
      shown.setAttribute("aria-hidden", "true");
      shown.textContent = value.dataset.mask;
      const spoken = document.createElement("span");
      spoken.className = "spoken";
      spoken.textContent = value.dataset.spoken;
      value.className = "dots";
      value.replaceChildren(shown, spoken);
    }
    said.textContent = closed;
  };
  const look = () => {
    const left = until - Date.now();
    if (left <= 0) close();
    else if (left <= WARN * 1000 && button.hidden) {
      said.textContent = warning;
      button.hidden = false;
    }
  };
  const key = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    // On a Cyrillic layout the letter is another, the key is the same.
    if (event.key.toLowerCase() === "e" || (event.code === "KeyE" && !/^[a-z]$/i.test(event.key))) extend();
  };
  const tick = setInterval(look, 1000);
  button.addEventListener("click", extend);
  document.addEventListener("keydown", key);
  document.addEventListener("visibilitychange", look);
  extend();
}
