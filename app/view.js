// From the state to the page.

import { $, attr, el, levelChip, text } from "./dom.js";
import { NOMINAL_LENGTH_S, PERIODS, REASONS, SUSPENSIONS, clock, countdown, fixed, grouped, minute, shortWindow, windowTitle } from "./format.js";
import { COMMITS_CLOSE_S, windowClock } from "./protocol.js";

/** Where the match stands: the newest sample, or what the match row says while there is none. */
export function nowOf(feed) {
  const last = feed.last;
  if (last) return { period: last.period, playS: last.playS };
  return { period: feed.match?.period ?? 0, playS: 0 };
}

/** The match's status in a word for machines and in words for people. */
export function statusOf(feed) {
  const { match, last } = feed;
  if (!match) return ["waiting", "Waiting for the feed"];
  if (match.status === "final") return ["final", "Full time"];
  if (!last) return ["waiting", "Before kick-off"];
  if (last.suspended && match.status === "live") {
    const why = SUSPENSIONS[match.suspend_reason];
    return ["suspended", why ? `Suspended: ${why}` : "Suspended"];
  }
  if (feed.inBreak) return ["break", last.period === 1 ? "Half-time" : "Break"];
  return ["live", "In play"];
}

export function drawMatch(feed) {
  const { match } = feed;
  if (!match) return;
  text($("competition"), [match.competition, (match.kickoff_at ?? "").slice(0, 10)].filter(Boolean).join("  ·  "));
  for (const side of ["home", "away"]) {
    const name = match[`${side}_name`] ?? side;
    text($(`${side}-name`), name);
    attr($(`${side}-name`), "title", name);
    text($(`${side}-goals`), match[`${side}_score`] ?? "–");
    text($(`bar-${side}`), match[`${side}_short`] ?? name);
  }
  const { period, playS } = nowOf(feed);
  const [status, words] = statusOf(feed);
  text($("clock"), clock(period, playS));
  text($("period"), status === "final" || status === "break" ? "" : PERIODS[period]);
  attr($("status"), "data-status", status);
  text($("status"), words);
  document.title = `${match.home_short} ${match.home_score}:${match.away_score} ${match.away_short} · Futstar`;
}

export function drawIndex(feed) {
  const { last } = feed;
  if (!last) return;
  const share = Math.round(last.index * 10) / 10;
  text($("share-home"), share.toFixed(1));
  text($("share-away"), (100 - share).toFixed(1));
  $("bar-fill").style.transform = `scaleX(${(last.index / 100).toFixed(4)})`;
  attr($("bar"), "aria-valuenow", share.toFixed(1));
  attr($("bar"), "aria-valuetext", `${feed.match?.home_name ?? "Home"} ${share.toFixed(1)} of 100`);
  levelChip($("index-level"), last.level);
  const before = feed.samples.findLast((s) => s.period === last.period && s.playS <= last.playS - 60);
  if (!before) return text($("trend"), "");
  const moved = last.index - before.index;
  const arrow = Math.abs(moved) < 0.05 ? "■" : moved > 0 ? "▲" : "▼";
  text($("trend"), `${arrow} ${moved < 0 ? "−" : "+"}${Math.abs(moved).toFixed(1)} in a minute`);
}

/** What a window's countdown says: [state for the style sheet, words]. Nobody can trade while play is suspended. */
export function windowState(window, period, playS, suspended = false) {
  if (window.state === "final") return ["final", "Settled"];
  if (window.state === "void") return ["void", "Void"];
  const { startsInS, leftS } = windowClock(window, period, playS);
  if (leftS <= 0) return ["ended", "Being settled"];
  if (window.state !== "open") return ["none", startsInS > 0 ? `In ${countdown(startsInS)}` : "Not listed"];
  if (leftS <= COMMITS_CLOSE_S) return ["closing", `Orders closed, ${countdown(leftS)}`];
  if (suspended) return ["closing", `Paused, ${countdown(leftS)} left`];
  if (startsInS > 0) return ["ahead", `Starts in ${countdown(startsInS)}`];
  return ["open", `${countdown(leftS)} left`];
}

/** The three windows to show large: the quarter, the half and the match that matter now. */
export function chosen(feed) {
  const { period, playS } = nowOf(feed);
  const all = [...feed.windows.values()];
  const quarters = all.filter((w) => w.lengthS === 900);
  const running = (w) => windowClock(w, period, playS).leftS > 0;
  const half = period >= 2 || (period === 1 && playS >= NOMINAL_LENGTH_S[1]) ? "H2" : "H1";
  return [quarters.find(running) ?? quarters[5], feed.windows.get(half), feed.windows.get("FT")];
}

function newCard() {
  const card = el("article.card.panel");
  card.innerHTML = `<header><h3></h3><span class="state"></span></header>
    <p class="mark"><b></b><span></span></p>
    <div class="rail" aria-hidden="true"><i class="spread"></i><i class="pin"></i></div>
    <dl><div><dt>Short at</dt><dd></dd></div><div><dt>Long at</dt><dd></dd></div></dl>
    <div class="oi"><span></span><span class="oi-bar" aria-hidden="true"><i></i></span><span></span></div>`;
  return card;
}

const price = (value) => fixed(value, 2) || "–";
const quantity = (value) => fixed(value ?? "0", 0);

/** What there is to show of a window: its mark, or what it settled at; the bid and ask of a running one. */
function pricesOf(window) {
  if (window.state === "final") return { value: window.settlement };
  return window.state === "open" ? { value: window.mark, bid: window.bid, ask: window.ask } : {};
}

