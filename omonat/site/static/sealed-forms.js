// Forms of the company's own site, sealed before they are sent: the site's server passes on what it can't read (S1).
//
//   <form method="post" action="/newsletter" data-omonat-seal="newsletter" data-omonat-client="omk_…">
//     <input data-omonat-item="contact.email"> <input type="checkbox" data-omonat-consent="marketing-email">
//
// Fields marked so are left out of what is posted; in their place goes `omonat-sealed`, to be handed on to
// POST /v1/sealed-forms as it is. Where a browser can't seal, the form is posted as it stands, over TLS alone; with
// data-omonat-seal-only it isn't posted at all, and the event `omonat:unsealed` says so.
"use strict";

(() => {
  const marked = "[data-omonat-item], [data-omonat-consent], [data-omonat-accepted], [data-omonat-case]";
  const read = { number: (text) => Math.round(Number(text)), money: (text) => Math.round(Number(text) * 100), boolean: (text) => text === "yes" };

  function contentOf(form) {
    const content = { items: {}, consents: {}, accepted: false, case: null, language: document.documentElement.lang.slice(0, 2) };
    if (!["uz", "ru", "en"].includes(content.language)) content.language = "uz";
    for (const field of form.querySelectorAll(marked)) {
      const { omonatItem, omonatConsent, omonatAccepted, omonatCase, omonatRead } = field.dataset;
      if (omonatConsent !== undefined) content.consents[omonatConsent] = field.checked;
      else if (omonatAccepted !== undefined) content.accepted = field.type === "hidden" || field.checked;
      else if (omonatCase !== undefined) content.case = field.value;
      else if (field.type === "checkbox") {
        if (field.checked) (content.items[omonatItem] ??= []).push(field.value);
      }
      else if (field.value.trim()) content.items[omonatItem] = (read[omonatRead] ?? String)(field.value.trim());
    }
    return content;
  }

  // The key, and the token that says which version was in force when the page was shown; asked for once it is.
  const given = new WeakMap();
  async function ask(form) {
    const answer = await fetch(`/site/forms/${encodeURIComponent(form.dataset.omonatSeal)}`, { credentials: "omit" });
    if (!answer.ok) throw new Error("no form");
    given.set(form, await answer.json());
  }

  async function sealed(form) {
    if (!given.has(form)) await ask(form);
    return JSON.stringify(await sealing.form({ id: form.dataset.omonatClient }, given.get(form), contentOf(form)));
  }

  async function send(form) {
    try {
      const carried = form.querySelector("input[name='omonat-sealed']") ?? document.createElement("input");
      carried.type = "hidden";
      carried.name = "omonat-sealed";
      carried.value = await sealed(form);
      form.append(carried);
      for (const field of form.querySelectorAll(marked)) field.disabled = true;
    } catch {
      form.dispatchEvent(new CustomEvent("omonat:unsealed", { bubbles: true }));
      if (form.dataset.omonatSealOnly !== undefined) return;
    }
    form.submit();
  }

  for (const form of document.querySelectorAll("form[data-omonat-seal]")) ask(form).catch(() => {});

  // Whoever comes back finds the form empty, and able to be filled in.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-omonat-seal]")) {
      for (const field of form.querySelectorAll(marked)) field.disabled = false;
      form.reset();
    }
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-omonat-seal]") || event.defaultPrevented) return;
    event.preventDefault();
    send(event.target);
  });
})();
