// ---- words that explain: on hovering, on focus by keyboard, on a tap; Escape closes them
window.tips = (() => {
  const box = Object.assign(document.createElement("div"), { id: "tip", hidden: true });
  box.setAttribute("role", "tooltip");
  document.body.append(box);
  let owner = null;
  function show(text, x, y) {
    box.textContent = text;
    box.hidden = false;
    const { width, height } = box.getBoundingClientRect();
    box.style.left = `${Math.max(6, Math.min(x - width / 2, innerWidth - width - 6))}px`;
    box.style.top = `${y - height - 12 > 6 ? y - height - 12 : y + 18}px`;
  }
  function hide() {
    box.hidden = true;
    owner?.removeAttribute("aria-describedby");
    owner = null;
  }
  function of(element) {
    if (owner !== element) hide();
    const place = element.getBoundingClientRect();
    show(element.dataset.tip, place.left + place.width / 2, place.top);
    owner = element;
    if (element.matches("button, a, .term")) element.setAttribute("aria-describedby", "tip");
  }
  const told = (event) => event.target.closest?.("[data-tip]");
  addEventListener("pointerover", (event) => { const element = told(event); if (element) of(element); else if (owner && !event.target.closest(".map")) hide(); });
  addEventListener("focusin", (event) => { const element = told(event); if (element) of(element); });
  addEventListener("focusout", hide);
  addEventListener("click", (event) => { const element = told(event); if (element) of(element); else if (!event.target.closest(".map")) hide(); });
  addEventListener("keydown", (event) => event.key === "Escape" && hide());
  // focus by keyboard scrolls its element into sight: the words go with it
  addEventListener("scroll", () => (owner ? of(owner) : hide()), { capture: true, passive: true });
  return { show, hide };
})();

// ---- a figure with dots is one stop of the Tab key; arrows walk from dot to dot
document.querySelectorAll("svg.dots").forEach((figure) => {
  const dots = [...figure.querySelectorAll("[data-tip]")];
  dots.forEach((dot, place) => {
    dot.setAttribute("tabindex", place ? "-1" : "0");
    dot.addEventListener("keydown", (event) => {
      const to = { ArrowRight: place + 1, ArrowDown: place + 1, ArrowLeft: place - 1, ArrowUp: place - 1, Home: 0, End: dots.length - 1 }[event.key];
      if (to === undefined || !dots[to]) return;
      event.preventDefault();
      dot.setAttribute("tabindex", "-1");
      dots[to].setAttribute("tabindex", "0");
      dots[to].focus();
    });
  });
});

// ---- sections off the screen are laid out one by one once the page has loaded, all at once before a link leads among them
const layOut = (() => {
  const waiting = [...document.querySelectorAll("main > section:not(.verdict)")];
  const idle = window.requestIdleCallback || ((act) => setTimeout(act, 50));
  const next = () => { waiting.shift()?.classList.add("laid"); if (waiting.length) idle(next); };
  addEventListener("load", () => idle(next));
  return () => waiting.splice(0).forEach((section) => section.classList.add("laid"));
})();

// ---- what is shown is in the address, behind the anchor: #cells?colour=score&view=integrated
window.place = (() => {
  const [anchor, query] = location.hash.slice(1).split("?");
  const facts = new URLSearchParams(query || "");
  let at = anchor;
  function write() {
    const text = facts.toString();
    history.replaceState(null, "", at || text ? `#${at}${text ? `?${text}` : ""}` : location.pathname + location.search);
  }
  addEventListener("hashchange", () => {
    at = location.hash.slice(1).split("?")[0];
    reveal(at);
    if (facts.toString()) write();
  });
  function reveal(id, how) {
    const target = id && document.getElementById(id);
    if (!target) return;
    layOut();
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView(how);
  }
  document.addEventListener("click", (event) => { // a fold is opened even where its anchor stands in the address already
    const link = event.target.closest?.('a[href^="#"]');
    if (link) setTimeout(() => reveal(link.getAttribute("href").slice(1)));
  });
  if (anchor) addEventListener("load", () => reveal(anchor, { behavior: "instant" })); // all scripts have shown what they show
  return {
    get: (name) => facts.get(name),
    set: (name, value) => { if (value) facts.set(name, value); else facts.delete(name); write(); },
  };
})();

