// Sealing, as docs/formats.md says under "Sealed forms": HPKE (RFC 9180) base mode with X25519, HKDF-SHA256 and
// AES-256-GCM, and the signature of a device that has a key. Nothing here can open what it sealed: the private half is in the vault.
"use strict";

const sealing = (() => {
  const SUITE = [0x48, 0x50, 0x4b, 0x45, 0, 0x20, 0, 1, 0, 2]; // "HPKE", KEM, KDF, AEAD
  const KEM = [0x4b, 0x45, 0x4d, 0, 0x20];
  const LETTERS = "abcdefghijklmnopqrstuvwxyz234567", LAST = "aeimquy4";
  const BLOCK = 512; // contents are filled up with blanks, so that nobody sees how long a name is
  const utf8 = (text) => new TextEncoder().encode(text);
  const join = (...parts) => {
    const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
    return all;
  };
  const number = (value, length) => Uint8Array.from({ length }, (_, at) => Math.floor(value / 256 ** (length - 1 - at)) % 256);
  const frame = (...parts) => join(...parts.flatMap((part) => {
    const bytes = typeof part === "string" ? utf8(part) : typeof part === "number" ? number(part, 8) : part;
    return [number(bytes.length, 4), bytes];
  }));
  const toText = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));

  const hmac = async (key, data) => {
    const held = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", held, data));
  };
  const extract = (suite, label, secret, salt = new Uint8Array(32)) => hmac(salt, join(utf8("HPKE-v1"), suite, utf8(label), secret));
  const expand = async (suite, key, label, info, length) =>
    (await hmac(key, join(number(length, 2), utf8("HPKE-v1"), suite, utf8(label), info, [1]))).slice(0, length);

  const newPair = () => crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
  const seal = async (recipient, info, plain, pair) => {
    pair ??= await newPair();
    const theirs = await crypto.subtle.importKey("raw", recipient, { name: "X25519" }, true, []);
    const dh = new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: theirs }, pair.privateKey, 256));
    const enc = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
    const shared = await expand(KEM, await extract(KEM, "eae_prk", dh), "shared_secret", join(enc, recipient), 32);
    const none = new Uint8Array(0);
    const context = join([0], await extract(SUITE, "psk_id_hash", none), await extract(SUITE, "info_hash", info));
    const secret = await extract(SUITE, "secret", none, shared);
    const key = await expand(SUITE, secret, "key", context, 32);
    const iv = await expand(SUITE, secret, "base_nonce", context, 12);
    const held = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
    return join(enc, new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, held, plain)));
  };

  const newId = (prefix) => {
    const random = crypto.getRandomValues(new Uint8Array(26));
    const letters = Array.from(random.slice(1), (byte) => LETTERS[byte % 32]).join("");
    return `${prefix}_${letters}${LAST[random[0] % 8]}`;
  };
  const newSigningKey = async () => {
    const pair = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
    return { signing: pair.privateKey, public: toText(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey))) };
  };

  // `given`: what the page was given with the form (installation, key, public, service, form).
  const form = async (device, given, content) => {
    const made = { id: newId("sfm"), key: given.key, service: given.service, form: given.form, "made-at": new Date().toISOString() };
    const info = frame("omonat/sealed-form/v1", given.installation, made.key, made.id, device.id, made.service, made.form, made["made-at"]);
    const bytes = utf8(JSON.stringify(content));
    const plain = join(bytes, new Uint8Array((BLOCK - (bytes.length % BLOCK)) % BLOCK).fill(32));
    const sealed = await seal(toBytes(given.public), info, plain);
    bytes.fill(0);
    plain.fill(0);
    if (!device.signing) return { ...made, sealed: toText(sealed) };
    const part = frame("omonat/sealed-form-signature/v1", info, sealed);
    const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", device.signing, part));
    return { ...made, sealed: toText(sealed), signature: toText(signature) };
  };

  const able = async () => {
    try {
      await newPair();
      await newSigningKey();
      return "indexedDB" in window;
    } catch {
      return false;
    }
  };

  return { able, form, frame, newId, newSigningKey, seal, toBytes, toText };
})();
