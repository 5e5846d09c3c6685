// Paper batches, as docs/formats.md says: a sealed file as codes on numbered sheets. What is sealed may lie about.
"use strict";

const paper = (() => {
  const PART = 795, PER_SHEET = 6, LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", SVG = "http://www.w3.org/2000/svg";
  const four = (number) => String(number).padStart(4, "0");

  const base32 = (bytes) => {
    let text = "", held = 0, bits = 0;
    for (const byte of bytes) {
      held = (held << 8) | byte;
      for (bits += 8; bits >= 5; bits -= 5) text += LETTERS[(held >> (bits - 5)) & 31];
      held &= 255;
    }
    if (bits) text += LETTERS[(held << (5 - bits)) & 31];
    return text.padEnd(Math.ceil(text.length / 8) * 8, "=");
  };

  const codes = async (file) => {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", file)).slice(0, 16);
    const batch = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();
    const of = Math.ceil(file.length / PART);
    return Array.from({ length: of }, (_, n) =>
      `OMONAT/1/${batch}/${four(n + 1)}/${four(of)}/${base32(file.slice(n * PART, (n + 1) * PART))}`);
  };

  const drawing = (text) => {
    const code = qrcode(0, "M");
    code.addData(text, /^[0-9A-Z $%*+./:-]+$/.test(text) ? "Alphanumeric" : "Byte");
    code.make();
    const size = code.getModuleCount(), dark = [];
    for (let row = 0; row < size; row++) {
      for (let column = 0, from; column < size; column++) {
        if (!code.isDark(row, column)) continue;
        for (from = column; column < size && code.isDark(row, column);) column++;
        dark.push(`M${from + 4} ${row + 4}h${column - from}v1h${from - column}z`);
      }
    }
    const drawn = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
    drawn.setAttribute("viewBox", `0 0 ${size + 8} ${size + 8}`);
    drawn.setAttribute("shape-rendering", "crispEdges");
    path.setAttribute("d", dark.join(""));
    drawn.append(path);
    return drawn;
  };

  const breath = () => new Promise((resolve) => setTimeout(resolve));

  // `blank`: the template of a sheet, with its words. A code takes a tenth of a second: the page stays alive in between.
  const sheets = async (file, blank) => {
    const all = await codes(file), of = Math.ceil(all.length / PER_SHEET), made = [];
    for (let n = 0; n < of; n++) {
      const sheet = blank.content.firstElementChild.cloneNode(true), part = (name) => sheet.querySelector(`[data-part="${name}"]`);
      part("number").textContent = part("number").dataset.says.replace("{number}", n + 1).replace("{of}", of);
      part("batch").textContent = all[0].split("/")[2];
      for (const [place, code] of all.slice(n * PER_SHEET, (n + 1) * PER_SHEET).entries()) {
        const figure = document.createElement("figure"), caption = document.createElement("figcaption");
        caption.textContent = `${n * PER_SHEET + place + 1} / ${all.length}`;
        figure.append(drawing(code), caption);
        part("codes").append(figure);
        await breath();
      }
      made.push(sheet);
    }
    return made;
  };

  return { codes, sheets };
})();
