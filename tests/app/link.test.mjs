import assert from "node:assert/strict";
import test from "node:test";
import { GIVE_UP_AFTER_MS, Link, PING_AFTER_MS, STALE_AFTER_MS } from "../../app/link.js";

test("an open socket is live only once a frame has come", () => {
  const link = new Link();
  link.connecting(0);
  assert.equal(link.poll(1000), "");
  assert.equal(link.text(1000), "Connecting");
  link.heard(1200);
  assert.equal(link.phase, "live");
  assert.equal(link.text(1300), "Live");
});

test("silence is asked about, then shown, then ended", () => {
  const link = new Link();
  link.connecting(0);
  link.heard(0);
  assert.equal(link.poll(PING_AFTER_MS), "");
  assert.equal(link.poll(PING_AFTER_MS + 1), "ping");
  assert.equal(link.phase, "live");
  assert.equal(link.poll(STALE_AFTER_MS + 1), "ping");
  assert.equal(link.phase, "stale");
  assert.match(link.text(7000), /nothing for 7 s/);
  assert.equal(link.poll(GIVE_UP_AFTER_MS + 1), "reconnect");
});

test("a frame after silence makes it live again", () => {
  const link = new Link();
  link.heard(0);
  link.poll(STALE_AFTER_MS + 1);
  link.heard(STALE_AFTER_MS + 2);
  assert.equal(link.poll(STALE_AFTER_MS + 3), "");
  assert.equal(link.phase, "live");
});

test("waits between attempts double up to a ceiling and a frame resets them", () => {
  const link = new Link(() => 1);
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6].map(() => link.closed(0)), [500, 1000, 2000, 4000, 8000, 8000, 8000]);
  link.heard(1);
  assert.equal(link.closed(2), 500);
  assert.equal(link.phase, "waiting");
  assert.equal(link.text(2), "Reconnecting in 1 s");
});

test("the jitter never makes a client wait less than half", () => {
  assert.equal(new Link(() => 0).closed(0), 250);
});

test("a connection that never answers is given up", () => {
  const link = new Link();
  link.connecting(0);
  assert.equal(link.poll(GIVE_UP_AFTER_MS + 1), "reconnect");
  link.heard(1);
  link.connecting(2);
  assert.equal(link.text(3), "Reconnecting");
});
