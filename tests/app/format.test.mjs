import assert from "node:assert/strict";
import test from "node:test";
import { clock, countdown, fixed, grouped, minute, shortWindow, windowTitle } from "../../app/format.js";

test("decimals are rounded as strings, half away from zero", () => {
  assert.equal(fixed("57.345000", 2), "57.35");
  assert.equal(fixed("57.344999", 2), "57.34");
  assert.equal(fixed("0.999", 2), "1.00");
  assert.equal(fixed("99.96", 1), "100.0");
  assert.equal(fixed("7", 2), "7.00");
  assert.equal(fixed("-0.004", 2), "0.00");
  assert.equal(fixed("-1.005", 2), "−1.01");
  assert.equal(fixed("57.5", 0), "58");
});

test("digits beyond a float's survive", () => {
  assert.equal(fixed("9007199254740993.123456", 6), "9007199254740993.123456");
  assert.equal(grouped("9007199254740993", 0), "9,007,199,254,740,993");
});

test("what is no number shows as nothing instead of as zero", () => {
  for (const bad of [null, undefined, "", "abc", "1e5", "1.2.3"]) assert.equal(fixed(bad, 2), "");
});

test("money is grouped by thousands", () => {
  assert.equal(grouped("1234567.891", 2), "1,234,567.89");
  assert.equal(grouped("-1234.5", 2), "−1,234.50");
  assert.equal(grouped("999", 0), "999");
});

test("the clock runs on in added time instead of into the next half", () => {
  assert.equal(clock(0, 0), "0:00");
  assert.equal(clock(1, 0), "00:00");
  assert.equal(clock(1, 2047), "34:07");
  assert.equal(clock(1, 2700), "45:00");
  assert.equal(clock(1, 2833), "45+2:13");
  assert.equal(clock(2, 1), "45:01");
  assert.equal(clock(2, 2945), "90+4:05");
});

test("minutes are counted as football counts them", () => {
  assert.equal(minute(1, 0), "1'");
  assert.equal(minute(1, 2699), "45'");
  assert.equal(minute(1, 2700), "45+1'");
  assert.equal(minute(2, 0), "46'");
  assert.equal(minute(2, 2760), "90+2'");
});

test("windows have readable names", () => {
  assert.equal(windowTitle("30-45"), "Home momentum 30'–45'");
  assert.equal(windowTitle("FT"), "Home momentum, full time");
  assert.equal(windowTitle("H2"), "Home momentum, 2nd half");
  assert.equal(windowTitle("H1"), "Home momentum, 1st half");
  assert.equal(shortWindow("H1"), "H1");
  assert.equal(countdown(462), "7:42");
  assert.equal(countdown(-3), "0:00");
});