// ---- files: made in the page, so that it can be sent alone
window.files = (() => {
  const bytes = (text) => new TextEncoder().encode(text);
  function save(content, name) {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([content])), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
  // what a cell sorts by: its text, unless that is rounded or stands for nothing
  const value = (cell) => cell.dataset.sort ?? cell.textContent;
  function tsv(table) { // the rows that are shown, with all digits
    const heads = [...table.tHead.rows[0].cells];
    const numeric = heads.map((head) => head.classList.contains("num"));
    const lines = [heads.map((head) => head.dataset.key)];
    for (const row of table.tBodies[0].rows) if (!row.hidden) lines.push([...row.cells].map((cell, i) => (numeric[i] || cell.dataset.sort === "" ? value(cell) : cell.textContent)));
    return lines.map((line) => line.map((word) => word.replace(/[\t\n]/g, " ")).join("\t")).join("\n") + "\n";
  }
  async function inflated(text) {
    const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Uint8Array(await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
  }
  async function png(svg) { // 300 dots an inch, as the file beside the page
    const text = new TextDecoder().decode(svg);
    const image = new Image();
    await new Promise((done, failed) => { image.onload = done; image.onerror = failed; image.src = `data:image/svg+xml;base64,${btoa(unescape(encodeURIComponent(text)))}`; });
    const points = text.match(/viewBox="0 0 ([\d.]+) ([\d.]+)"/).slice(1).map(Number);
    const canvas = Object.assign(document.createElement("canvas"), { width: Math.round((points[0] * 300) / 72), height: Math.round((points[1] * 300) / 72) });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Uint8Array(await (await new Promise((done) => canvas.toBlob(done, "image/png"))).arrayBuffer());
  }
  let unpacked = null; // once, when the first file is asked for
  async function held() {
    const data = JSON.parse(document.getElementById("held").textContent), all = await inflated(data.pieces);
    let at = 0;
    const pieces = data.sizes.map((size) => all.subarray(at, (at += size)));
    return { figures: data.figures, pieces };
  }
  async function of(figure, kinds = ["svg", "pdf", "png", "tsv"]) { // name of a file to its content, of a figure whose files the page holds
    const found = {}, name = figure.dataset.held;
    if (!name) return found;
    const { figures, pieces } = await (unpacked ||= held());
    for (const [file, places] of Object.entries(figures[name])) {
      const own = file.split(".").pop(), image = own === "svg" && kinds.includes("png");
      if (!kinds.includes(own) && !image) continue;
      const content = new Uint8Array(await new Blob(places.map((place) => pieces[place])).arrayBuffer());
      if (kinds.includes(own)) found[file] = content;
      if (image) found[file.replace(/svg$/, "png")] = await png(content);
    }
    const table = figure.querySelector("table.sortable");
    if (table && kinds.includes("tsv")) found[`${name}.tsv`] ||= bytes(tsv(table)); // a table that is cut has a file
    return found;
  }
  const CRC = Uint32Array.from({ length: 256 }, (_, n) => { for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1; return n; });
  const crc = (data) => { let c = ~0; for (const byte of data) c = CRC[(c ^ byte) & 255] ^ (c >>> 8); return ~c >>> 0; };
  function zip(entries) { // stored, not compressed: PNG and PDF are already
    const parts = [], index = [];
    let at = 0;
    for (const [name, data] of Object.entries(entries)) {
      const label = bytes(name), head = new DataView(new ArrayBuffer(30)), row = new DataView(new ArrayBuffer(46));
      const facts = [[20, 2], [0x0800, 2], [0, 2], [0, 2], [0x21, 2], [crc(data), 4], [data.length, 4], [data.length, 4], [label.length, 2], [0, 2]];
      const put = (view, start, pairs) => pairs.reduce((o, [value, size]) => { if (size === 2) view.setUint16(o, value, true); else view.setUint32(o, value, true); return o + size; }, start);
      put(head, 0, [[0x04034b50, 4], ...facts]);
      put(row, 0, [[0x02014b50, 4], [20, 2], ...facts, [0, 2], [0, 2], [0, 2], [0, 4], [at, 4]]);
      parts.push(new Uint8Array(head.buffer), label, data);
      index.push(new Uint8Array(row.buffer), label);
      at += 30 + label.length + data.length;
    }
    const size = index.reduce((sum, part) => sum + part.length, 0), end = new DataView(new ArrayBuffer(22)), n = Object.keys(entries).length;
    end.setUint32(0, 0x06054b50, true); end.setUint16(8, n, true); end.setUint16(10, n, true); end.setUint32(12, size, true); end.setUint32(16, at, true);
    return new Blob([...parts, ...index, end]);
  }
  return { save, tsv, value, of, zip, bytes, inflated };
})();
document.querySelectorAll(".downloads a").forEach((link) => link.addEventListener("click", async (event) => {
  const figure = link.closest("figure"), kind = link.dataset.kind;
  if (!figure.dataset.held) return; // the file lies beside the page
  event.preventDefault();
  const found = Object.entries(await files.of(figure, [kind]));
  const [name, content] = found[Number(link.dataset.place)] || found[0];
  files.save(content, name);
}));
(() => {
  const box = document.querySelector(".buttons");
  if (!box) return;
  box.hidden = false;
  const paste = JSON.parse(document.getElementById("to-paste").textContent), set = document.querySelector("h1").textContent.replace(/[^A-Za-z0-9]+/g, "-").toLowerCase();
  box.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.paste) files.save(paste[button.dataset.paste], button.dataset.paste);
    if (button?.dataset.figure) document.querySelector(`#figure-${CSS.escape(button.dataset.figure)} .downloads a[data-kind="svg"]`).click();
    if (button?.id !== "zip") return;
    const entries = Object.fromEntries(Object.entries(paste).map(([name, text]) => [name, files.bytes(text)]));
    for (const figure of document.querySelectorAll("figure")) for (const [name, data] of Object.entries(await files.of(figure))) entries[`figures/${name}`] = data;
    for (const table of document.querySelectorAll("table.sortable")) if (!table.closest("figure")) entries[`tables/${table.dataset.name || "table"}.tsv`] = files.bytes(files.tsv(table));
    files.save(files.zip(entries), `${set}.zip`);
  });
})();

