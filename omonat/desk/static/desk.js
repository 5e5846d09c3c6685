// Keys for people who do this all day. Every one of them presses something the page shows anyway.
const places = { c: "/desk", f: "/desk/find", "?": "/desk/keys" };
for (const [key, place] of Object.entries(places)) {
  const link = document.querySelector(`a[href="${place}"]:not(.brand)`);
  if (!link) continue;
  link.title = key.toUpperCase();
  link.setAttribute("aria-keyshortcuts", key);
}
// A letter is the key it stands on where the layout is not Latin.
const letter = (event) => (/^Key[A-Z]$/.test(event.code) && !/^[a-z]$/i.test(event.key) ? event.code[3] : event.key).toLowerCase();
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.closest("input, select, textarea")) return;
  const key = letter(event);
  const marked = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (marked) marked.click();
  else if (places[key]) location.assign(places[key]);
});
