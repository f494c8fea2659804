// What a person does: chooses a node, looks for one, moves with mouse, touch and keys.

const MATCHES_MAX = 8, OTHERS_MAX = 60, ZOOM_STEP = 1.3, MOVE_PX = 60, CLICK_PX = 4, TOUCH_PX = 9;

const search = byId("search"), matches = byId("matches"), panel = byId("panel");

// One node: its figures, and ways to those beside it

function select(node, centred = false) {
  selected = node;
  panel.hidden = !node;
  if (node) fillPanel(node);
  if (node && centred) {
    Object.assign(camera, { x: node.x, y: node.y, scale: Math.max(camera.scale, 1) });
  }
  redraw();
}

function element(name, content, attributes = {}) {
  const made = document.createElement(name);
  made.append(...[content].flat());
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function fillPanel(node) {
  const close = element("button", "×", { class: "close", "aria-label": "Close" });
  close.onclick = () => select(null);
  const figures = node.figures.flatMap((figure, place) =>
    [element("dt", graph.figures[place]), element("dd", figure || "–")]);
  panel.replaceChildren(
    close, element("h2", node.id), element("p", graph.kinds[node.kind], { class: "kind" }), element("dl", figures),
    ...others(graph.into, node.into, "from"), ...others(graph.out_of, node.outOf, "to"));
  panel.scrollTop = 0;
}

function others(title, own, end) {
  if (!own.length) return [];
  const items = own.slice(0, OTHERS_MAX).map((link) => {
    const button = element("button", [element("span", link[end].id), element("span", link.label)]);
    button.onclick = () => select(link[end], true);
    return element("li", button);
  });
  const left = own.length - items.length;
  if (left > 0) items.push(element("li", `and ${left} more`));
  return [element("h3", `${title} (${own.length})`), element("ul", items, { class: "others" })];
}

function nearest(event) {
  let best = null, least = Infinity;
  for (const node of nodes) {
    const at = onScreen(node), far = Math.hypot(at.x - event.clientX, at.y - event.clientY);
    if (far < Math.max(node.r * camera.scale, TOUCH_PX) && far < least) [best, least] = [node, far];
  }
  return best;
}

// The search box (a combobox with a list, as ARIA describes it)

let found = [], chosen = 0;

function look() {
  const word = search.value.trim().toLowerCase();
  const holds = word ? nodes.filter((node) => node.id.toLowerCase().includes(word)) : [];
  const place = (node) => node.id.toLowerCase().indexOf(word);
  found = holds.sort((a, b) => place(a) - place(b) || a.id.length - b.id.length || (a.id < b.id ? -1 : 1)).slice(0, MATCHES_MAX);
  choose(0);
  matches.hidden = !word;
  search.setAttribute("aria-expanded", String(Boolean(word)));
}

function choose(place) {
  chosen = found.length ? (place + found.length) % found.length : 0;
  matches.replaceChildren(...found.map((node, index) => {
    const item = element("li", node.id, { id: `match-${index}`, role: "option", "aria-selected": index === chosen });
    item.onpointerdown = () => take(node);
    return item;
  }));
  if (!found.length) matches.append(element("li", "nobody of that id", { class: "none" }));
  search.setAttribute("aria-activedescendant", found.length ? `match-${chosen}` : "");
}

function closeMatches() {
  matches.hidden = true;
  search.setAttribute("aria-expanded", "false");
}

function take(node) {
  search.value = node.id;
  closeMatches();
  select(node, true);
}

search.oninput = look;
search.onfocus = () => search.select();
search.onblur = closeMatches;
search.onkeydown = (event) => {
  const keys = {
    ArrowDown: () => choose(chosen + 1),
    ArrowUp: () => choose(chosen - 1),
    Enter: () => found.length && take(found[chosen]),
    Escape: () => { search.value = ""; closeMatches(); canvas.focus(); },
  };
  if (event.key in keys) {
    keys[event.key]();
    event.preventDefault();
  }
};

// Mouse, touch and keys

const pointers = new Map();
let travelled = 0;

function apart() {
  const [a, b] = pointers.values();
  return { far: Math.hypot(a.x - b.x, a.y - b.y) || 1, x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

canvas.onpointerdown = (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (pointers.size === 1) travelled = 0;
};
canvas.onpointermove = (event) => {
  const last = pointers.get(event.pointerId);
  if (!last) {
    canvas.style.cursor = nearest(event) ? "pointer" : "grab";
    return;
  }
  const before = pointers.size === 2 && apart(), dx = event.clientX - last.x, dy = event.clientY - last.y;
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  travelled += Math.hypot(dx, dy);
  move(dx / pointers.size, dy / pointers.size);
  if (before) zoom(apart().far / before.far, apart());
};
canvas.onpointerup = canvas.onpointercancel = (event) => {
  if (pointers.size === 1 && travelled < CLICK_PX && event.type === "pointerup") select(nearest(event));
  pointers.delete(event.pointerId);
};
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
  zoom(Math.exp(-event.deltaY * lines * 0.0015), { x: event.clientX, y: event.clientY });
}, { passive: false });
document.onkeydown = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target === search) return;
  const keys = {
    "/": () => search.focus(),
    "+": () => zoom(ZOOM_STEP),
    "=": () => zoom(ZOOM_STEP),
    "-": () => zoom(1 / ZOOM_STEP),
    0: showAll,
    Escape: () => select(null),
    ArrowLeft: () => move(MOVE_PX, 0),
    ArrowRight: () => move(-MOVE_PX, 0),
    ArrowUp: () => move(0, MOVE_PX),
    ArrowDown: () => move(0, -MOVE_PX),
  };
  if (event.key in keys) {
    keys[event.key]();
    event.preventDefault();
  }
};
byId("closer").onclick = () => zoom(ZOOM_STEP);
byId("farther").onclick = () => zoom(1 / ZOOM_STEP);
byId("all").onclick = showAll;
onresize = fit;
matchMedia("(prefers-color-scheme: dark)").onchange = paint;

// All there is, to begin with

const legend = graph.kinds.map((kind, place) => [kind, `kind-${place}`]);
if (graph.gauge) legend.push([graph.gauge, "gauge"]);
byId("legend").append(...legend.map(([text, look]) => element("li", [element("i", [], { class: look }), text])));
const counted = (count, one) => `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
byId("count").textContent = `${counted(nodes.length, "node")} · ${counted(links.length, "edge")}`;
fit();
paint();
showAll();
