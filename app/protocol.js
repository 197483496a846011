// The stream's protocol without I/O: REST bodies and frames go in, one state comes out.
//
// A `snapshot` replaces what it carries and sets the offset; a `delta` must be the next offset. An older one is
// dropped, a hole makes `frame` return "resync", and the caller asks for a new snapshot. Samples merge by tick, so
// reading the same stretch twice (REST, then stream) does no harm. Decimals stay strings except for drawing.

import { NOMINAL_LENGTH_S, NOMINAL_START_S } from "./format.js";

export const LEVELS = ["live", "confirmed", "finalized"];
const TAPE_LENGTH = 400;
const REPLAYED_TICKS = 120;
/** Orders may not be sent in the last seconds of a window: no sample could fill them. */
export const COMMITS_CLOSE_S = 20;
export const WINDOWS = [
  ["0-15", 1, 0, 900], ["15-30", 1, 900, 900], ["30-45", 1, 1800, 900],
  ["45-60", 2, 0, 900], ["60-75", 2, 900, 900], ["75-90", 2, 1800, 900],
  ["H1", 1, 0, 2700], ["H2", 2, 0, 2700], ["FT", 1, 0, 5400],
].map(([name, period, startS, lengthS]) => ({ name, period, startS, lengthS }));

/** Of some two thousand events a match, those that the chart shows. */
const SHOWN = new Set(["shot", "yellow", "red", "penalty_awarded", "var_start"]);

const level = (value) => (LEVELS.includes(value) ? value : "live");

/** Second of nominal match time: a period's added time does not run into the next period. */
export function nominalS(period, playS) {
  return NOMINAL_START_S[period] + Math.min(playS, NOMINAL_LENGTH_S[period]);
}

/** Nominal seconds from now to a window's start (when positive) and end; added time stands still. */
export function windowClock(window, period, playS) {
  const at = period > 0 ? nominalS(period, playS) : 0;
  const start = NOMINAL_START_S[window.period] + window.startS;
  return { startsInS: start - at, leftS: start + window.lengthS - at };
}

export class Feed {
  constructor() {
    this.match = null;
    this.pool = null;
    this.offset = -1;
    this.hole = null; // the tick behind which samples are missing; the shell reads them and sets it to null
    this.#forget();
  }

