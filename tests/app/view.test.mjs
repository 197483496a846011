import assert from "node:assert/strict";
import test from "node:test";
import { Feed } from "../../app/protocol.js";
import { chosen, statusOf, tapeRow, windowState } from "../../app/view.js";

const quarter = (state) => ({ name: "30-45", period: 1, startS: 1800, lengthS: 900, state });
const trade = (more) => ({ kind: "trade", side: "long", qty: "12", window: "30-45", reason: "filled", price: "57.345", closed: "0", owner: "7xKqAAAA", ...more });

function at(period, second, match = { status: "live" }, more = {}) {
  const feed = new Feed();
  feed.rest("matches", { data: [match] });
  feed.rest("momentum", { data: [{ tick: 1, period, second, x: "50", status: "confirmed", suspended: false, ...more }] });
  return feed;
}

test("a window counts down to its start, to its end and to its last orders", () => {
  assert.deepEqual(windowState(quarter("open"), 1, 1740), ["ahead", "Starts in 1:00"]);
  assert.deepEqual(windowState(quarter("open"), 1, 2000), ["open", "11:40 left"]);
  assert.deepEqual(windowState(quarter("open"), 1, 2000, true), ["closing", "Paused, 11:40 left"]);
  assert.deepEqual(windowState(quarter("open"), 1, 2681), ["closing", "Orders closed, 0:19"]);
  assert.deepEqual(windowState(quarter("open"), 1, 2750), ["ended", "Being settled"]);
  assert.deepEqual(windowState(quarter("open"), 2, 5), ["ended", "Being settled"]);
  assert.deepEqual(windowState(quarter("final"), 2, 5), ["final", "Settled"]);
  assert.deepEqual(windowState(quarter("void"), 2, 5), ["void", "Void"]);
  assert.deepEqual(windowState(quarter("none"), 1, 1200), ["none", "In 10:00"]);
});

test("the large cards are the quarter, the half and the match that matter now", () => {
  const names = (feed) => chosen(feed).map((w) => w.name);
  assert.deepEqual(names(new Feed()), ["0-15", "H1", "FT"]);
  assert.deepEqual(names(at(1, 899)), ["0-15", "H1", "FT"]);
  assert.deepEqual(names(at(1, 900)), ["15-30", "H1", "FT"]);
  assert.deepEqual(names(at(1, 2750)), ["45-60", "H2", "FT"]);
  assert.deepEqual(names(at(2, 2800)), ["75-90", "H2", "FT"]);
});

test("the status is what trading needs to know", () => {
  assert.equal(statusOf(new Feed())[0], "waiting");
  assert.deepEqual(statusOf(at(1, 5)), ["live", "In play"]);
  assert.deepEqual(statusOf(at(1, 5, { status: "live", suspend_reason: "red_card" }, { suspended: true })), ["suspended", "Suspended: red card"]);
  assert.deepEqual(statusOf(at(1, 5, { status: "live", suspend_reason: "none" }, { suspended: true })), ["suspended", "Suspended"]);
  assert.deepEqual(statusOf(at(2, 2800, { status: "final" }, { suspended: true })), ["final", "Full time"]);
  const feed = at(1, 2790);
  feed.rest("events", { data: [{ event_id: "e", version: 1, kind: "period_end", period: 1, play_ms: 0 }] });
  assert.deepEqual(statusOf(feed), ["break", "Half-time"]);
});

test("the tape says in words why money came back", () => {
  assert.deepEqual(tapeRow(trade({ reason: "cap", price: null, refund: "180.5" })), {
    group: "refund", title: "Refund long 12", detail: "30'–45': over the pool's risk limit", value: "$180.50 back", tone: "warn",
  });
  assert.match(tapeRow(trade({ reason: "suspended" })).detail, /play was suspended/);
  assert.match(tapeRow(trade({ reason: "reason_of_tomorrow" })).detail, /reason_of_tomorrow/);
});

test("fills, closes, liquidations and settlements are told apart", () => {
  const fill = tapeRow(trade());
  assert.deepEqual([fill.group, fill.title, fill.value], ["fill", "Long 12", "57.35"]);
  assert.match(tapeRow(trade({ closed: "12", gain: "0", loss: "3.5" })).detail, /closes −\$3\.50/);
  assert.match(tapeRow(trade({ closed: "12", gain: "1234.5", loss: "0" })).detail, /closes \+\$1,234\.50/);
  const end = tapeRow(trade({ kind: "liquidation", side: "short" }));
  assert.deepEqual([end.group, end.title, end.tone], ["end", "Liquidated short 12", "alert"]);
  const settled = tapeRow(trade({ kind: "settlement", settlement: "55.251", pnl: "-12.345" }));
  assert.deepEqual([settled.value, settled.detail], ["−$12.35", "30'–45' · 7xKq at 55.25"]);
  assert.equal(tapeRow(trade({ kind: "order" })).group, "order");
});
