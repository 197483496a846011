import assert from "node:assert/strict";
import test from "node:test";
import { decimate, minuteTicks, runs, sampleAt, spans, timeScale } from "../../app/geometry.js";

const half = (period, seconds) => Array.from({ length: seconds }, (_, i) => ({ period, playS: i + 1, index: 50 }));

test("the whole match has its place before it is played, so that nothing moves", () => {
  const empty = spans([]);
  assert.deepEqual(empty.map((s) => s.period), [1, 2]);
  assert.deepEqual(spans(half(1, 2600)), empty);
  assert.deepEqual(spans(half(1, 2880)), empty);
});

test("long added time stretches its half in whole minutes, extra time adds its own part", () => {
  assert.equal(spans(half(1, 3001))[0].lengthS, 3060);
  assert.deepEqual(spans(half(3, 10)).map((s) => s.period), [1, 2, 3]);
});

test("pixels and seconds are each other's inverse in both halves", () => {
  const scale = timeScale([...half(1, 2800), ...half(2, 100)], 10, 800);
  for (const [period, s] of [[1, 0], [1, 1234], [2, 1], [2, 2600]]) {
    const back = scale.at(scale.x(period, s));
    assert.equal(back.period, period);
    assert.ok(Math.abs(back.playS - s) < 1e-6);
  }
  assert.ok(Math.abs(scale.x(1, 0) - 10) < 1e-9);
  assert.ok(scale.x(2, 2880) <= 810.001);
});

test("the second half begins to the right of the first half's added time", () => {
  const scale = timeScale(half(1, 2880), 0, 400);
  assert.ok(scale.x(2, 0) > scale.x(1, 2880));
});

test("a short range follows the newest sample and never shows time before kick-off", () => {
  const early = timeScale(half(1, 100), 0, 300, 900);
  assert.equal(early.x(1, 0), 0);
  const late = timeScale(half(1, 2000), 0, 300, 900);
  assert.ok(late.x(1, 2000) > 270 && late.x(1, 2000) < 300);
  assert.ok(late.x(1, 0) < 0);
});

test("thinning keeps the first, lowest, highest and last point of each column, in order", () => {
  const points = Array.from({ length: 5000 }, (_, i) => ({ x: i / 50, y: (i * 7919) % 101 }));
  const thin = decimate(points);
  assert.ok(thin.length <= 4 * 100);
  for (let column = 0; column < 100; column += 1) {
    const all = points.filter((p) => Math.floor(p.x) === column).map((p) => p.y);
    const kept = thin.filter((p) => Math.floor(p.x) === column).map((p) => p.y);
    assert.equal(Math.min(...kept), Math.min(...all));
    assert.equal(Math.max(...kept), Math.max(...all));
    assert.equal(kept[0], all[0]);
    assert.equal(kept.at(-1), all.at(-1));
  }
  assert.deepEqual(thin.map((p) => p.n), thin.map((p) => p.n).slice().sort((a, b) => a - b));
  assert.deepEqual(decimate([]), []);
});

test("a suspension lasts until the first sample after it, within its half", () => {
  const samples = half(1, 10).concat(half(2, 3));
  samples.slice(3, 6).forEach((s) => Object.assign(s, { suspended: true, reason: "goal" }));
  samples[9].suspended = samples[10].suspended = true;
  assert.deepEqual(runs(samples, (s) => s.suspended).map((r) => [r.period, r.fromS, r.toS]), [[1, 4, 7], [1, 10, 10], [2, 1, 2]]);
});

test("the index of a second is the newest sample at or before it", () => {
  const samples = [{ period: 1, playS: 2 }, { period: 1, playS: 5 }, { period: 2, playS: 1 }];
  assert.equal(sampleAt(samples, 1, 1), null);
  assert.equal(sampleAt(samples, 1, 4), samples[0]);
  assert.equal(sampleAt(samples, 1, 9999), samples[1]);
  assert.equal(sampleAt(samples, 2, 0), samples[1]);
  assert.equal(sampleAt(samples, 2, 3), samples[2]);
});

test("minute labels never crowd and name each half-time minute once", () => {
  for (const width of [300, 700, 1300]) {
    const ticks = minuteTicks(timeScale([], 0, width));
    ticks.slice(1).forEach((tick, i) => assert.ok(tick.x - ticks[i].x >= 30, `${width}: ${tick.text}`));
    assert.equal(ticks.filter((t) => t.text === "45'").length, 1);
    assert.equal(ticks.at(-1).text, "90'");
  }
});