  #forget() {
    this.samples = []; // by tick, ascending
    this.events = new Map(); // by id
    this.ended = new Set(); // periods whose end has been reported
    this.windows = new Map(WINDOWS.map((w) => [w.name, { ...w, state: "none" }]));
    this.trades = []; // newest first
    this.revisions = new Map(); // by the event that was corrected
  }

  get last() {
    return this.samples[this.samples.length - 1] ?? null;
  }

  /** Between periods: the newest period has ended, so the index rightly stands still. */
  get inBreak() {
    return this.last !== null && this.ended.has(this.last.period);
  }

  /** Read a REST body: `what` is matches, momentum, events, revisions, markets, trades or pool. */
  rest(what, { data }, matchId = "") {
    switch (what) {
      case "matches": return this.#match(data.find((row) => row.match_id === matchId) ?? data[0]);
      case "momentum": return data.forEach((row) => this.#sample(row));
      case "events": return data.forEach((row) => this.#event(row));
      case "revisions": return data.forEach((row) => this.#revision(row));
      case "markets": return data.forEach((row) => this.#window(row));
      case "trades": return [...data].reverse().forEach((row) => this.#trade(row));
      default: return this.#pool(data);
    }
  }

  /** Where on the chart a correction belongs: its event, or the first sample it changes. */
  revisionMarks() {
    const out = [];
    for (const [key, { fromTick, ticks, reason }] of this.revisions) {
      const place = this.events.get(key) ?? this.#at(fromTick);
      if (place) out.push({ period: place.period, playS: place.playS, text: `${ticks.size} samples revised: ${reason}` });
    }
    return out;
  }

  /** Take a frame. Returns "" when applied, "old" for one already seen, "resync" when something is missing. */
  frame(frame) {
    if (frame?.type === "snapshot") return this.#snapshot(frame);
    if (frame?.type !== "delta") return "";
    if (this.offset < 0 || frame.offset > this.offset + 1) return "resync";
    if (frame.offset <= this.offset) return "old";
    this.offset = frame.offset;
    this.#delta(frame.kind, frame.data ?? {});
    return "";
  }

  #snapshot({ offset, data: { match, momentum, markets, trades, pool } }) {
    this.offset = offset;
    this.#match(match);
    const newest = momentum.data[momentum.data.length - 1]?.tick ?? 0;
    // A snapshot may be a little older than what REST said; far behind it, the match has been started again.
    if (newest < (this.last?.tick ?? 0) - REPLAYED_TICKS) this.#forget();
    const before = this.last?.tick ?? 0;
    if ((momentum.data[0]?.tick ?? 0) > before + 1) this.hole = before;
    momentum.data.forEach((row) => this.#sample(row));
    momentum.events.forEach((row) => this.#event(row));
    momentum.revisions.forEach((row) => this.#revision(row));
    markets.forEach((row) => this.#window(row));
    this.trades = [];
    [...trades].reverse().forEach((row) => this.#trade(row));
    this.#pool(pool);
    return "";
  }

  #delta(kind, data) {
    switch (kind) {
      case "tick": return this.#sample(data);
      case "event": return this.#event(data);
      case "revision": return this.#revision(data);
      case "match": return this.#match(data);
      case "window": return this.#window(data);
      case "pool": return this.#pool(data);
      case "order": case "trade": case "liquidation": case "settlement": return this.#trade(data);
      default: return undefined; // a kind of tomorrow
    }
  }

  #match(row) {
    if (row) this.match = row;
  }

  #sample(row) {
    const old = this.#at(row.tick);
    const sample = {
      tick: row.tick, period: row.period, playS: row.second, dataMs: row.data_ms, index: Number(row.x), level: level(row.status),
      // Only the chain knows of suspensions: a live sample goes on as the one before it.
      suspended: row.suspended ?? old?.suspended ?? this.last?.suspended ?? false, revised: old?.revised ?? false,
    };
    let at = this.samples.length;
    while (at > 0 && this.samples[at - 1].tick > sample.tick) at -= 1;
    if (old) this.samples[at - 1] = sample;
    else this.samples.splice(at, 0, sample);
  }

  #at(tick) {
    for (let i = this.samples.length - 1; i >= 0 && this.samples[i].tick >= tick; i -= 1) {
      if (this.samples[i].tick === tick) return this.samples[i];
    }
    return null;
  }

  /** A late correction: published values stay as they were; the chart shows where they would differ. */
  #revision(row) {
    const sample = this.#at(row.tick);
    if (sample) sample.revised = true;
    const key = row.event_id ?? row.reason;
    const known = this.revisions.get(key) ?? { reason: row.reason, fromTick: row.tick, ticks: new Set() };
    known.fromTick = Math.min(known.fromTick, row.tick);
    known.ticks.add(row.tick);
    this.revisions.set(key, known);
  }

  /** Events merge by version; one that was withdrawn, or became something the chart does not show, goes. */
  #event(row) {
    if (row.kind === "period_end" && !row.deleted) this.ended.add(row.period);
    if ((this.events.get(row.event_id)?.version ?? -1) > row.version) return;
    if (row.deleted || !SHOWN.has(row.kind)) this.events.delete(row.event_id);
    else this.events.set(row.event_id, { ...row, playS: row.play_ms / 1000 });
  }

  #window(row) {
    const old = this.windows.get(row.name);
    if (old) this.windows.set(row.name, { ...old, ...row });
  }

  #trade(row) {
    if (row.kind === "settlement" && !(Number(row.qty) > 0)) return; // an account that was closed empty
    if (row.kind === "trade" && row.sample_index == null) row = { ...row, ...this.#placeOf(row.commit_at) };
    const known = this.trades.findIndex((trade) => trade.id === row.id);
    if (known >= 0) this.trades[known] = row;
    else this.trades.unshift(row);
    this.trades.length = Math.min(this.trades.length, TAPE_LENGTH);
  }

  /** A refund has no sample: its place in the match is where it was committed. */
  #placeOf(time) {
    const dataMs = Date.parse(time) - Date.parse(this.match?.start_at);
    const sample = this.samples.findLast((s) => s.dataMs <= dataMs);
    return sample && { period: sample.period, play_ms: sample.playS * 1000 };
  }

  #pool(row) {
    if (row) this.pool = row;
  }
}
