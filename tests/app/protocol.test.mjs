import assert from "node:assert/strict";
import test from "node:test";
import { Feed, nominalS, windowClock } from "../../app/protocol.js";

const tick = (n, more = {}) => ({ tick: n, period: 1, second: n, x: String(50 + n / 10), suspended: false, status: "confirmed", data_ms: n * 1000, ...more });
const delta = (offset, kind, data) => ({ type: "delta", match: "m", offset, kind, data });
const shot = (id, more = {}) => ({ event_id: id, version: 1, deleted: false, kind: "shot", side: "home", period: 1, play_ms: 5000, ...more });
const trade = (id, more = {}) => ({ id, kind: "trade", reason: "filled", window: "0-15", side: "long", qty: "5", price: "50.5", sample_index: 1, level: "confirmed", ...more });
const snapshot = (offset, more = {}) => ({
  type: "snapshot", match: "m", offset,
  data: { match: { match_id: "m", home_score: 0 }, momentum: { data: [], events: [], revisions: [] }, markets: [], trades: [], pool: null, ...more },
});

function started(offset = 10) {
  const feed = new Feed();
  feed.frame(snapshot(offset));
  return feed;
}

test("deltas follow the snapshot one by one", () => {
  const feed = started();
  assert.equal(feed.frame(delta(11, "tick", tick(1))), "");
  assert.equal(feed.frame(delta(12, "tick", tick(2))), "");
  assert.equal(feed.offset, 12);
  assert.deepEqual(feed.samples.map((s) => s.tick), [1, 2]);
  assert.equal(feed.last.index, 50.2);
});

test("a delta seen before changes nothing", () => {
  const feed = started();
  feed.frame(delta(11, "tick", tick(1)));
  assert.equal(feed.frame(delta(11, "tick", tick(1, { x: "99" }))), "old");
  assert.equal(feed.last.index, 50.1);
});

test("a hole in the offsets asks for a new snapshot, which heals it", () => {
  const feed = started();
  assert.equal(feed.frame(delta(13, "tick", tick(3))), "resync");
  assert.equal(feed.samples.length, 0);
  assert.equal(feed.offset, 10);
  feed.frame(snapshot(13, { momentum: { data: [tick(1), tick(2), tick(3)], events: [], revisions: [] } }));
  assert.equal(feed.offset, 13);
  assert.equal(feed.samples.length, 3);
  assert.equal(feed.hole, null);
});

test("a match that is replayed from its start replaces the old run", () => {
  const feed = started();
  feed.rest("momentum", { data: Array.from({ length: 500 }, (_, n) => tick(n + 1)) });
  feed.frame(delta(11, "event", shot("e")));
  feed.frame(snapshot(3, { momentum: { data: [tick(380), tick(381)], events: [], revisions: [] } }));
  assert.equal(feed.samples.length, 500, "a snapshot built a moment ago is no new match");
  feed.frame(snapshot(3, { momentum: { data: [tick(8), tick(9)], events: [], revisions: [] } }));
  assert.deepEqual([feed.samples.length, feed.events.size, feed.hole], [2, 0, 0]);
});

test("a delta before any snapshot asks for one", () => {
  assert.equal(new Feed().frame(delta(1, "tick", tick(1))), "resync");
});

