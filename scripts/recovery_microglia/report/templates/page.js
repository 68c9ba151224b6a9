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

// ---- tables: sorted by a heading (numbers by value, text by alphabet, missing values last), filtered, saved
document.querySelectorAll("table.sortable").forEach((table) => {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    const numeric = head.classList.contains("num");
    const key = (row) => row.cells[head.cellIndex].dataset.sort;
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      const order = numeric ? Number(x) - Number(y) : x.localeCompare(y, undefined, { numeric: true });
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
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      left += !row.hidden;
    }
    count.textContent = words.length ? `${left} of ${body.rows.length} rows` : "";
  });
  tools.querySelector(".save").addEventListener("click", () => {
    const numeric = heads.map((head) => head.classList.contains("num"));
    const lines = [heads.map((head) => head.dataset.key)];
    for (const row of body.rows) if (!row.hidden) lines.push([...row.cells].map((cell, i) => (numeric[i] ? cell.dataset.sort : cell.dataset.sort === "" ? "" : cell.textContent)));
    const text = lines.map((line) => line.map((word) => word.replace(/[\t\n]/g, " ")).join("\t")).join("\n") + "\n";
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([text], { type: "text/tab-separated-values" })), download: `${table.dataset.name || "table"}.tsv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
});

// ---- a printed page shows what is folded away in the text, and leaves out long tables and the numbers of figures: they are files
let opened = [];
addEventListener("beforeprint", () => { opened = [...document.querySelectorAll(".fold:not([open], .long)")]; opened.forEach((fold) => (fold.open = true)); });
addEventListener("afterprint", () => { opened.forEach((fold) => (fold.open = false)); opened = []; });
