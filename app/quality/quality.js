// The shell: asks for the feeds every other second and shows them. What a row says is decided in rows.js.

import { $, attr, el, text } from "../dom.js";
import { cells, summary } from "./rows.js";

const EVERY_MS = 2000;
let failures = 0;

function phase(name, words) {
  attr(document.body, "data-phase", name);
  text($("link-text"), words);
}

/** As many rows as feeds, each changed only where it differs. */
function draw(feeds) {
  const body = $("rows");
  while (body.rows.length > feeds.length) body.lastElementChild.remove();
  feeds.forEach((feed, at) => {
    const row = body.rows[at] ?? body.appendChild(build());
    attr(row, "data-feed", `${feed.match_id}/${feed.provider}`);
    cells(feed).forEach(([words, tone], column) => {
      const cell = row.cells[column];
      text(column === 2 ? cell.lastElementChild : cell, words);
      attr(cell, "data-tone", tone);
    });
    row.cells[2].firstElementChild.value = feed.health;
  });
  $("empty").hidden = feeds.length > 0;
  text($("summary"), summary(feeds));
}

function build() {
  const row = el("tr");
  for (let column = 0; column < 11; column += 1) {
    const cell = el(column > 2 ? "td.n" : column ? "td" : "th");
    if (column === 0) cell.scope = "row";
    if (column === 2) {
      const meter = el("meter");
      Object.assign(meter, { min: 0, max: 100, low: 60, high: 85, optimum: 100 });
      meter.ariaLabel = "Health";
      cell.append(meter, el("span"));
    }
    row.append(cell);
  }
  return row;
}

async function look() {
  try {
    const response = await fetch("/v1/feeds", { headers: { accept: "application/json" }, signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(String(response.status));
    draw((await response.json()).data);
    failures = 0;
    phase("live", "Live");
  } catch {
    failures += 1;
    phase("waiting", "No answer, trying again");
  }
  setTimeout(look, Math.min(EVERY_MS * 2 ** failures, 30_000));
}

look();