test("samples that neither REST nor the snapshot brought are named, to be read again", () => {
  const feed = new Feed();
  feed.rest("momentum", { data: [tick(1), tick(2)] });
  feed.frame(snapshot(50, { momentum: { data: [tick(9), tick(10)], events: [], revisions: [] } }));
  assert.equal(feed.hole, 2);
  feed.rest("momentum", { data: [3, 4, 5, 6, 7, 8].map((n) => tick(n)) });
  assert.deepEqual(feed.samples.map((s) => s.tick), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("a sample is live first and becomes confirmed and finalized in its place", () => {
  const feed = started();
  feed.frame(delta(11, "tick", tick(1, { suspended: true })));
  feed.frame(delta(12, "tick", tick(2, { status: "live", suspended: null })));
  assert.equal(feed.last.level, "live");
  assert.equal(feed.last.suspended, true, "only the chain knows that the suspension is over");
  feed.frame(delta(13, "tick", tick(2, { status: "confirmed", suspended: false })));
  feed.frame(delta(14, "tick", tick(1, { status: "finalized", suspended: true })));
  assert.deepEqual(feed.samples.map((s) => [s.tick, s.level, s.suspended]), [[1, "finalized", true], [2, "confirmed", false]]);
});

test("a commitment this page does not know counts as the weakest", () => {
  const feed = started();
  feed.frame(delta(11, "tick", tick(1, { status: "optimistic" })));
  assert.equal(feed.last.level, "live");
});

test("heartbeats, pongs and kinds of tomorrow are no changes", () => {
  const feed = started();
  for (const frame of [{ type: "heartbeat", offset: 10 }, { type: "pong" }, { type: "resumed", offset: 10 }, null]) {
    assert.equal(feed.frame(frame), "");
  }
  assert.equal(feed.frame(delta(11, "weather", { rain: true })), "");
  assert.equal(feed.offset, 11);
});

test("events keep their newest version whatever the order of arrival", () => {
  const feed = started();
  feed.frame(delta(11, "event", shot("e", { version: 3, goal: true })));
  feed.frame(delta(12, "event", shot("e", { version: 2 })));
  assert.equal(feed.events.get("e").goal, true);
});

test("an event that is withdrawn, or turns into something else, leaves the chart", () => {
  const feed = started();
  feed.frame(delta(11, "event", shot("a")));
  feed.frame(delta(12, "event", shot("b")));
  feed.frame(delta(13, "event", shot("a", { version: 2, deleted: true })));
  feed.frame(delta(14, "event", shot("b", { version: 2, kind: "pass" })));
  feed.frame(delta(15, "event", shot("c", { kind: "pass" })));
  assert.equal(feed.events.size, 0);
});

test("the end of a period is a break until the next one has a sample", () => {
  const feed = started();
  feed.frame(delta(11, "tick", tick(1)));
  assert.equal(feed.inBreak, false);
  feed.frame(delta(12, "event", shot("end", { kind: "period_end", side: null })));
  assert.equal(feed.inBreak, true);
  feed.frame(delta(13, "tick", tick(2, { period: 2, second: 1 })));
  assert.equal(feed.inBreak, false);
});

test("a late correction is one mark however many samples it changes", () => {
  const feed = started();
  for (let n = 1; n <= 9; n += 1) feed.frame(delta(10 + n, "tick", tick(n)));
  [4, 5, 6].forEach((n, i) => feed.frame(delta(20 + i, "revision", { revision: i, tick: n, reason: "late edit", event_id: "e" })));
  assert.equal(feed.frame(delta(20, "revision", { revision: 0, tick: 4, reason: "late edit", event_id: "e" })), "old");
  const [mark, ...rest] = feed.revisionMarks();
  assert.deepEqual(rest, []);
  assert.equal(mark.playS, 4);
  assert.equal(mark.text, "3 samples revised: late edit");
  assert.deepEqual(feed.samples.filter((s) => s.revised).map((s) => s.tick), [4, 5, 6]);
  feed.frame(delta(23, "event", shot("e", { play_ms: 3500, side: "away" })));
  assert.equal(feed.revisionMarks()[0].playS, 3.5);
});

test("an order turns into its fill or refund in its place on the tape", () => {
  const feed = started();
  feed.frame(delta(11, "order", trade("o1", { kind: "order", status: "pending" })));
  feed.frame(delta(12, "trade", trade("o2")));
  feed.frame(delta(13, "trade", trade("o1", { reason: "suspended", price: null })));
  assert.deepEqual(feed.trades.map((t) => [t.id, t.reason]), [["o2", "filled"], ["o1", "suspended"]]);
});

test("the tape is newest first from REST, from a snapshot and from deltas", () => {
  const feed = new Feed();
  feed.rest("trades", { data: [trade("b"), trade("a")] });
  assert.deepEqual(feed.trades.map((t) => t.id), ["b", "a"]);
  feed.frame(snapshot(1, { trades: [trade("c"), trade("b")] }));
  feed.frame(delta(2, "liquidation", trade("d", { kind: "liquidation" })));
  assert.deepEqual(feed.trades.map((t) => t.id), ["d", "c", "b"]);
});

test("a refund stands where its order was committed, because it has no sample", () => {
  const feed = started();
  feed.frame(delta(11, "match", { match_id: "m", start_at: "2026-01-01T12:00:00.000Z" }));
  feed.frame(delta(12, "tick", tick(100, { data_ms: 100_000 })));
  feed.frame(delta(13, "tick", tick(101, { data_ms: 101_000 })));
  const refund = { reason: "cap", sample_index: null, period: 1, play_ms: 0, commit_at: "2026-01-01T12:01:40.900Z" };
  feed.frame(delta(14, "trade", trade("r", refund)));
  assert.deepEqual([feed.trades[0].period, feed.trades[0].play_ms], [1, 100_000]);
  feed.frame(delta(15, "trade", trade("early", { ...refund, commit_at: "2026-01-01T11:00:00.000Z" })));
  assert.equal(feed.trades[0].play_ms, 0);
});

test("the closing of an empty account is no news", () => {
  const feed = started();
  feed.frame(delta(11, "settlement", trade("s", { kind: "settlement", qty: "0" })));
  feed.frame(delta(12, "settlement", trade("t", { kind: "settlement", qty: "0.5" })));
  assert.deepEqual(feed.trades.map((t) => t.id), ["t"]);
});

test("the tape does not grow without end", () => {
  const feed = started(0);
  for (let n = 1; n <= 1000; n += 1) feed.frame(delta(n, "trade", trade(`t${n}`)));
  assert.equal(feed.trades.length, 400);
  assert.equal(feed.trades[0].id, "t1000");
});

test("a final window loses its price and keeps its settlement", () => {
  const feed = started();
  feed.frame(delta(11, "window", { name: "0-15", state: "open", mark: "57.3", bid: "56.8", ask: "57.8" }));
  feed.frame(delta(12, "window", { name: "0-15", state: "final", mark: null, bid: null, ask: null, settlement: "55.25" }));
  const window = feed.windows.get("0-15");
  assert.deepEqual([window.mark, window.settlement, window.lengthS], [null, "55.25", 900]);
  feed.frame(delta(13, "window", { name: "0-5", state: "open" }));
  assert.equal(feed.windows.size, 9);
});

test("match and pool are what was said last", () => {
  const feed = new Feed();
  feed.rest("matches", { data: [{ match_id: "a" }, { match_id: "b", home_score: 1 }] }, "b");
  assert.equal(feed.match.home_score, 1);
  feed.rest("pool", { data: { cash: "5" } });
  feed.frame(snapshot(1, { match: null, pool: { cash: "7" } }));
  assert.equal(feed.match.match_id, "b");
  feed.frame(delta(2, "match", { match_id: "b", home_score: 2 }));
  assert.deepEqual([feed.match.home_score, feed.pool.cash], [2, "7"]);
});

test("added time belongs to no window", () => {
  assert.equal(nominalS(1, 2900), 2700);
  const late = { period: 1, startS: 1800, lengthS: 900 };
  assert.deepEqual(windowClock(late, 1, 2900), { startsInS: -900, leftS: 0 });
  assert.deepEqual(windowClock(late, 0, 0), { startsInS: 1800, leftS: 2700 });
  const full = { period: 1, startS: 0, lengthS: 5400 };
  assert.equal(windowClock(full, 2, 60).leftS, 5400 - 2760);
});
