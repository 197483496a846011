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

/** What a window's countdown says: [state for the style sheet, words]. */
export function windowState(window, period, playS) {
  if (window.state === "final") return ["final", "Settled"];
  if (window.state === "void") return ["void", "Void"];
  const { startsInS, leftS } = windowClock(window, period, playS);
  if (leftS <= 0) return ["ended", "Being settled"];
  if (window.state !== "open") return ["none", startsInS > 0 ? `In ${countdown(startsInS)}` : "Not listed"];
  if (leftS <= COMMITS_CLOSE_S) return ["closing", `Orders closed, ${countdown(leftS)}`];
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
    <p class="mark"><b></b><span class="mark-word"></span></p>
    <div class="rail" aria-hidden="true"><i class="spread"></i><i class="pin"></i></div>
    <dl><div><dt>Short at</dt><dd class="bid"></dd></div><div><dt>Long at</dt><dd class="ask"></dd></div></dl>
    <div class="oi"><span class="long"></span><span class="oi-bar" aria-hidden="true"><i></i></span><span class="short"></span></div>`;
  return card;
}

const settledOf = (w) => (w.state === "final" ? w.settlement : w.state === "void" ? null : w.mark);

function fillCard(card, window, period, playS) {
  const q = (selector) => card.querySelector(selector);
  const [state, words] = windowState(window, period, playS);
  const value = settledOf(window);
  const live = value != null && state !== "final";
  attr(card, "data-state", state);
  text(q("h3"), windowTitle(window.name));
  text(q(".state"), words);
  text(q(".mark b"), value == null ? "–" : fixed(value, 2));
  text(q(".mark-word"), state === "final" ? "settled" : state === "void" ? "void: collateral returned" : "mark");
  text(q(".bid"), live && window.bid != null ? fixed(window.bid, 2) : "–");
  text(q(".ask"), live && window.ask != null ? fixed(window.ask, 2) : "–");
  const [long, short] = [Number(window.oi_long ?? 0), Number(window.oi_short ?? 0)];
  text(q(".long"), `Long ${fixed(window.oi_long ?? "0", 0)}`);
  text(q(".short"), `${fixed(window.oi_short ?? "0", 0)} Short`);
  q(".oi-bar i").style.transform = `scaleX(${long + short > 0 ? long / (long + short) : 0.5})`;
  attr(q(".oi-bar"), "data-empty", long + short === 0);
  q(".rail").hidden = value == null;
  q(".pin").style.left = `${Number(value ?? 50)}%`;
  q(".spread").hidden = !live || window.bid == null || window.ask == null;
  q(".spread").style.left = `${Number(window.bid ?? 50)}%`;
  q(".spread").style.width = `${Math.max(0, Number(window.ask ?? 50) - Number(window.bid ?? 50))}%`;
}

export function drawWindows(feed) {
  const { period, playS } = nowOf(feed);
  const cards = $("cards");
  const shown = chosen(feed);
  while (cards.children.length < shown.length) cards.append(newCard());
  shown.forEach((window, i) => fillCard(cards.children[i], window, period, playS));
  const body = $("window-rows");
  [...feed.windows.values()].forEach((window, i) => {
    const row = body.children[i] ?? body.appendChild(el("tr", el("th"), el("td"), el("td.n"), el("td.n.wide"), el("td.n.wide"), el("td.n"), el("td.n")));
    const [state, words] = windowState(window, period, playS);
    const value = settledOf(window);
    const live = state !== "final" && state !== "void";
    attr(row, "data-state", state);
    attr(row.cells[0], "scope", "row");
    [shortWindow(window.name), words, value == null ? "–" : fixed(value, 2),
      live && window.bid != null ? fixed(window.bid, 2) : "–", live && window.ask != null ? fixed(window.ask, 2) : "–",
      fixed(window.oi_long ?? "0", 0), fixed(window.oi_short ?? "0", 0)].forEach((value, n) => text(row.cells[n], value));
  });
}

const SIDES = { long: "Long", short: "Short" };

/** One line of the tape: {group, title, detail, value, tone}. */
export function tapeRow(trade) {
  const size = trade.qty != null ? grouped(trade.qty, 0) : "";
  const side = SIDES[trade.side] ?? "";
  const where = shortWindow(trade.window ?? "");
  const won = (amount) => (Number(amount) < 0 ? `−$${grouped(String(amount).slice(1), 2)}` : `+$${grouped(amount, 2)}`);
  if (trade.kind === "order") {
    return { group: "order", title: `${side} ${size}`, detail: `${where}, waits for its sample`, value: "…", tone: trade.side };
  }
  if (trade.kind === "liquidation") {
    return { group: "end", title: `Liquidated ${side.toLowerCase()} ${size}`, detail: `${where}, margin used up`, value: fixed(trade.price, 2), tone: "alert" };
  }
  if (trade.kind === "settlement") {
    return { group: "end", title: `Settled ${side.toLowerCase()} ${size}`, detail: `${where} at ${fixed(trade.settlement, 2)}`, value: won(trade.pnl), tone: "quiet" };
  }
  if (trade.reason !== "filled") {
    return { group: "refund", title: `Refund ${side.toLowerCase()} ${size}`, detail: `${where}: ${REASONS[trade.reason] ?? trade.reason}`, value: "$ back", tone: "warn" };
  }
  const closing = Number(trade.closed ?? 0) > 0;
  return { group: "fill", title: `${side} ${size}`, detail: `${where}${closing ? ", closes" : ""}`, value: fixed(trade.price, 2), tone: trade.side };
}

export function drawTape(feed, filter) {
  const list = $("tape");
  const rows = feed.trades.map((trade) => [trade, tapeRow(trade)])
    .filter(([, row]) => filter === "all" || row.group === filter).slice(0, 80);
  rows.forEach(([trade, row], i) => {
    const item = list.children[i] ?? list.appendChild(el("li", el("time"), el("span.what", el("b"), el("small")), el("span.value")));
    attr(item, "data-tone", row.tone ?? "");
    attr(item, "data-level", trade.level ?? "confirmed");
    text(item.children[0], trade.period > 0 ? minute(trade.period, trade.play_ms / 1000) : "–");
    text(item.children[1].children[0], row.title);
    text(item.children[1].children[1], row.detail);
    text(item.children[2], row.value);
  });
  while (list.children.length > rows.length) list.lastChild.remove();
  attr(list, "data-empty", rows.length === 0);
}

const POOL = [
  ["cash", "Cash"], ["reserved", "Reserved"], ["margin", "Traders' free margin"], ["position_collateral", "In positions"],
  ["fee_escrow", "Fees in escrow"], ["insurance", "Insurance"],
];

export function drawPool(feed) {
  if (!feed.pool) return;
  const box = $("pool");
  POOL.forEach(([name, words], i) => {
    const item = box.children[i] ?? box.appendChild(el("div", el("dt", words), el("dd")));
    const value = feed.pool[name];
    text(item.lastChild, value == null ? "–" : `$${grouped(value, 0)}`);
  });
  levelChip($("pool-level"), feed.pool.level);
  const [cash, reserved] = [Number(feed.pool.cash ?? 0), Number(feed.pool.reserved ?? 0)];
  const share = cash > 0 ? reserved / cash : 0;
  $("pool-use").firstElementChild.style.transform = `scaleX(${Math.min(1, share)})`;
  attr($("pool-use"), "aria-valuenow", Math.round(share * 100));
  text($("pool-use-text"), `${(share * 100).toFixed(1)} % reserved for payouts`);
}
