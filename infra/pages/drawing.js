"use strict";
// Draws the graph of the page's JSON block below a camera.
// What lies outside the view is not drawn; far away nodes lose their names first. Groups of circles
// lie so far apart that a node keeps its shape at any zoom; one of a tree becomes a dot.

const LABELS_MAX = 160, NAMED_PX = 3, AMOUNT_ROOM_PX = 20, ZOOM_LEAST = 0.002, ZOOM_MOST = 8;
const FIRST_ZOOM_MOST = 3; // where all are shown: so few are large enough
const BEND = 0.12; // of an arrow's length, so that two between the same ends stay two

const graph = JSON.parse(document.getElementById("graph").textContent);
const RADIUS_LEAST_PX = graph.arrows ? 3 : 1.2, HOLLOW_LEAST_ZOOM = graph.arrows ? 0 : 0.3;
const nodes = graph.nodes.map(([id, x, y, r, kind, gauge, figures]) =>
  ({ id, x, y, r, kind, gauge, figures, into: [], outOf: [] }));
const links = graph.links.map(([from, to, width, label]) =>
  ({ from: nodes[from], to: nodes[to], width, label }));
for (const link of links) {
  link.from.outOf.push(link);
  link.to.into.push(link);
}
const kinds = graph.kinds.map((_, kind) => nodes.filter((node) => node.kind === kind));
const largestFirst = [...nodes].sort((a, b) => b.r - a.r);

const byId = (id) => document.getElementById(id);
const canvas = byId("canvas");
const pen = canvas.getContext("2d");
const camera = { x: 0, y: 0, scale: 1 }; // the world's point in the middle of the view, pixels a unit
let size = { width: 0, height: 0 }, colours = {}, selected = null, waiting = false;

// Drawing

function redraw() {
  if (!waiting) {
    waiting = true;
    requestAnimationFrame(draw);
  }
}

function draw() {
  waiting = false;
  const ratio = devicePixelRatio, { width, height } = size, { scale } = camera;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const left = camera.x - width / 2 / scale, top = camera.y - height / 2 / scale;
  pen.setTransform(ratio * scale, 0, 0, ratio * scale, -left * ratio * scale, -top * ratio * scale);
  const view = { left, top, right: left + width / scale, bottom: top + height / scale };
  drawLinks(links.filter((link) => crosses(link, view)));
  const seen = kinds.map((own) => own.filter((node) => lies(node, view)));
  seen.forEach(drawNodes);
  if (graph.gauge) seen.flat().forEach(drawGauge);
  if (selected) drawSelected();
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const taken = drawNames(view);
  if (graph.arrows) drawAmounts(view, taken);
}

function lies({ x, y, r }, view) {
  return x + r > view.left && x - r < view.right && y + r > view.top && y - r < view.bottom;
}

function crosses({ from, to }, view) {
  return Math.max(from.x, to.x) > view.left && Math.min(from.x, to.x) < view.right
    && Math.max(from.y, to.y) > view.top && Math.min(from.y, to.y) < view.bottom;
}

function drawLinks(own, colour = colours.edge) {
  const thin = 1 / camera.scale; // a pixel
  pen.strokeStyle = pen.fillStyle = colour;
  if (graph.arrows) {
    own.forEach((link) => drawArrow(link, Math.max(link.width, thin)));
    return;
  }
  pen.lineWidth = Math.max(1, thin * 0.7);
  pen.beginPath();
  for (const { from, to } of own) {
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x, to.y);
  }
  pen.stroke();
}

function bent({ from, to }) {
  return {
    x: (from.x + to.x) / 2 + (to.y - from.y) * BEND,
    y: (from.y + to.y) / 2 - (to.x - from.x) * BEND,
  };
}