// ---- the contents mark the part that is read
(() => {
  const links = new Map([...document.querySelectorAll("nav.toc a")].map((link) => [link.getAttribute("href").slice(1), link]));
  const marks = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  function mark() {
    const now = marks.filter((part) => part.getBoundingClientRect().top < innerHeight * 0.35).pop() || marks[0];
    links.forEach((link, id) => { if (now && id === now.id) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current"); });
  }
  let waiting = false;
  addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; mark(); }); } }, { passive: true });
  mark();
  const all = document.querySelector(".open-all");
  if (!all) return;
  all.hidden = false;
  all.addEventListener("click", () => {
    const folds = [...document.querySelectorAll("details.audit")], open = folds.some((fold) => !fold.open);
    folds.forEach((fold) => (fold.open = open));
    all.textContent = open ? "Close all" : "Open all";
  });
})();

// ---- tables: sorted by a heading (numbers by value, text by alphabet, missing values last), filtered, saved
document.querySelectorAll("table.sortable").forEach((table) => {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    const numeric = head.classList.contains("num");
    const key = (row) => files.value(row.cells[head.cellIndex]);
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      const order = numeric ? Number(x) - Number(y) : x.localeCompare(y, undefined, { numeric: true, sensitivity: "base" });
      return down ? -order : order;
    });
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows);
  }));
  const tools = table.closest(".framed")?.querySelector(".tools");
  if (!tools) return;
  tools.hidden = false;
  const field = tools.querySelector("input"), count = tools.querySelector("output");
  field?.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of body.rows) {
      const parts = [...row.cells].flatMap((cell) => cell.textContent.toLowerCase().split(/[\s,;()/]+/)).filter(Boolean);
      row.hidden = !words.every((word) => parts.some((part) => fits(part, word)));
      left += !row.hidden;
    }
    count.textContent = words.length ? `${left} of ${body.rows.length} rows` : "";
    place.set(`filter.${table.dataset.name}`, field.value);
  });
  if (field && place.get(`filter.${table.dataset.name}`)) {
    field.value = place.get(`filter.${table.dataset.name}`);
    field.dispatchEvent(new Event("input"));
  }
  tools.querySelector(".save").addEventListener("click", () => files.save(files.tsv(table), `${table.dataset.name || "table"}.tsv`));
});

// a number is meant whole, a word from its beginning: 21 is not found in 2148
function fits(part, word) {
  return /^[-+.<]?\d/.test(word) ? part.replace(/\s*%$/, "") === word.replace(/%$/, "") : part.startsWith(word);
}

// ---- a printed page shows what is folded away in the text, and leaves out long tables and the numbers of figures: they are files
let opened = [];
addEventListener("beforeprint", () => { opened = [...document.querySelectorAll(":is(.fold, .audit):not([open], .long)")]; opened.forEach((fold) => (fold.open = true)); });
addEventListener("afterprint", () => { opened.forEach((fold) => (fold.open = false)); opened = []; });