function fillCard(card, window, [state, words]) {
  const q = (selector) => card.querySelector(selector);
  const { value, bid, ask } = pricesOf(window);
  const [long, short] = [Number(window.oi_long ?? 0), Number(window.oi_short ?? 0)];
  attr(card, "data-state", state);
  text(q("h3"), windowTitle(window.name));
  text(q(".state"), words);
  text(q(".mark b"), price(value));
  text(q(".mark span"), { final: "settled", void: "collateral returned" }[state] ?? "mark");
  text(q("dl div:first-child dd"), price(bid));
  text(q("dl div:last-child dd"), price(ask));
  text(q(".oi").firstChild, `Long ${quantity(window.oi_long)}`);
  text(q(".oi").lastChild, `${quantity(window.oi_short)} Short`);
  q(".oi-bar i").style.transform = `scaleX(${long + short > 0 ? long / (long + short) : 0.5})`;
  attr(q(".oi-bar"), "data-empty", long + short === 0);
  q(".rail").hidden = value == null;
  q(".pin").style.left = `${Number(value)}%`;
  q(".spread").hidden = bid == null;
  q(".spread").style.left = `${Number(bid ?? 0)}%`;
  q(".spread").style.width = `${Math.max(0, Number(ask ?? 0) - Number(bid ?? 0))}%`;
}

export function drawWindows(feed) {
  const { period, playS } = nowOf(feed);
  const stateOf = (window) => windowState(window, period, playS, feed.last?.suspended);
  const cards = $("cards");
  const shown = chosen(feed);
  while (cards.children.length < shown.length) cards.append(newCard());
  shown.forEach((window, i) => fillCard(cards.children[i], window, stateOf(window)));
  const body = $("window-rows");
  [...feed.windows.values()].forEach((window, i) => {
    const row = body.children[i] ?? body.appendChild(newRow());
    const [state, words] = stateOf(window);
    const { value, bid, ask } = pricesOf(window);
    attr(row, "data-state", state);
    const cells = [shortWindow(window.name), words, price(value), price(bid), price(ask), quantity(window.oi_long), quantity(window.oi_short)];
    cells.forEach((cell, n) => text(row.cells[n], cell));
  });
}

function newRow() {
  const row = el("tr", el("th"), el("td.state-cell"), el("td.n"), el("td.n.wide"), el("td.n.wide"), el("td.n"), el("td.n"));
  row.cells[0].scope = "row";
  return row;
}

const money = (amount) => `${Number(amount) < 0 ? "−" : "+"}$${grouped(String(amount).replace("-", ""), 2)}`;

/** One line of the tape: {group, title, detail, value, tone}. */
export function tapeRow(trade) {
  const { kind, side, reason } = trade;
  const size = grouped(trade.qty, 0);
  const where = shortWindow(trade.window ?? "");
  const title = `${side === "long" ? "Long" : "Short"} ${size}`;
  const who = ` · ${trade.owner?.slice(0, 4) ?? ""}`;
  if (kind === "order") return { group: "order", title, detail: `${where}${who}, waits for its sample`, value: "…", tone: side };
  if (kind === "liquidation") {
    return { group: "end", title: `Liquidated ${side} ${size}`, detail: `${where}${who}, margin used up`, value: price(trade.price), tone: "alert" };
  }
  if (kind === "settlement") {
    return { group: "end", title: `Settled ${side} ${size}`, detail: `${where}${who} at ${price(trade.settlement)}`, value: money(trade.pnl), tone: "" };
  }
  if (reason !== "filled") {
    return { group: "refund", title: `Refund ${side} ${size}`, detail: `${where}: ${REASONS[reason] ?? reason}`, value: `$${grouped(trade.refund ?? "0", 2)} back`, tone: "warn" };
  }
  const closes = Number(trade.closed) > 0 ? `, closes ${money(String(Number(trade.gain) > 0 ? trade.gain : `-${trade.loss}`))}` : "";
  return { group: "fill", title, detail: `${where}${who}${closes}`, value: price(trade.price), tone: side };
}

export function drawTape(feed, filter) {
  const list = $("tape");
  const rows = feed.trades.map((trade) => [trade, tapeRow(trade)])
    .filter(([, row]) => filter === "all" || row.group === filter).slice(0, 80);
  rows.forEach(([trade, row], i) => {
    const item = list.children[i] ?? list.appendChild(el("li", el("time"), el("span.what", el("b"), el("small")), el("span.value")));
    attr(item, "data-tone", row.tone);
    attr(item, "title", `${trade.level ?? ""} ${trade.owner ?? ""}`);
    text(item.firstChild, trade.period > 0 ? minute(trade.period, trade.play_ms / 1000) : "–");
    text(item.querySelector("b"), row.title);
    text(item.querySelector("small"), row.detail);
    text(item.lastChild, row.value);
  });
  while (list.children.length > rows.length) list.lastChild.remove();
  attr(list, "data-empty", rows.length === 0);
}

const POOL = {
  cash: "Cash", reserved: "Reserved", margin: "Traders' free margin", position_collateral: "In positions",
  fees_charged: "Fees charged", insurance: "Insurance",
};

export function drawPool(feed) {
  if (!feed.pool) return;
  const box = $("pool");
  Object.entries(POOL).forEach(([name, words], i) => {
    const item = box.children[i] ?? box.appendChild(el("div", el("dt", words), el("dd")));
    text(item.lastChild, `$${grouped(feed.pool[name] ?? "0", 0)}`);
  });
  levelChip($("pool-level"), feed.pool.level);
  const cash = Number(feed.pool.cash);
  const share = cash > 0 ? Number(feed.pool.reserved) / cash : 0;
  $("pool-use").firstElementChild.style.transform = `scaleX(${Math.min(1, share)})`;
  attr($("pool-use"), "aria-valuenow", Math.round(share * 100));
  text($("pool-use-text"), `${(share * 100).toFixed(1)} % reserved for payouts`);
}
