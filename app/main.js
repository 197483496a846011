// The shell: fetches, sockets, timers and input. Every decision is in link.js, protocol.js, geometry.js and view.js.

import { Chart } from "./chart.js";
import { $, attr, text } from "./dom.js";
import { PERIODS, clock } from "./format.js";
import { Link } from "./link.js";
import { Feed } from "./protocol.js";
import { drawIndex, drawMatch, drawPool, drawTape, drawWindows, nowOf, statusOf } from "./view.js";

const feed = new Feed();
const link = new Link();
const chart = new Chart($("chart"), $("pulse"), $("readout"));
let matchId = new URLSearchParams(location.search).get("match") ?? "";
let socket = null;
let dirty = false;
let said = { score: "", status: "" };

function redraw() {
  if (dirty) return;
  dirty = true;
  requestAnimationFrame(() => {
    dirty = false;
    drawMatch(feed);
    drawIndex(feed);
    drawWindows(feed);
    drawTape(feed, document.querySelector("input[name=tape]:checked").value);
    drawPool(feed);
    chart.draw(feed);
    announce();
    text($("foot"), feed.offset >= 0 ? `Frame ${feed.offset}, ${feed.samples.length} samples.` : "");
  });
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
  attr($("link"), "data-phase", link.phase);
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

/** The last known state of everything, so that there is something to see before the first frame. */
async function readAll() {
  const matches = await read("matches", "/v1/matches");
  if (!matchId) matchId = feed.match?.match_id ?? "";
  if (!matchId) throw new Error("no match yet");
  drawPicker(matches.data ?? []);
  const id = encodeURIComponent(matchId);
  await Promise.all([
    history(),
    read("markets", `/v1/markets?match=${id}`),
    read("trades", `/v1/trades?match=${id}&limit=200`),
    read("pool", "/v1/pool"),
  ]);
  redraw();
}

/** Every sample from `after` on, page by page. */
async function history(after = 0) {
  const path = `/v1/matches/${encodeURIComponent(matchId)}/momentum?limit=5000`;
  let cursor = after ? `&after=${after}` : "";
  for (let page = 0; page < 20; page += 1) {
    const body = await read("momentum", path + cursor);
    if (!body.next_cursor) return;
    cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`;
  }
}

async function connect() {
  link.connecting(performance.now());
  drawLink();
  try {
    if (feed.offset < 0) await readAll();
  } catch {
    return retry(); // the server is not there, or the match has not begun
  }
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const since = feed.offset >= 0 ? `&offset=${feed.offset}` : "";
  const own = new WebSocket(`${scheme}://${location.host}/v1/stream?match=${encodeURIComponent(matchId)}${since}`);
  socket = own;
  own.onmessage = ({ data }) => {
    if (socket !== own) return;
    link.heard(performance.now());
    const frame = JSON.parse(data);
    if (feed.frame(frame) === "resync") {
      feed.offset = -1; // something is missing: start again from what the server holds
      own.close();
    }
    redraw();
  };
  own.onclose = () => {
    if (socket === own) retry();
  };
  return undefined;
}

function retry() {
  socket = null;
  setTimeout(connect, link.closed(performance.now()));
  drawLink();
}

setInterval(() => {
  if (link.poll(performance.now()) === "reconnect") socket?.close();
  drawLink();
}, 500);
// Back from another tab or from flight mode: look at once instead of waiting for the timer.
addEventListener("online", () => socket?.close());
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
$("chart").addEventListener("pointermove", pointAt);
$("chart").addEventListener("pointerdown", pointAt);
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

const THEMES = ["system", "light", "dark"];
const button = $("theme");
function showTheme() {
  attr(button, "aria-label", `Theme: ${document.documentElement.dataset.theme ?? "system"}`);
  attr(button, "title", `Theme: ${document.documentElement.dataset.theme ?? "system"}`);
  chart.readInks();
  redraw();
}
button.addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "system") + 1) % 3];
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
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
