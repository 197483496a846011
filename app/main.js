// The shell: fetches, sockets, timers and input. Every decision is in link.js, protocol.js, geometry.js and view.js.

import { Chart } from "./chart.js";
import { $, attr, text } from "./dom.js";
import { PERIODS, clock } from "./format.js";
import { Link } from "./link.js";
import { Feed } from "./protocol.js";
import { drawIndex, drawMatch, drawPool, drawTape, drawWindows, nowOf, statusOf } from "./view.js";

const DRAW_EVERY_MS = 80;
const feed = new Feed();
const link = new Link();
const chart = new Chart($("chart"), $("pulse"), $("readout"));
let matchId = new URLSearchParams(location.search).get("match") ?? "";
let socket = null;
let dirty = false;
let drawnMs = 0;
let said = { score: "", status: "" };

/** Draw soon, at most some twelve times a second: a replay at speed 60 must not empty a phone's battery. */
function redraw() {
  if (dirty) return;
  dirty = true;
  const wait = Math.max(0, drawnMs + DRAW_EVERY_MS - performance.now());
  setTimeout(requestAnimationFrame, wait, draw);
}

function draw(nowMs) {
  dirty = false;
  drawnMs = nowMs;
  drawMatch(feed);
  drawIndex(feed);
  drawWindows(feed);
  drawTape(feed, document.querySelector("input[name=tape]:checked").value);
  drawPool(feed);
  chart.draw(feed);
  announce();
  text($("foot"), feed.offset >= 0 ? `Frame ${feed.offset}, ${feed.samples.length} samples.` : "");
}

/** Only what people wait for is read out: the score and the state of play. */
function announce() {
  const { match } = feed;
  if (!match) return;
  const score = `${match.home_name} ${match.home_score}, ${match.away_name} ${match.away_score}`;
  const status = statusOf(feed)[1];
  if (score !== said.score || status !== said.status) {
    const { period, playS } = nowOf(feed);
    text($("announce"), `${clock(period, playS)} ${PERIODS[period] ?? ""}. ${score}. ${status}.`);
    said = { score, status };
  }
}

function drawLink() {
  const words = link.text(performance.now());
  text($("link-text"), words);
  attr(document.body, "data-phase", link.phase);
}

async function read(what, path) {
  const response = await fetch(path, { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  const body = await response.json();
  feed.rest(what, body, matchId);
  return body;
}

/** A list, page by page. */
async function readPages(what, path) {
  for (let cursor = ""; ; ) {
    const { next_cursor: next } = await read(what, path + cursor);
    if (!next) return;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
}

/** Every sample behind a tick, and what belongs to the samples. */
function history(after) {
  const base = `/v1/matches/${encodeURIComponent(matchId)}`;
  return Promise.all([
    readPages("momentum", `${base}/momentum?limit=6000&after=${after}`),
    readPages("events", `${base}/events?limit=1000`),
    readPages("revisions", `${base}/revisions?limit=1000`),
  ]);
}

/** The last known state of everything, so that there is something to see before the first frame. */
async function readAll() {
  const { data } = await read("matches", "/v1/matches");
  if (!data.length) throw new Error("no match yet");
  matchId ||= feed.match.match_id;
  drawPicker(data);
  const id = encodeURIComponent(matchId);
  await Promise.all([history(0), read("markets", `/v1/markets?match=${id}`), read("trades", `/v1/trades?match=${id}&limit=200`)]);
  // A pool that the chain has not shown yet is no reason to wait.
  await read("pool", "/v1/pool").catch(() => {});
  redraw();
}

async function connect() {
  link.connecting(performance.now());
  drawLink();
  try {
    if (feed.offset < 0) await readAll();
  } catch {
    retry(); // the server is not there, or the match has not begun
    return;
  }
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const since = feed.offset >= 0 ? `&offset=${feed.offset}` : "";
  const own = new WebSocket(`${scheme}://${location.host}/v1/stream?match=${encodeURIComponent(matchId)}${since}`);
  socket = own;
  own.onmessage = ({ data }) => {
    if (socket !== own) return;
    const frame = JSON.parse(data);
    // A refusal is no sign of life: it must not shorten the wait before the next attempt.
    if (frame.type !== "error") link.heard(performance.now());
    if (feed.frame(frame) === "resync") own.send('{"type":"resync"}');
    if (feed.hole !== null) fillHole();
    redraw();
  };
  own.onclose = () => {
    if (socket === own) retry();
  };
}

/** Leave the socket without waiting for its closing handshake: a dead network never answers it. */
function hangUp() {
  if (!socket) return;
  socket.close();
  retry();
}

/** Samples between the REST read and the snapshot, or lost in a gap, are read again; the rest goes on meanwhile. */
async function fillHole() {
  const after = feed.hole;
  feed.hole = null;
  try {
    await history(after);
    redraw();
  } catch {
    // The next hole or reconnect asks again.
  }
}

function retry() {
  socket = null;
  setTimeout(connect, link.closed(performance.now()));
  drawLink();
}

setInterval(() => {
  const todo = link.poll(performance.now());
  if (todo === "reconnect") hangUp();
  if (todo === "ping" && socket?.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}');
  drawLink();
}, 500);
// Back from another tab or from flight mode: look at once instead of waiting for the timer.
addEventListener("online", hangUp);
document.addEventListener("visibilitychange", redraw);

function drawPicker(matches) {
  const select = $("match-select");
  $("picker").hidden = matches.length < 2;
  select.replaceChildren(...matches.map((m) => new Option(`${m.home_name} – ${m.away_name}`, m.match_id, false, m.match_id === matchId)));
  select.onchange = () => location.assign(`?match=${encodeURIComponent(select.value)}`);
}

function pointAt(event) {
  chart.cursor = chart.scale?.at(event.clientX - $("chart").getBoundingClientRect().left) ?? null;
  redraw();
}
for (const name of ["pointermove", "pointerdown"]) $("chart").addEventListener(name, pointAt);
for (const name of ["pointerleave", "blur"]) {
  $("chart").addEventListener(name, () => {
    chart.cursor = null;
    redraw();
  });
}
$("chart").addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -60, PageDown: 60 }[event.key];
  if (event.key === "Escape") chart.cursor = null;
  else if (step === undefined && event.key !== "Home" && event.key !== "End") return;
  else chart.move(event.key === "Home" ? -Infinity : event.key === "End" ? Infinity : step * (event.shiftKey ? 60 : 10));
  event.preventDefault();
  redraw();
});
for (const input of document.querySelectorAll("input[name=range]")) {
  input.addEventListener("change", () => {
    chart.rangeS = input.value === "match" ? Infinity : Number(input.value) * 60;
    redraw();
  });
}
for (const input of document.querySelectorAll("input[name=tape]")) input.addEventListener("change", redraw);
new ResizeObserver(redraw).observe($("chart"));

const root = document.documentElement;
const button = $("theme");
function showTheme() {
  const words = `Theme: ${root.dataset.theme ?? "system"}`;
  attr(button, "aria-label", words);
  attr(button, "title", words);
  chart.readInks();
  redraw();
}
button.addEventListener("click", () => {
  const next = { light: "dark", dark: "system" }[root.dataset.theme] ?? "light";
  if (next === "system") delete root.dataset.theme;
  else root.dataset.theme = next;
  try {
    localStorage.setItem("theme", next);
  } catch {
    // The choice then lasts as long as the page.
  }
  showTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);

showTheme();
connect();
