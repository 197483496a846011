// The stream's protocol without I/O: REST bodies and frames go in, one state comes out.
//
// A `snapshot` replaces what it carries and sets the offset; a `delta` must be the next offset. An older one is
// dropped, a hole makes `frame` return "resync", and the caller asks for a new snapshot. Samples merge by tick, so
// reading the same stretch twice (REST, then stream) does no harm. Decimals stay strings except for drawing.

import { NOMINAL_LENGTH_S, NOMINAL_START_S } from "./format.js";

export const LEVELS = ["live", "confirmed", "finalized"];
const TAPE_LENGTH = 400;
/** Orders may not be sent in the last seconds of a window: no sample could fill them. */
export const COMMITS_CLOSE_S = 20;
export const WINDOWS = [
  ["0-15", 1, 0, 900], ["15-30", 1, 900, 900], ["30-45", 1, 1800, 900],
  ["45-60", 2, 0, 900], ["60-75", 2, 900, 900], ["75-90", 2, 1800, 900],
  ["H1", 1, 0, 2700], ["H2", 2, 0, 2700], ["FT", 1, 0, 5400],
].map(([name, period, startS, lengthS]) => ({ name, period, startS, lengthS }));

/** A decimal by its name, or made from the integer of the same name with its scale. */
export function e6(row, name) {
  if (row[name] != null) return String(row[name]);
  const scaled = row[`${name}_e6`];
  if (scaled == null) return null;
  const digits = String(Math.abs(scaled)).padStart(7, "0");
  return `${scaled < 0 ? "-" : ""}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

const level = (value) => (LEVELS.includes(value) ? value : "confirmed");

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
    this.offset = -1;
    this.samples = []; // by tick, ascending
    this.events = new Map(); // by id
    this.windows = new Map(WINDOWS.map((w) => [w.name, { ...w, state: "none" }]));
    this.trades = []; // newest first
    this.pool = null;
    this.revisions = new Map(); // by the event that was corrected
  }

  get last() {
    return this.samples[this.samples.length - 1] ?? null;
  }

  /** Read a REST body: `what` is matches, momentum, markets, trades or pool. */
  rest(what, body, matchId = "") {
    const rows = Array.isArray(body?.data) ? body.data : [];
    if (what === "matches") this.#match(rows.find((row) => row.match_id === matchId) ?? rows[0]);
    else if (what === "momentum") this.#momentum(body);
    else if (what === "markets") rows.forEach((row) => this.#window(row));
    else if (what === "trades") [...rows].reverse().forEach((row) => this.#trade(row));
    else if (what === "pool") this.#pool(body?.data ?? body);
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

  #snapshot({ offset, data = {} }) {
    this.offset = offset;
    this.#match(data.match);
    this.#momentum(data.momentum);
    (data.markets ?? []).forEach((row) => this.#window(row));
    if (data.trades) {
      this.trades = [];
      [...data.trades].reverse().forEach((row) => this.#trade(row));
    }
    this.#pool(data.pool);
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
      case "order": case "trade": case "liquidation": case "settlement": return this.#trade({ kind, ...data });
      default: return undefined; // a kind of tomorrow
    }
  }

  #match(row) {
    if (row) this.match = { ...this.match, ...row };
  }

  #momentum(body) {
    (body?.data ?? []).forEach((row) => this.#sample(row));
    (body?.events ?? []).forEach((row) => this.#event(row));
    (body?.revisions ?? []).forEach((row) => this.#revision(row));
  }

  #sample(row) {
    const old = this.#at(row.tick);
    const sample = {
      ...old, tick: row.tick, period: row.period, playS: row.second, dataMs: row.data_ms,
      index: Number(e6(row, "x")), level: level(row.status),
      suspended: row.suspended ?? (row.suspend_epoch ?? 0) % 2 === 1, revised: old?.revised ?? false,
    };
    if (!Number.isFinite(sample.index) || !Number.isInteger(sample.tick)) return;
    let at = this.samples.length;
    while (at > 0 && this.samples[at - 1].tick > sample.tick) at -= 1;
    if (at > 0 && this.samples[at - 1].tick === sample.tick) this.samples[at - 1] = sample;
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
    const known = this.revisions.get(key);
    const change = Math.abs(row.new_e6 - row.old_e6);
    this.revisions.set(key, {
      reason: row.reason, eventId: row.event_id,
      fromTick: Math.min(known?.fromTick ?? row.tick, row.tick), toTick: Math.max(known?.toTick ?? 0, row.tick),
      largestE6: Math.max(known?.largestE6 ?? 0, change),
    });
  }

  #event(row) {
    if (row.deleted) {
      this.events.delete(row.event_id);
    } else {
      const old = this.events.get(row.event_id);
      if (old && row.version !== undefined && row.version < old.version) return;
      this.events.set(row.event_id, { ...row, playS: row.play_ms / 1000 });
    }
  }

  #window(row) {
    const old = this.windows.get(row.name);
    if (old) this.windows.set(row.name, { ...old, ...row });
  }

  #trade(row) {
    const known = row.id ? this.trades.findIndex((trade) => trade.id === row.id) : -1;
    if (known >= 0) this.trades[known] = { ...this.trades[known], ...row };
    else this.trades.unshift(row);
    this.trades.length = Math.min(this.trades.length, TAPE_LENGTH);
  }

  #pool(row) {
    if (row) this.pool = { ...this.pool, ...row };
  }
}
