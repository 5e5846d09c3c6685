// The offline desk: fill in, seal, keep sealed, hand in. What was typed is forgotten as soon as it is sealed; what the
// device keeps are sealed forms, and a key to sign with that its browser gives nobody.
"use strict";

const desk = document.querySelector("#offline");
const at = (name) => desk.querySelector(`[data-part="${name}"]`);
const show = (name, shown = true) => { at(name).hidden = !shown; };
const FORMAT = "omonat-sealed-forms/1", MOST = 200, MOST_BYTES = 500_000, PAPER_BYTES = 140_000, SKEW = 5 * 60_000;
const language = document.documentElement.lang;

// What lies on the device: `device` (its id, services, signing key) and `forms`, sealed.
const store = (() => {
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const opening = indexedDB.open("omonat-offline", 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore("device");
    opening.result.createObjectStore("forms", { keyPath: "id" });
  };
  const opened = done(opening);
  const within = async (name, mode, act) => {
    const change = (await opened).transaction(name, mode, { durability: "strict" });
    const result = await done(act(change.objectStore(name)));
    if (mode === "readwrite") await new Promise((resolve, reject) => { change.oncomplete = resolve; change.onabort = () => reject(change.error); });
    return result;
  };
  return {
    device: () => within("device", "readonly", (all) => all.get("this")),
    setUp: (device) => within("device", "readwrite", (all) => all.put(device, "this")),
    forms: () => within("forms", "readonly", (all) => all.getAll()),
    keep: (form) => within("forms", "readwrite", (all) => all.put(form)),
    forget: (id) => within("forms", "readwrite", (all) => all.delete(id)),
  };
})();

const given = desk.dataset;
const issued = Date.parse(given.issued);
const isStale = () => Date.now() > issued + Number(given.days) * 86_400_000;
const isSlow = () => Date.now() < issued - SKEW;
let device = null;
let busy = false;

const say = (name, text = null) => {
  for (const each of desk.querySelectorAll("[data-says]")) each.hidden = each.dataset.says !== name;
  if (text !== null) desk.querySelector(`[data-says="${name}"] p`).textContent = text;
};

async function refresh() {
  const forms = await store.forms();
  at("waiting").textContent = forms.length;
  const oldest = forms.map((form) => form["made-at"]).sort()[0];
  at("oldest").textContent = oldest ? new Date(oldest).toLocaleString(language) : "–";
  for (const name of ["hand-in", "save", "print"]) at(name).disabled = forms.length === 0;
  at("forget").hidden = !forms.some((form) => form.saved);
  show("stale", isStale());
  show("slow", isSlow());
  show("choose", !isStale() && !isSlow());
  for (const section of desk.querySelectorAll("[data-service]")) section.hidden ||= isStale() || isSlow();
}

// Filling in -----------------------------------------------------------------------------------------------------

const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
const read = {
  number: (text) => Math.round(Number(text)),
  money: (text) => Math.round(Number(text) * 100),
  boolean: (text) => text === "yes",
  list: lines,
  "order-lines": (text) => lines(text).map((line) => {
    const [, count, item] = line.match(/^(\d+)\s*[x×*]?\s+(.+)$/i) ?? [null, "1", line];
    return { item, count: Number(count) };
  }),
};

function clear(form) {
  form.reset();
  for (const field of form.elements) if (field.dataset.item) { field.value = ""; field.setCustomValidity(""); }
  wait(form);
}

// What a consent alone allows is asked only once it is ticked.
function wait(form) {
  const ticked = new Set([...form.querySelectorAll("[data-consent]:checked")].map((tick) => tick.dataset.consent));
  for (const field of form.querySelectorAll("[data-after]")) {
    const open = field.dataset.after.split(" ").some((purpose) => ticked.has(purpose));
    field.disabled = !open;
    if (!open) field.value = "";
  }
}

function contentOf(form) {
  const items = {}, consents = {};
  for (const field of form.querySelectorAll("[data-item]")) {
    const typed = field.value.trim();
    if (!field.disabled && typed) items[field.dataset.item] = (read[field.dataset.read] ?? String)(typed);
  }
  for (const tick of form.querySelectorAll("[data-consent]")) consents[tick.dataset.consent] = tick.checked;
  const number = form.querySelector("[data-case]");
  const reference = number && (number.value.trim() || sealing.newId("d").replace("_", "-").slice(0, 14));
  return { items, consents, accepted: form.querySelector("[data-accepted]").checked,
    case: number ? `${number.dataset.case}:${reference}` : null, language };
}

async function seal(form) {
  const child = [...form.querySelectorAll("[data-band]")].some((field) => field.value.startsWith("under-"));
  if (child) {
    clear(form);
    say("child");
    return;
  }
  const sealed = await sealing.form(device, { installation: given.installation, key: Number(given.key), public: given.public,
    service: form.dataset.form, form: form.dataset.token }, contentOf(form));
  await store.keep({ ...sealed, saved: false });
  clear(form);
  say("sealed");
  await refresh();
  desk.querySelector("[data-says='sealed']").scrollIntoView({ block: "nearest" });
}

// Handing in -----------------------------------------------------------------------------------------------------

const batch = (forms) => JSON.stringify({ format: FORMAT, device: device.id, forms: forms.map(({ saved, ...form }) => form) });

function portions(forms, most = MOST_BYTES) {
  const found = [];
  let size = Infinity;
  for (const form of forms.sort((one, other) => one["made-at"].localeCompare(other["made-at"]))) {
    size += form.sealed.length + 1000;
    if (size > most || found.at(-1).length === MOST) { found.push([]); size = form.sealed.length + 1000; }
    found.at(-1).push(form);
  }
  return found;
}