function drawArrow(link, width) {
  const { from, to } = link, bend = bent(link), head = 7 + 2 * width;
  const away = Math.hypot(to.x - bend.x, to.y - bend.y) || 1;
  const dx = (to.x - bend.x) / away, dy = (to.y - bend.y) / away, gap = to.r + 5;
  const tip = { x: to.x - dx * gap, y: to.y - dy * gap };
  const base = { x: tip.x - dx * head, y: tip.y - dy * head };
  pen.lineWidth = width;
  pen.beginPath();
  pen.moveTo(from.x, from.y);
  pen.quadraticCurveTo(bend.x, bend.y, base.x, base.y);
  pen.stroke();
  pen.beginPath();
  pen.moveTo(tip.x, tip.y);
  pen.lineTo(base.x - dy * head * 0.45, base.y + dx * head * 0.45);
  pen.lineTo(base.x + dy * head * 0.45, base.y - dx * head * 0.45);
  pen.fill();
}

// Kinds differ in shape as well as in colour: a disc, a ring, a square.
function drawNodes(own, kind) {
  pen.beginPath();
  for (const node of own) {
    const { x, y } = node, radius = radiusOf(node);
    if (kind === 2 || radius * camera.scale < 2) pen.rect(x - radius, y - radius, 2 * radius, 2 * radius);
    else {
      pen.moveTo(x + radius, y);
      pen.arc(x, y, radius, 0, 2 * Math.PI);
    }
  }
  const hollow = kind === 1 && camera.scale > HOLLOW_LEAST_ZOOM;
  pen.fillStyle = hollow ? colours.ground : colours.kinds[kind];
  pen.fill();
  if (hollow) {
    pen.strokeStyle = colours.kinds[kind];
    pen.lineWidth = Math.max(2.5, 1.4 / camera.scale);
    pen.stroke();
  }
}

function radiusOf({ r }) {
  return Math.max(r, RADIUS_LEAST_PX / camera.scale);
}

function drawGauge(node) {
  const { x, y, gauge } = node, radius = radiusOf(node) + Math.max(5, 2.2 / camera.scale);
  if (gauge < 0) return;
  pen.lineWidth = Math.max(4, 1 / camera.scale);
  pen.strokeStyle = colours.line;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.stroke();
  pen.strokeStyle = gauge > 1 ? colours.danger : colours.faint;
  pen.beginPath();
  pen.arc(x, y, radius, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.min(1, gauge));
  pen.stroke();
}

function drawSelected() {
  drawLinks([...selected.into, ...selected.outOf], colours.accent);
  const over = [selected, ...selected.into.map((link) => link.from), ...selected.outOf.map((link) => link.to)];
  kinds.forEach((_, kind) => drawNodes(over.filter((node) => node.kind === kind), kind));
  if (graph.gauge) over.forEach(drawGauge);
  pen.strokeStyle = colours.accent;
  pen.lineWidth = Math.max(2.5, 2.5 / camera.scale);
  pen.beginPath();
  pen.arc(selected.x, selected.y, radiusOf(selected) + (graph.gauge ? 10 : 4) + 3 / camera.scale, 0, 2 * Math.PI);
  pen.stroke();
}

function onScreen({ x, y }) {
  return {
    x: (x - camera.x) * camera.scale + size.width / 2,
    y: (y - camera.y) * camera.scale + size.height / 2,
  };
}

