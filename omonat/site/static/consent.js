/* The cookie dialog of a policy kept by Omonat (promises L7, T1). Apache-2.0.
   <script src="/site/consent.js" defer></script>
   <script type="text/plain" data-omonat="PURPOSE" src="/x.js"></script>   waits until PURPOSE is allowed
   <a href="/me/cookies" data-omonat-open>Cookies</a>                      opens the dialog */
(() => {
  "use strict";
  const me = document.currentScript;
  if (!me || new URL(me.src).origin !== location.origin) {
    console.error("consent.js works from the site's own origin alone; what waits for a yes stays blocked");
    return;
  }
  const SHEET = `
:host { all: initial; display: block; color-scheme: light dark; --paper: #fbf9f4; --ink: #1d2426; --quiet: #5a6468;
  --line: #ddd7c9; --edge: #847d6c; --glaze: #0f6a73 }
@media (prefers-color-scheme: dark) { :host { --paper: #14181a; --ink: #e8e6df; --quiet: #a7b0b2; --line: #2c3437;
  --edge: #6b777b; --glaze: #5cc0c7 } }
dialog { box-sizing: border-box; position: fixed; inset: auto 0 0 0; z-index: 2147483647; width: 100%; max-width: none;
  max-height: 85vh; margin: 0; padding: 1rem max(1rem, calc(50vw - 22rem)) 1.25rem; overflow: auto; border: 0;
  border-top: 2px solid var(--edge); background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: break-word }
dialog::backdrop { background: rgb(20 24 26 / .55) }
h2 { margin: 0 0 .25rem; font: 600 1.15rem/1.35 system-ui, sans-serif }
h2:focus { outline: 0 }
p, ul { margin: 0 0 .75rem }
ul { padding-left: 1.25rem }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem; margin: .75rem 0 }
button { min-height: 44px; padding: .5rem 1rem; border: 1px solid var(--edge); border-radius: 6px;
  background: var(--paper); color: var(--ink); font: 600 1rem/1.3 system-ui, sans-serif; cursor: pointer }
summary { min-height: 44px; display: flex; align-items: center; cursor: pointer; text-decoration: underline }
fieldset { margin: 0 0 .75rem; padding: .75rem 0 0; border: 0; border-top: 1px solid var(--line) }
legend { float: left; width: 100%; padding: 0; font-weight: 600 }
legend + * { clear: both }
label { display: flex; gap: .75rem; align-items: center; min-height: 44px; font-weight: 600 }
input { width: 1.5rem; height: 1.5rem; flex: none; margin: 0; accent-color: var(--glaze) }
small { color: var(--quiet); font-size: .9rem }
::slotted(a) { color: var(--glaze); display: inline-flex; align-items: center; min-height: 44px }
:is(button, summary, input):focus-visible, ::slotted(a:focus-visible) { outline: 3px solid var(--glaze); outline-offset: 2px }
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
@media (max-width: 40rem), (max-height: 30rem) { /* who has not answered yet still sees what they came for */
  dialog:not(:modal) { max-height: 50vh; padding: .5rem 1rem; font-size: .9rem; line-height: 1.35 }
  dialog:not(:modal) > h2 { position: absolute; clip-path: inset(50%) }
  dialog:not(:modal) > * { margin-block: .25rem }
  dialog:not(:modal) > details:not([open]) + slot { display: none }
  dialog:not(:modal) > .pair > * { padding: .25rem; font-size: .9rem }
}
@media (forced-colors: active) { button { border-color: ButtonText } }`;
  const lang = (document.documentElement.lang || navigator.language || "").slice(0, 2);
  const waiting = "script[type='text/plain'][data-omonat]";
  const reported = new Set(), ran = new Set(), queue = [];
  let register, allowed = new Set(), said, dialog, back, later;

  const el = (tag, more, ...inside) => {
    const made = Object.assign(document.createElement(tag), more);
    made.append(...inside);
    return made;
  };
  const post = (place, body) => fetch(place, { method: "POST", keepalive: true, headers: { "content-type":
    "application/json" }, body: JSON.stringify(body) }).catch(() => undefined);
  const matches = (names, name) => names.some((one) => one.endsWith("*") ? name.startsWith(one.slice(0, -1)) : one === name);
  const signal = () => navigator.globalPrivacyControl === true || register.signal;
  const crumbs = () => document.cookie.split("; ").map((each) => each.split("=")[0]).filter(Boolean);
  const keys = (store) => { try { return Object.keys(window[store]); } catch { return []; } };

  /* ── The choice: one cookie of this host, without a number of anybody's ─────────────────────────────────────────── */
  const read = () => {
    const found = document.cookie.split("; ").find((each) => each.startsWith(register.cookie + "="));
    const [mark, digest, at, ...purposes] = (found || "").slice(register.cookie.length + 1).split(".");
    const age = Date.now() / 1000 - Number(at);
    if (mark !== "1" || digest !== register.register || !/^\d+$/.test(at) || age > register.seconds || age < -300) return null;
    return new Set(purposes.filter((each) => register.purposes.some((one) => one.id === each)));
  };
  const write = (chosen, how) => {
    const value = ["1", register.register, Math.floor(Date.now() / 1000), ...chosen].join(".");
    document.cookie = `${register.cookie}=${value}; path=/; secure; samesite=lax; max-age=${register.seconds}`;
    post("/site/cookie-choice", { register: register.register, allowed: [...chosen], how });
    const before = allowed;
    allowed = chosen;
    sweep();
    if ([...before].some((each) => ran.has(each) && !chosen.has(each))) location.reload(); // what runs can't be unloaded
    else release();
    document.dispatchEvent(new CustomEvent("omonat:cookies", { detail: [...chosen] }));
  };

  /* ── What waits for a yes, and what goes with a no ───────────────────────────────────────────────────────────────── */
  const purposeOf = (name) => register.purposes.find((one) => one.id === name || one.cookies.some((each) => each.id === name));
  const mayLoad = (place, purpose) => {
    const url = new URL(place, location);
    return url.origin === location.origin || purpose.cookies.some((each) => matches(each.hosts, url.hostname));
  };
  const release = () => {
    for (const each of document.querySelectorAll(`${waiting}, [data-omonat][data-src]`)) {
      const purpose = purposeOf(each.dataset.omonat), place = each.getAttribute("src") || each.dataset.src;
      if (!purpose) note("tag", each.dataset.omonat);
      else if (place && !mayLoad(place, purpose)) note("request", new URL(place, location).hostname);
      else if (allowed.has(purpose.id)) run(each, purpose.id);
    }
  };
  const run = (each, purpose) => {
    ran.add(purpose);
    if (each.tagName !== "SCRIPT") {
      each.src = each.dataset.src;
      return each.removeAttribute("data-src");
    }
    const real = document.createElement("script");
    for (const { name, value } of each.attributes) if (!["type", "data-omonat"].includes(name)) real.setAttribute(name, value);
    if (each.dataset.type) real.type = each.dataset.type;
    real.nonce = each.nonce;
    real.dataset.omonatRan = purpose;
    real.textContent = each.textContent;
    each.replaceWith(real);
  };
  const sweep = () => {
    for (const purpose of register.purposes) {
      if (allowed.has(purpose.id)) continue;
      for (const each of purpose.cookies) {
        if (each.kind === "storage") {
          for (const store of ["localStorage", "sessionStorage"])
            for (const key of keys(store)) if (matches(each.names, key)) window[store].removeItem(key);
        } else for (const name of crumbs()) if (matches(each.names, name)) forget(name);
      }
    }
  };
  const forget = (name) => {
    const hosts = location.hostname.split("."), paths = location.pathname.split("/");
    const domains = ["", ...hosts.map((_, at) => `; domain=${hosts.slice(at).join(".")}`)];
    const places = paths.map((_, at) => paths.slice(0, at + 1).join("/") || "/");
    for (const domain of domains) for (const path of places) for (const secure of ["", "; secure"])
      document.cookie = `${name}=; max-age=0; path=${path}${domain}${secure}`;
  };

  /* ── What nobody registered: told by name or host alone ──────────────────────────────────────────────────────────── */
  const plain = (name) => name.replace(/(?=[0-9a-z]*[0-9])[0-9a-f]{6,}|[0-9]{3,}|(?=[a-z]*[0-9])[0-9a-z]{16,}/gi, "*").slice(0, 64);
  const note = (kind, name) => {
    const shown = kind === "request" ? name : plain(name);
    if (reported.has(`${kind} ${shown}`)) return;
    reported.add(`${kind} ${shown}`);
    queue.push({ kind, name: shown });
    clearTimeout(later);
    later = setTimeout(tell, 1000);
  };
  const tell = () => { while (queue.length) post("/site/report", { found: queue.splice(0, 20) }); };
  const judge = (kind, name, storage) => {
    const named = (each) => (kind === "request" ? matches(each.hosts, name) : (each.kind === "storage") === storage && matches(each.names, name));
    if (register.necessary.some(named)) return;
    const purpose = register.purposes.find((one) => one.cookies.some(named));
    if (!purpose) note(kind, name);
    else if (!allowed.has(purpose.id)) { note("early", name); sweep(); }
  };
  const look = () => {
    crumbs().forEach((name) => judge("cookie", name, false));
    ["localStorage", "sessionStorage"].forEach((store) => keys(store).forEach((key) => judge("storage", key, true)));
  };
  const away = (place) => {
    if (!/^(https?|wss?):/.test(place)) return;
    const { host, hostname } = new URL(place);
    if (host !== location.host) judge("request", hostname);
  };
  const watch = () => {
    setInterval(look, 3000);
    new PerformanceObserver((list) => list.getEntries().forEach((each) => away(each.name))).observe({ type: "resource", buffered: true });
    new MutationObserver(release).observe(document.documentElement, { childList: true, subtree: true });
    addEventListener("pagehide", tell);
  };
  const blocked = [];
  document.addEventListener("securitypolicyviolation", (each) => (register ? away(each.blockedURI) : blocked.push(each.blockedURI)));

  /* ── The dialog ──────────────────────────────────────────────────────────────────────────────────────────────────── */
  const list = (cookies) => el("ul", {}, ...cookies.map((each) =>
    el("li", {}, `${each.label} `, el("small", {}, `(${each.names.join(", ")} · ${each.owner} · ${each.lasts})`))));
  const box = (purpose) => {
    const input = el("input", { type: "checkbox", name: purpose.id, checked: allowed.has(purpose.id) });
    const tells = el("p", { id: `t-${purpose.id}` }, purpose.tells);
    input.setAttribute("aria-describedby", tells.id);
    return el("div", {}, el("label", {}, input, purpose.label), tells, list(purpose.cookies));
  };
  const button = (word, act) => el("button", { type: "button", onclick: act }, word);
  const decide = (chosen, how) => { shut(); write(new Set(chosen), how); said.textContent = register.words.kept; };
  const filled = (modal) => {
    const w = register.words, every = register.purposes.map((each) => each.id);
    const title = el("h2", { id: "title", tabIndex: -1 }, w.title);
    const inside = [title];
    if (signal() || !every.length) {
      inside.push(el("p", {}, signal() ? w.signal : w.lead), el("div", { className: "pair" }, button(w.understood, () => shut())));
    } else {
      const boxes = register.purposes.map(box);
      const picked = () => boxes.map((each) => each.querySelector("input")).filter((each) => each.checked).map((each) => each.name);
      const always = el("fieldset", {}, el("legend", {}, w.always), list(register.necessary));
      const one = el("details", { open: modal, ontoggle: () => modal || room(dialog.offsetHeight) }, el("summary", {}, w.each), ...boxes, always,
        el("div", { className: "pair" }, button(w.save, () => decide(picked(), "some"))));
      inside.push(el("p", {}, w.lead),
        el("div", { className: "pair" }, button(w.all, () => decide(every, "all")), button(w.none, () => decide([], "none"))), one);
      if (modal) inside.push(el("div", { className: "pair" }, button(w.close, () => shut())));
    }
    inside.push(el("slot", { name: "more" }));
    return inside;
  };
  const room = (space) => {
    document.documentElement.style.scrollPaddingBottom = document.body.style.paddingBottom = space ? `${space}px` : "";
  };
  const show = (modal) => {
    if (dialog.open) dialog.close();
    dialog.replaceChildren(...filled(modal));
    if (modal) {
      dialog.showModal();
      dialog.querySelector("h2").focus();
    } else {
      dialog.setAttribute("open", ""); // the page stays in use, and the focus where it is
      room(dialog.offsetHeight);
    }
  };
  const shut = () => { dialog.close(); room(0); if (back) back.focus(); back = null; };
  const build = () => {
    const host = el("div", { lang }), shadow = host.attachShadow({ mode: "open" }), sheet = new CSSStyleSheet();
    sheet.replaceSync(SHEET);
    shadow.adoptedStyleSheets = [sheet];
    dialog = el("dialog", { oncancel: () => room(0) });
    dialog.setAttribute("aria-labelledby", "title");
    said = el("p", { className: "said" });
    said.setAttribute("role", "status");
    shadow.append(dialog, said);
    host.append(el("a", { slot: "more", href: register.page }, register.words.more));
    const first = document.body.firstElementChild;
    if (first?.matches("a[href^='#']")) first.after(host); // a link that skips to the content stays the first
    else document.body.prepend(host);
    document.addEventListener("click", (event) => {
      const opener = event.target.closest?.("[data-omonat-open]");
      if (!opener) return;
      event.preventDefault();
      back = opener;
      show(true);
    });
    if (!document.querySelector("[data-omonat-open]")) {
      const link = el("a", { href: register.page }, register.words.link);
      link.dataset.omonatOpen = "";
      document.body.append(el("p", {}, link));
    }
  };

  const start = (known) => {
    register = known;
    const before = read();
    build();
    if (signal()) {
      allowed = new Set();
      if (register.purposes.length && (!before || before.size)) { write(allowed, "signal"); show(false); }
    } else if (before) allowed = before;
    else if (register.purposes.length) show(false);
    look(); // what is there without a yes is told before it goes
    sweep();
    release();
    blocked.forEach(away);
    watch();
  };
  const ready = () => fetch(`/site/cookies.json?lang=${encodeURIComponent(lang)}`, { credentials: "omit" })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
    .then(start)
    .catch(() => console.warn("consent.js: the register of cookies can't be read; what waits for a yes stays blocked"));
  window.omonatCookies = { allows: (purpose) => allowed.has(purpose), open: () => register && show(true) };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", ready);
  else ready();
})();