async function told(answer, form) {
  if (answer.state === "later") return false;
  await store.forget(answer.id);
  if (answer.state !== "refused") return true;
  const line = document.createElement("li");
  const service = desk.querySelector(`[data-part="service"] option[value="${CSS.escape(form.service)}"]`)?.textContent ?? form.service;
  line.textContent = `${service}, ${new Date(form["made-at"]).toLocaleString(language)}: ${answer.says} ${answer.next}`;
  at("refusals").append(line);
  show("refused");
  return true;
}

async function handIn(quietly = false) {
  if (busy || device === null) return;
  busy = true;
  try {
    let settled = true;
    for (const forms of portions(await store.forms())) {
      const answer = await fetch(`/v1/offline/batches?lang=${language}`, { method: "POST", credentials: "omit",
        headers: { "content-type": "application/json" }, body: batch(forms) });
      const said = await answer.json();
      if (!answer.ok) { say("problem", `${said.detail} ${said.next}`); return; }
      for (const [n, each] of said.forms.entries()) settled = (await told(each, forms[n])) && settled;
      if (!settled) break;
    }
    say(settled ? "handed-in" : "later");
  } catch {
    if (!quietly) say("no-network");
  } finally {
    busy = false;
    await refresh();
  }
}

async function save() {
  const forms = await store.forms();
  for (let n = 0; n < forms.length; n += MOST) {
    const part = forms.slice(n, n + MOST);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([batch(part)], { type: "application/json" }));
    link.download = `${device.id}-${Date.now()}-${n}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    await mark(part.map((form) => form.id));
  }
  say("saved");
  await refresh();
}

// On paper, where there is neither a network nor a stick: the same as codes, at most some thirty sheets at a time. Whether
// a printer printed, no browser says: whoever holds the sheets does.
const printed = document.createElement("div");
printed.className = "sheets";
printed.setAttribute("aria-hidden", "true");
let onPaper = [];

async function putOnPaper() {
  const forms = await store.forms(), left = forms.filter((form) => !form.saved);
  const [part] = portions(left.length ? left : forms, PAPER_BYTES);
  printed.replaceChildren(...await paper.sheets(new TextEncoder().encode(batch(part)), at("sheet")));
  document.body.append(printed);
  onPaper = part.map((form) => form.id);
  say("printed");
  window.print();
}

async function allThere() {
  await mark(onPaper);
  printed.remove();
  say("on-paper");
  await refresh();
}

// Only what is still here: a form that was handed in meanwhile doesn't come back.
async function mark(ids) {
  if (busy) throw new Error("handing in");
  busy = true;
  try {
    for (const form of await store.forms()) if (ids.includes(form.id)) await store.keep({ ...form, saved: true });
  } finally {
    busy = false;
  }
}

async function forgetSaved() {
  printed.remove();
  for (const form of await store.forms()) if (form.saved) await store.forget(form.id);
  say("forgotten");
  await refresh();
}

// Setting up -----------------------------------------------------------------------------------------------------

async function setUp(form) {
  const field = form.elements.credential, credential = field.value.trim();
  field.value = "";
  try {
    const key = await sealing.newSigningKey();
    const answer = await fetch(`/v1/offline/device?lang=${language}`, { method: "PUT", credentials: "omit",
      headers: { "content-type": "application/json", authorization: `Bearer ${credential}` }, body: JSON.stringify({ key: key.public }) });
    const said = await answer.json();
    if (!answer.ok) { say("problem", `${said.detail} ${said.next}`); return; }
    await navigator.storage?.persist?.();
    await store.setUp({ id: said.device, source: said.source, services: said.services, signing: key.signing });
  } catch {
    say("no-network");
    return;
  }
  await begin();
}

async function begin() {
  device = (await store.device()) ?? null;
  show("set-up", device === null);
  show("ready", device !== null);
  if (device === null) return;
  at("device").textContent = device.id;
  for (const option of at("service").querySelectorAll("option[value]")) option.hidden = option.disabled = option.value !== "" && !device.services.includes(option.value);
  await refresh();
  if (navigator.onLine && (await store.forms()).length) await handIn(true);
}

function choose() {
  say("");
  for (const section of desk.querySelectorAll("[data-service]")) {
    section.hidden = section.dataset.service !== at("service").value;
    if (section.hidden) clear(section.querySelector("form"));
  }
}

const once = (act) => async (event) => {
  event.preventDefault();
  const button = event.submitter ?? event.currentTarget;
  button.disabled = true;
  try { await act(event.currentTarget ?? event.target); } catch { say("failed"); } finally { button.disabled = false; await refresh(); }
};

async function open() {
  if (!(await sealing.able())) { show("unable"); return; }
  at("service").addEventListener("change", choose);
  for (const form of desk.querySelectorAll("form[data-form]")) {
    wait(form);
    form.addEventListener("change", () => wait(form));
    form.addEventListener("submit", once(() => seal(form)));
  }
  const credential = at("set-up").querySelector("form");
  credential.addEventListener("submit", once(() => setUp(credential)));
  at("hand-in").addEventListener("click", once(() => handIn()));
  at("save").addEventListener("click", once(save));
  at("print").addEventListener("click", once(putOnPaper));
  at("all-there").addEventListener("click", once(allThere));
  at("forget").addEventListener("click", once(forgetSaved));
  addEventListener("online", () => handIn(true));
  addEventListener("pagehide", () => desk.querySelectorAll("form").forEach((form) => form.reset()));
  await begin();
  await navigator.serviceWorker?.register("/desk/offline/worker.js", { scope: "/desk/offline" });
}
open();
