// Keeps the offline desk at hand: its page in each language and the files it is made of. It keeps nothing else, and
// sends nothing anywhere. FILES and PAGES stand before this text, put there by the server.
"use strict";

const PLACE = "/desk/offline";
const fresh = (address) => new Request(address, { credentials: "omit", cache: "reload" });

self.addEventListener("install", (event) => {
  const all = [...FILES, ...PAGES].map(fresh);
  event.waitUntil(caches.open(NAME).then((kept) => kept.addAll(all)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (name) => name.startsWith("omonat-offline-") && name !== NAME;
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

// The newest page while there is a network, so that a new version of the policy and a new key arrive; else the kept one.
async function page(address) {
  const kept = await caches.open(NAME);
  const lang = address.searchParams.get("lang");
  try {
    const answer = await fetch(fresh(address.href), { signal: AbortSignal.timeout(5000) });
    if (answer.ok) await kept.put(lang ? `${PLACE}?lang=${lang}` : PLACE, answer.clone());
    return answer;
  } catch {
    return (await kept.match(lang ? `${PLACE}?lang=${lang}` : PLACE)) ?? (await kept.match(PAGES[0])) ?? Response.error();
  }
}

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== self.location.origin) return;
  if (address.pathname === PLACE) event.respondWith(page(address));
  else if (FILES.includes(address.pathname)) event.respondWith(caches.match(event.request).then((kept) => kept ?? fetch(event.request)));
});
