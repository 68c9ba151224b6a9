// The map of the cells: draws dots straight into pixels, so that 100,000 of them move at once on any machine.
document.querySelectorAll(".cellmap").forEach((root) => {
  const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  const [canvas, legend, said, pick, view] = [".map", ".legend", ".said", ".pick", ".view"].map((s) => root.querySelector(s));
  if (typeof DecompressionStream === "undefined") return; // browsers before 2023 keep the drawn pictures
  root.classList.add("alive");
  const pen = canvas.getContext("2d");
  const MISSING = 255;
  const unpacked = new Map();
  const remembered = (field, name) => { // what the address says, where the map has it
    const value = window.place.get(name);
    if (value && [...field.options].some((option) => option.value === value)) field.value = value;
  };
  remembered(pick, "colour");
  if (view) remembered(view, "view");
  const state = { colour: pick.value, view: view ? view.value : Object.keys(data.views)[0], zoom: 1, x: 0, y: 0, only: null };
  const first = pick.options[0].value;
  function remember() {
    window.place.set("colour", state.colour === first ? "" : state.colour);
    if (view) window.place.set("view", state.view === view.options[0].value ? "" : state.view);
    const entry = state.only === null ? null : data.colours[state.colour].legend[state.only];
    window.place.set("only", entry ? entry[0] : "");
  }
  const alone = data.colours[state.colour].kind === "category" ? data.colours[state.colour].legend.findIndex((entry) => entry[0] === window.place.get("only")) : -1;
  if (alone >= 0) state.only = alone;

  async function unpack(text, wide) {
    if (!unpacked.has(text)) {
      const { buffer } = await window.files.inflated(text);
      unpacked.set(text, wide ? new Uint16Array(buffer) : new Uint8Array(buffer));
    }
    return unpacked.get(text);
  }

  // What is drawn now: positions, a colour and a rank for each cell.
  let shown = null;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const italic = (gene) => Object.assign(document.createElement("i"), { textContent: gene });
  const word = (hex) => parseInt(`ff${hex.slice(5, 7)}${hex.slice(3, 5)}${hex.slice(1, 3)}`, 16) >>> 0; // as pixels lie in memory
  const pale = () => word(dark.matches ? "#39434d" : "#d9dde2");
  function mixed(t) { // a colour of the ramp, the strongest furthest from the paper
    const place = Math.min(Math.max(dark.matches ? t : 1 - t, 0), 1) * (data.ramp.length - 1);
    const [a, b] = [data.ramp[Math.floor(place)], data.ramp[Math.ceil(place)]];
    const part = (i) => Math.round(parseInt(a.slice(i, i + 2), 16) * (1 - (place % 1)) + parseInt(b.slice(i, i + 2), 16) * (place % 1));
    return "#" + [1, 3, 5].map((i) => part(i).toString(16).padStart(2, "0")).join("");
  }

  async function prepare() {
    const place = data.views[state.view], colour = data.colours[state.colour];
    const [x, y, values] = await Promise.all([unpack(place.x, true), unpack(place.y, true), unpack(colour.values)]);
    const depth = data.depth ? await unpack(data.depth, true) : null;
    const ink = new Uint32Array(data.n), rank = new Float32Array(data.n), grey = pale();
    if (colour.kind === "category") {
      const inks = colour.legend.map((entry) => word(entry[1]));
      for (let i = 0; i < data.n; i++) {
        const own = values[i] !== MISSING && (state.only === null || state.only === values[i]);
        ink[i] = own ? inks[values[i]] : grey;
        rank[i] = own ? 1 : 0;
      }
    } else {
      const amount = colour.kind === "gene"
        ? (i) => (values[i] === MISSING || !values[i] ? -1 : Math.log2(1 + (1e4 * values[i]) / Math.max(depth ? depth[i] : 1e4, 1)))
        : (i) => (values[i] === MISSING ? -1 : values[i]);
      for (let i = 0; i < data.n; i++) rank[i] = amount(i);
      const present = rank.filter((value) => value >= 0).sort();
      colour.top = colour.kind === "gene" ? present[Math.floor(0.99 * (present.length - 1))] || 1 : 254;
      const inks = Array.from({ length: 256 }, (_, i) => word(mixed(i / 255)));
      for (let i = 0; i < data.n; i++) {
        const t = rank[i] / colour.top;
        ink[i] = rank[i] < 0 ? grey : inks[Math.round(255 * Math.min(colour.kind === "gene" ? 0.12 + 0.88 * t : t, 1))];
      }
    }
    let order = null; // the highest on top: they are few and would be buried
    if (colour.kind !== "category" || state.only !== null || values.includes(MISSING)) {
      order = Uint32Array.from({ length: data.n }, (_, i) => i).sort((a, b) => rank[a] - rank[b]);
    }
    shown = { x, y, values, ink, order, depth, place, colour };
  }

  function frame() { // where a position lies on the canvas: pixel = scale * (position - corner)
    const { width, height } = shown.place, margin = 12 * ratio();
    const fit = Math.min((canvas.width - 2 * margin) / width, (canvas.height - 2 * margin) / height);
    const scale = fit * state.zoom;
    return { scale, left: canvas.width / 2 - scale * (width / 2 + state.x), top: canvas.height / 2 - scale * (height / 2 + state.y) };
  }
  const ratio = () => Math.min(devicePixelRatio || 1, 2);

  function draw() {
    if (!shown) return;
    const [w, h] = [canvas.width, canvas.height];
    const image = pen.createImageData(w, h), pixels = new Uint32Array(image.data.buffer);
    const { scale, left, top } = frame();
    const size = Math.min(Math.max(Math.sqrt(26000 / data.n) * Math.sqrt(state.zoom), 1.1), 7) * ratio();
    const r = size / 2, stamp = [];
    for (let dy = Math.ceil(-r); dy <= r; dy++) for (let dx = Math.ceil(-r); dx <= r; dx++) if (dx * dx + dy * dy <= r * r + 0.3) stamp.push([dx, dy]);
    const { x, y, ink, order } = shown, high = shown.place.height;
    for (let j = 0; j < data.n; j++) {
      const i = order ? order[j] : j;
      const cx = Math.round(left + scale * x[i]), cy = Math.round(top + scale * (high - y[i])); // up is up
      if (cx < -8 || cy < -8 || cx > w + 8 || cy > h + 8) continue;
      for (const [dx, dy] of stamp) {
        const px = cx + dx, py = cy + dy;
        if (px >= 0 && py >= 0 && px < w && py < h) pixels[py * w + px] = ink[i];
      }
    }
    pen.putImageData(image, 0, 0);
    root.dataset.drawn = `${state.view} ${state.colour} ${state.zoom.toFixed(2)} ${state.only ?? "all"}`;
  }

  function explain() {
    const colour = shown.colour;
    legend.replaceChildren();
    if (colour.kind === "category") {
      colour.legend.forEach(([label, hex, n], code) => {
        const entry = document.createElement("button");
        entry.type = "button";
        entry.setAttribute("aria-pressed", String(state.only === code));
        const dot = document.createElement("span");
        dot.className = "dot";
        dot.style.background = hex;
        entry.append(dot, `${label} `, Object.assign(document.createElement("small"), { textContent: n.toLocaleString("en") }));
        entry.addEventListener("click", async () => {
          state.only = state.only === code ? null : code;
          remember();
          await refresh();
          legend.children[code].focus();
        });
        legend.append(entry);
      });
      said.textContent = state.only === null ? "Choose an entry of the legend to see it alone." : `Only ${colour.legend[state.only][0]} is coloured.`;
      return;
    }
    const bar = document.createElement("div");
    bar.className = "bar";
    bar.style.background = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(mixed).join(",")})`;
    const ends = document.createElement("div");
    ends.className = "ends";
    const [low, high] = colour.kind === "gene" ? ["lowest", `${(2 ** colour.top - 1).toFixed(1)} or more per 10,000`] : [colour.low.toFixed(1), colour.high.toFixed(1)];
    ends.append(Object.assign(document.createElement("span"), { textContent: low }), Object.assign(document.createElement("span"), { textContent: high }));
    const ramp = document.createElement("div");
    ramp.className = "ramp";
    ramp.append(bar, ends);
    legend.append(ramp);
    if (colour.kind === "gene") said.replaceChildren(italic(colour.gene), `: raw counts in ${colour.cells.toLocaleString("en")} of ${data.n.toLocaleString("en")} cells; grey: no count, which at this depth does not show that the gene is off.`);
    else said.textContent = `${colour.unit}; grey: cells of other lineages (no score).`;
  }

  async function refresh() {
    await prepare();
    explain();
    draw();
  }

  function fit() {
    const box = canvas.getBoundingClientRect();
    [canvas.width, canvas.height] = [Math.round(box.width * ratio()), Math.round(box.height * ratio())];
    draw();
  }

  // ---- moving about
  function zoom(factor, at) {
    const before = frame(), old = state.zoom;
    state.zoom = Math.min(Math.max(state.zoom * factor, 1), 40);
    if (state.zoom === 1) [state.x, state.y] = [0, 0];
    else if (at && state.zoom !== old) { // what lies under the pointer stays there
      const change = 1 / before.scale - 1 / (before.scale * (state.zoom / old));
      state.x += (at[0] - canvas.width / 2) * change;
      state.y += (at[1] - canvas.height / 2) * change;
    }
    draw();
  }
  function move(dx, dy) {
    const { scale } = frame(), { width, height } = shown.place;
    state.x = Math.min(Math.max(state.x - dx / scale, -width / 2), width / 2);
    state.y = Math.min(Math.max(state.y - dy / scale, -height / 2), height / 2);
    draw();
  }
  function whole() { Object.assign(state, { zoom: 1, x: 0, y: 0 }); draw(); }
  const point = (event) => { const box = canvas.getBoundingClientRect(); return [(event.clientX - box.left) * ratio(), (event.clientY - box.top) * ratio()]; };
  const fingers = new Map();
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); fingers.set(event.pointerId, point(event)); });
  ["pointerup", "pointercancel"].forEach((kind) => canvas.addEventListener(kind, (event) => fingers.delete(event.pointerId)));
  canvas.addEventListener("pointermove", (event) => {
    if (!shown) return;
    const now = point(event), before = fingers.get(event.pointerId);
    if (!before) return hover(event, now);
    const other = [...fingers].find(([id]) => id !== event.pointerId);
    if (other) {
      const spread = (p) => Math.hypot(p[0] - other[1][0], p[1] - other[1][1]);
      zoom(spread(now) / Math.max(spread(before), 1), other[1]);
    } else move(now[0] - before[0], now[1] - before[1]);
    fingers.set(event.pointerId, now);
  });
  canvas.addEventListener("wheel", (event) => { // a plain wheel scrolls the page
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), point(event));
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => zoom(2, point(event)));
  canvas.addEventListener("click", (event) => shown && hover(event, point(event)));
  canvas.addEventListener("pointerleave", () => window.tips.hide());
  canvas.addEventListener("keydown", (event) => {
    const step = 40 * ratio();
    const act = { "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: whole, ArrowLeft: () => move(step, 0), ArrowRight: () => move(-step, 0), ArrowUp: () => move(0, step), ArrowDown: () => move(0, -step) }[event.key];
    if (act && shown) { event.preventDefault(); act(); }
  });
  root.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => (button.dataset.zoom === "0" ? whole() : zoom(Number(button.dataset.zoom)))));

  // ---- what a cell is
  async function hover(event, [px, py]) {
    const { scale, left, top } = frame(), { x, y } = shown, high = shown.place.height;
    let best = -1, least = (10 * ratio()) ** 2;
    for (let i = 0; i < data.n; i++) {
      const dx = left + scale * x[i] - px, dy = top + scale * (high - y[i]) - py, d = dx * dx + dy * dy;
      if (d < least) [best, least] = [i, d];
    }
    if (best < 0) return window.tips.hide();
    const label = async (key) => {
      const colour = data.colours[key];
      if (!colour) return "";
      const code = (await unpack(colour.values))[best];
      return code === MISSING ? "" : colour.legend[code][0];
    };
    const [lineage, mood, library] = await Promise.all(["lineage", "state", "library"].map(label));
    const parts = [data.subjects[library], library && `library ${library}`, lineage, mood && `state: ${mood}`];
    const colour = shown.colour, value = shown.values[best];
    if (colour.kind === "gene" && value !== MISSING) parts.push(`${colour.gene}: ${value}${value === 254 ? " or more" : ""} of ${shown.depth ? shown.depth[best].toLocaleString("en") : "?"} counts`);
    if (colour.kind === "number" && value !== MISSING) parts.push(`score ${(colour.low + (value / 254) * (colour.high - colour.low)).toFixed(1)}`);
    window.tips.show(parts.filter(Boolean).join(" · "), event.clientX, event.clientY);
  }

  pick.addEventListener("change", () => { state.colour = pick.value; state.only = null; remember(); refresh(); });
  if (view) view.addEventListener("change", () => { state.view = view.value; remember(); whole(); refresh(); });
  dark.addEventListener("change", refresh);
  new ResizeObserver(fit).observe(canvas);
  geneSearch({ data, unpack, pick, italic });
  // Nothing is unpacked before the page stands and the map is near: the answer comes first.
  new IntersectionObserver((seen, watch) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    watch.disconnect();
    refresh();
  }, { rootMargin: "600px" }).observe(root);
});

// ---- any gene of the map: in every animal over the days, and by state of the microglia
function geneSearch({ data, unpack, pick, italic }) {
  const box = document.getElementById("gene-search");
  if (!box) return;
  box.hidden = false;
  const [field, said, drawn] = ["input", "output", ".drawn"].map((s) => box.querySelector(s));
  const genes = new Map(Object.keys(data.colours).filter((key) => key.startsWith("gene-")).map((key) => [key.slice(5).toLowerCase(), key]));
  const NS = "http://www.w3.org/2000/svg";
  const put = (parent, tag, facts, text) => {
    const element = parent.appendChild(document.createElementNS(NS, tag));
    for (const [key, value] of Object.entries(facts)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const picture = (label, height) => {
    const svg = put(drawn, "svg", { viewBox: `0 0 420 ${height}`, role: "img", "aria-label": label });
    return svg;
  };
  const title = (svg, gene, text) => {
    const line = put(svg, "text", { x: 4, y: 14 });
    put(line, "tspan", { "font-style": "italic" }, gene);
    line.append(text);
  };
  const rate = (sum) => (sum.depth ? (1e4 * sum.counts) / sum.depth : 0);

  async function sums(key) { // counts, depth and cells of the microglia by animal and by state
    const lineage = data.colours.lineage, code = lineage.legend.findIndex((entry) => entry[0] === "microglia");
    const [kinds, libraries, counts, depth] = await Promise.all([unpack(lineage.values), data.colours.library ? unpack(data.colours.library.values) : null, unpack(data.colours[key].values), data.depth ? unpack(data.depth, true) : null]);
    const states = data.colours.state ? await unpack(data.colours.state.values) : null;
    const animals = new Map(), moods = new Map();
    const add = (groups, name, i) => {
      const own = groups.get(name) || groups.set(name, { counts: 0, depth: 0, cells: 0, seen: 0 }).get(name);
      own.counts += counts[i]; own.depth += depth ? depth[i] : 1e4; own.cells += 1; own.seen += counts[i] > 0;
    };
    for (let i = 0; i < data.n; i++) {
      if (kinds[i] !== code || counts[i] === 255) continue;
      const library = libraries ? data.colours.library.legend[libraries[i]][0] : Object.keys(data.subjects)[0];
      add(animals, data.subjects[library] || library, i);
      if (states && states[i] !== 255) add(moods, data.colours.state.legend[states[i]][0], i);
    }
    return { animals, moods };
  }

  function overDays(gene, animals) {
    const parts = [...animals].map(([name, sum]) => { const found = name.match(/day ([\d.]+)$/); return { name, sum, day: found ? Number(found[1]) : null, control: /, (naive|sham|contralateral),/.test(`${name},`) }; });
    const days = [...new Set(parts.map((part) => part.day).filter((day) => day !== null))].sort((a, b) => a - b);
    const top = Math.max(...parts.map((part) => rate(part.sum)), 1e-9), last = Math.sqrt(Math.max(...days, 1)), svg = picture(`${gene}: counts per 10,000 of the microglia of every animal over days`, 240);
    const x = (day) => (day === null ? 58 : 80 + (320 * Math.sqrt(day)) / last), y = (value) => 190 - (165 * value) / top;
    for (const part of [0, 0.5, 1]) {
      put(svg, "line", { x1: 52, x2: 410, y1: y(part * top), y2: y(part * top), style: "stroke: var(--grid)" });
      put(svg, "text", { x: 48, y: y(part * top) + 4, "text-anchor": "end" }, (part * top).toPrecision(2));
    }
    days.forEach((day) => put(svg, "text", { x: x(day), y: 208, "text-anchor": "middle" }, String(day)));
    put(svg, "text", { x: 230, y: 230, "text-anchor": "middle" }, "days after injury (square-root scale)");
    title(svg, gene, ", counts per 10,000 of the microglia");
    const at = new Map();
    parts.sort((a, b) => a.control - b.control).forEach((part) => {
      const place = at.get(part.day) || 0;
      at.set(part.day, place + 1);
      const dot = put(svg, "circle", { cx: x(part.day) + (place - 1) * 5, cy: y(rate(part.sum)), r: 4, "data-tip": `${part.name}: ${rate(part.sum).toPrecision(3)} per 10,000; ${part.sum.seen} of ${part.sum.cells} microglia with a count`, style: part.control ? "fill: var(--plate); stroke: var(--grey); stroke-width: 1.5" : "fill: var(--ink)" });
      dot.setAttribute("class", "tip");
    });
  }
  function byState(gene, moods) {
    const rows = [...moods].filter(([, sum]) => sum.cells >= 10).sort((a, b) => rate(b[1]) - rate(a[1]));
    if (!rows.length) return;
    const svg = picture(`${gene} by state of the microglia`, 34 + 24 * rows.length), top = Math.max(...rows.map(([, sum]) => rate(sum)), 1e-9);
    title(svg, gene, ", counts per 10,000 by state (share of cells with a count)");
    rows.forEach(([name, sum], place) => {
      const y = 28 + 24 * place, colour = data.colours.state.legend.find((entry) => entry[0] === name)[1];
      put(svg, "text", { x: 150, y: y + 13, "text-anchor": "end" }, name);
      put(svg, "rect", { x: 156, y, width: Math.max((150 * rate(sum)) / top, 1), height: 17, fill: colour });
      put(svg, "text", { x: 162 + (150 * rate(sum)) / top, y: y + 13 }, `${rate(sum).toPrecision(2)} (${Math.round((100 * sum.seen) / sum.cells)} %)`);
    });
  }
  async function show() {
    const key = genes.get(field.value.trim().toLowerCase());
    drawn.replaceChildren();
    if (!key) {
      said.textContent = field.value.trim() ? "This gene is not among those kept for the map." : "";
      return window.place.set("gene", "");
    }
    const gene = key.slice(5), { animals, moods } = await sums(key);
    drawn.replaceChildren();
    said.replaceChildren(italic(gene), `: ${data.colours[key].cells.toLocaleString("en")} cells with a count.`);
    overDays(gene, animals);
    byState(gene, moods);
    window.place.set("gene", gene);
    pick.value = key;
    pick.dispatchEvent(new Event("change"));
  }
  field.addEventListener("change", show);
  field.addEventListener("keydown", (event) => event.key === "Enter" && show());
  if (window.place.get("gene")) { field.value = window.place.get("gene"); show(); }
}
