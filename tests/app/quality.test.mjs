import assert from "node:assert/strict";
import test from "node:test";
import { cells, share, span, summary, toneOf } from "../../app/quality/rows.js";

const feed = {
  match_id: "m1", home_name: "Home", away_name: "Away", provider: "statsperform", at: "2026-03-01T15:00:01.000Z", health: 97,
  silence_ms: 400, quiet_ms: 2_000, gap_ms: 0, gap_recent_ms: 0, corrections_last_minute: 3, unknown_types: 0, difference: "0.034",
  skew_ms: -120, broken: 0,
};

test("times are told as exactly as people need them, and what is unknown is no zero", () => {
  assert.deepEqual([0, 400, 9_949, 12_400, 119_000, 180_000, -1_500].map(span), ["0.0 s", "0.4 s", "9.9 s", "12 s", "119 s", "3 min", "−1.5 s"]);
  assert.equal(span(null), "–");
  assert.equal(share(null), "–");
  assert.equal(share("0.034"), "3.4 %");
});

test("a healthy feed has no tone anywhere", () => {
  assert.deepEqual(cells(feed).map(([, tone]) => tone).filter(Boolean), []);
  assert.deepEqual(cells(feed).map(([words]) => words), ["Home – Away", "statsperform", "97", "0.4 s", "0.0 s", "3", "0", "0", "3.4 %", "−0.1 s", "15:00:01"]);
});

test("silence, gaps, unknown types and disagreement are warned of", () => {
  const ill = { ...feed, health: 20, silence_ms: 25_000, gap_ms: 60_000, gap_recent_ms: 3_000, unknown_types: 2, difference: "0.3" };
  const tones = Object.fromEntries(cells(ill).map(([, tone], at) => [at, tone]).filter(([, tone]) => tone));
  assert.deepEqual(tones, { 2: "alert", 3: "alert", 4: "warn", 6: "warn", 8: "alert" });
});

test("a match that only history knows is shown by its id, before anything was measured", () => {
  const row = cells({ ...feed, home_name: null, at: null, silence_ms: null, difference: null });
  assert.equal(row[0][0], "m1");
  assert.equal(row[3][0], "–");
  assert.equal(row[10][0], "–");
});

test("one sentence tells how many are ill", () => {
  assert.equal(summary([]), "");
  assert.equal(summary([feed]), "1 feed of 1 match, all healthy");
  assert.equal(summary([feed, { ...feed, provider: "opta", health: 59 }]), "2 feeds of 1 match, 1 below 60");
  assert.equal(toneOf(undefined, 1, 2), "");
});