// The largest get their names first, below, right, left or above; one that finds no room goes without.
function drawNames(view) {
  const { scale } = camera, taken = [];
  pen.font = "12px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  const near = largestFirst.filter((node) => node.r * scale >= NAMED_PX && lies(node, view));
  const discs = near.map((node) => around(onScreen(node), node.r * scale * 0.9, node.r * scale * 0.9));
  for (const node of selected ? [selected, ...near.filter((other) => other !== selected)] : near) {
    if (taken.length >= LABELS_MAX) break;
    node.wide ??= pen.measureText(node.id).width;
    const at = onScreen(node), far = (node.r + (graph.gauge ? 8 : 2)) * scale, half = node.wide / 2 + 3;
    const ways = [[0, far + 9], [far + half, 0], [-far - half, 0], [0, -far - 9]];
    const boxes = ways.map(([dx, dy]) => around({ x: at.x + dx, y: at.y + dy }, half, 8));
    const free = (box) => !taken.some((other) => overlaps(box, other)) && !discs.some((disc) => overlaps(box, disc));
    const box = boxes.find(free) ?? (node === selected && boxes[0]);
    if (!box) continue;
    taken.push(box);
    written(node.id, (box.left + box.right) / 2, (box.top + box.bottom) / 2, node === selected ? colours.accent : colours.ink);
  }
  return [...taken, ...discs];
}

function around({ x, y }, width, height) {
  return { left: x - width, right: x + width, top: y - height, bottom: y + height };
}

function overlaps(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function written(text, x, y, colour) {
  pen.strokeStyle = colours.ground;
  pen.lineWidth = 3.5;
  pen.strokeText(text, x, y);
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
}

// Those of the node selected come first and always stand there.
function drawAmounts(view, taken) {
  pen.font = "11px system-ui, sans-serif";
  const own = selected ? [...selected.into, ...selected.outOf] : [];
  for (const link of [...own, ...links.filter((other) => !own.includes(other))]) {
    const { from, to } = link, bend = bent(link), chosen = own.includes(link);
    link.wide ??= pen.measureText(link.label).width;
    const room = Math.hypot(to.x - from.x, to.y - from.y) - from.r - to.r;
    if (room * camera.scale < link.wide + AMOUNT_ROOM_PX || !crosses(link, view)) continue;
    const at = onScreen({ x: (from.x + to.x + 2 * bend.x) / 4, y: (from.y + to.y + 2 * bend.y) / 4 });
    const box = around(at, link.wide / 2, 7);
    if (!chosen && taken.some((other) => overlaps(box, other))) continue;
    taken.push(box);
    written(link.label, at.x, at.y, chosen ? colours.accent : colours.faint);
  }
}

// The camera

function zoom(factor, at = { x: size.width / 2, y: size.height / 2 }) {
  const scale = Math.min(ZOOM_MOST, Math.max(ZOOM_LEAST, camera.scale * factor));
  const change = 1 / camera.scale - 1 / scale; // the point below `at` stays there
  camera.x += (at.x - size.width / 2) * change;
  camera.y += (at.y - size.height / 2) * change;
  camera.scale = scale;
  redraw();
}

function move(dx, dy) {
  camera.x -= dx / camera.scale;
  camera.y -= dy / camera.scale;
  redraw();
}

function showAll() {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y, r } of nodes) {
    left = Math.min(left, x - r);
    top = Math.min(top, y - r);
    right = Math.max(right, x + r);
    bottom = Math.max(bottom, y + r);
  }
  if (!nodes.length) return;
  const beside = size.width > 900 ? 320 : 0, below = 70; // the cards that lie over the picture
  const wide = size.width - beside - 60, high = size.height - below - 40;
  const scale = Math.max(ZOOM_LEAST, Math.min(wide / (right - left), high / (bottom - top), FIRST_ZOOM_MOST));
  camera.x = (left + right) / 2 - beside / 2 / scale;
  camera.y = (top + bottom) / 2 + (below - 20) / 2 / scale;
  camera.scale = scale;
  redraw();
}

function fit() {
  const { clientWidth: width, clientHeight: height } = canvas;
  size = { width, height };
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  redraw();
}

function paint() {
  const told = getComputedStyle(document.documentElement);
  const colour = (name) => told.getPropertyValue(`--${name}`);
  colours = Object.fromEntries(["ground", "ink", "faint", "line", "edge", "accent", "danger"].map((name) => [name, colour(name)]));
  colours.kinds = kinds.map((_, kind) => colour(`kind-${kind}`));
  redraw();
}
