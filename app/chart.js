// Draws the momentum chart on a canvas. Where things go is decided in geometry.js; colours come from the style sheet.

import { clock, eventWords, fixed, minute, shortWindow } from "./format.js";
import { decimate, minuteTicks, runs, sampleAt, timeScale } from "./geometry.js";

const PAD = { top: 22, right: 32, bottom: 40, left: 8 };
const INKS = "home away home-fill away-fill grid mid text muted band now hatch surface yellow red revised".split(" ");
const RANK = { red: 1, yellow: 1 };

export class Chart {
  constructor(canvas, pulse, readout) {
    Object.assign(this, { canvas, pulse, readout, ctx: canvas.getContext("2d"), rangeS: Infinity, frames: 0 });
    this.cursor = null; // {period, playS} under the pointer or the keyboard
    this.readInks();
  }

  /** Custom properties may hold light-dark(): let the browser resolve each one through a real element. */
  readInks() {
    const probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
    this.inks = Object.fromEntries(INKS.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, getComputedStyle(probe).color];
    }));
    probe.remove();
    this.hatching = hatching(this.ctx, this.inks.hatch);
  }

  /** Move the keyboard's cursor by samples, over all periods; it starts at the newest one. */
  move(by) {
    const samples = this.feed?.samples ?? [];
    if (!samples.length) return;
    const here = this.cursor && sampleAt(samples, this.cursor.period, this.cursor.playS);
    const from = here ? samples.indexOf(here) : samples.length - 1;
    const { period, playS } = samples[Math.max(0, Math.min(samples.length - 1, from + by))];
    this.cursor = { period, playS };
  }

  draw(feed) {
    const { canvas, ctx } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width < 40) return;
    const ratio = Math.min(3, devicePixelRatio);
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    ctx.font = `11px ${getComputedStyle(canvas).fontFamily}`;
    ctx.textBaseline = "middle";
    ctx.lineJoin = "round";

    const [left, right, top, bottom] = [PAD.left, width - PAD.right, PAD.top, height - PAD.bottom];
    this.box = { left, right, top, bottom };
    this.scale = timeScale(feed.samples, left, right - left, this.rangeS);
    this.y = (index) => bottom - (index / 100) * (bottom - top);
    this.feed = feed;
    this.quarters = [...feed.windows.values()].filter((w) => w.lengthS === 900);
    this.corrections = feed.revisionMarks();

    this.#within(0, () => this.#bands());
    this.#grid();
    this.#within(0, () => {
      this.#suspensions();
      this.scale.parts.forEach((part) => this.#curve(part));
      this.#settlements();
    });
    this.#axis(height - 9);
    this.#within(20, () => this.#marks());
    this.#tip();
    this.#crosshair();
    this.#tell();
  }

  /** Draw inside the plot, and `outside` pixels above and below it. */
  #within(outside, draw) {
    const { left, right, top, bottom } = this.box;
    this.ctx.save();
    this.ctx.beginPath();
    this.ctx.rect(left - outside / 2, top - outside, right - left + outside, bottom - top + 2 * outside);
    this.ctx.clip();
    draw();
    this.ctx.restore();
  }

  #line(x0, y0, x1, y1, ink, width = 1, dash = []) {
    const { ctx } = this;
    ctx.strokeStyle = this.inks[ink];
    ctx.lineWidth = width;
    ctx.setLineDash(dash);
    ctx.beginPath();
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
    ctx.stroke();
    ctx.setLineDash([]);
  }

  #text(text, x, y, ink, align = "left") {
    this.ctx.textAlign = align;
    this.ctx.fillStyle = this.inks[ink];
    this.ctx.fillText(text, x, y);
  }

  /** A filled and outlined shape, whose path `trace` draws. */
  #shape(fill, stroke, width, trace) {
    const { ctx } = this;
    ctx.beginPath();
    trace(ctx);
    ctx.closePath();
    ctx.fillStyle = this.inks[fill];
    ctx.strokeStyle = this.inks[stroke];
    ctx.lineWidth = width;
    ctx.stroke();
    ctx.fill();
  }

  #bands() {
    const last = this.feed.last;
    this.quarters.forEach((w, i) => {
      const passed = last?.period === w.period ? last.playS - w.startS : -1;
      const current = passed >= 0 && passed < w.lengthS;
      if (!current && i % 2) return;
      const x = this.scale.x(w.period, w.startS);
      this.ctx.fillStyle = this.inks[current ? "now" : "band"];
      this.ctx.fillRect(x, this.box.top, this.scale.x(w.period, w.startS + w.lengthS) - x, this.box.bottom - this.box.top);
    });
  }

  #grid() {
    const { left, right, top, bottom } = this.box;
    for (const value of [0, 25, 50, 75, 100]) {
      const at = Math.round(this.y(value)) + 0.5;
      this.#line(left, at, right, at, value === 50 ? "mid" : "grid");
      this.#text(value, right + 7, at, value === 50 ? "text" : "muted");
    }
    this.#text(this.feed.match?.home_short ?? "", left + 6, top + 13, "home");
    this.#text(this.feed.match?.away_short ?? "", left + 6, bottom - 13, "away");
  }

  /** One period: the area on each side of 50 in its team's colour, and the line over it. */
  #curve(part) {
    const { ctx } = this;
    const own = this.feed.samples.filter((s) => s.period === part.period);
    if (own.length < 2) return;
    const points = decimate(own.map((s) => ({ x: this.scale.x(s.period, s.playS), y: this.y(s.index) })));
    const middle = this.y(50);
    const line = new Path2D();
    points.forEach((p) => line.lineTo(p.x, p.y));
    const area = new Path2D(line);
    area.lineTo(points.at(-1).x, middle);
    area.lineTo(points[0].x, middle);
    for (const [side, top, bottom] of [["home", 0, middle], ["away", middle, this.box.bottom]]) {
      ctx.save();
      ctx.beginPath();
      ctx.rect(part.x - 2, top, part.width + 4, bottom - top);
      ctx.clip();
      ctx.fillStyle = this.inks[`${side}-fill`];
      ctx.fill(area);
      ctx.strokeStyle = this.inks[side];
      ctx.lineWidth = 1.75;
      ctx.stroke(line);
      ctx.restore();
    }
  }

  #suspensions() {
    this.ctx.fillStyle = this.hatching;
    for (const run of runs(this.feed.samples, (s) => s.suspended)) {
      const x = this.scale.x(run.period, run.fromS);
      const width = Math.max(2, this.scale.x(run.period, run.toS) - x);
      this.ctx.fillRect(x, this.box.top, width, this.box.bottom - this.box.top);
    }
  }

  /** What a window settled at, as a line across it; an open window's mark likewise, dashed. */
  #settlements() {
    for (const w of this.quarters) {
      const final = w.state === "final";
      const value = final ? w.settlement : w.state === "open" ? w.mark : null;
      if (value == null) continue;
      const [x0, x1] = [this.scale.x(w.period, w.startS) + 2, this.scale.x(w.period, w.startS + w.lengthS) - 2];
      const at = Math.round(this.y(Number(value))) + 0.5;
      this.#line(x0, at, x1, at, final ? "text" : "muted", final ? 1.5 : 1, final ? [] : [3, 3]);
      // The label sits on the other side of 50, so that it never covers the curve it sums up.
      const side = Number(value) >= 50 ? 11 : -11;
      if (final && x1 - x0 > 30) this.#text(fixed(value, 1), (x0 + x1) / 2, this.y(50) + side, "text", "center");
    }
  }

  #axis(at) {
    const { left, right, top, bottom } = this.box;
    for (const { x, text } of minuteTicks(this.scale)) {
      const align = x < left + 12 ? "left" : x > right - 12 ? "right" : "center";
      this.#text(text, Math.max(left, Math.min(right, x)), at, "muted", align);
    }
    for (const part of this.scale.parts.slice(1)) {
      const x = part.x - 7;
      if (x < left || x > right) continue;
      this.#line(x, top, x, bottom, "mid", 1, [2, 3]);
      // On a phone the label would run into the minute before it.
      if (part.period === 2 && this.scale.pxPerS > 0.15) this.#text("HT", x, at, "muted", "center");
    }
  }

  /** Home's marks above the plot, away's below it; cards over shots, goals over all. */
  #marks() {
    const rank = (e) => (e.goal ? 2 : RANK[e.kind] ?? 0);
    for (const e of [...this.feed.events.values()].sort((a, b) => rank(a) - rank(b))) {
      const x = this.scale.x(e.period, e.playS);
      const side = e.side === "away" ? "away" : "home";
      const lane = side === "home" ? this.box.top - 10 : this.box.bottom + 11;
      if (e.goal) this.#goal(e, x, lane, side);
      else if (RANK[e.kind]) this.#shape(e.kind, "surface", 2, (path) => path.roundRect(x - 3.5, lane - 5, 7, 10, 1.5));
      else if (e.kind === "shot") this.#line(x, lane - 3.5, x, lane + 3.5, side, 2);
      else this.#text(e.kind === "var_start" ? "V" : "P", x, lane, side, "center");
    }
    for (const { period, playS } of this.corrections) {
      const [x, at] = [this.scale.x(period, playS), this.box.bottom];
      this.#shape("surface", "revised", 2.5, (path) => [[0, -3.5], [3.5, 0], [0, 3.5], [-3.5, 0]].forEach(([dx, dy]) => path.lineTo(x + dx, at + dy)));
    }
  }

  /** A ball in the lane, and a line down to the curve. */
  #goal({ period, playS }, x, lane, side) {
    this.#line(x, lane, x, this.y(sampleAt(this.feed.samples, period, playS)?.index ?? 50), side, 1, [1, 2]);
    this.#shape(side, "surface", 2, (path) => path.arc(x, lane, 6.5, 0, 7));
    this.#shape("surface", "surface", 0.1, (path) => {
      for (let i = 0; i < 5; i += 1) path.lineTo(x + 3 * Math.sin(i * 1.2566), lane - 3 * Math.cos(i * 1.2566));
    });
  }

  /** The newest sample: a full dot once it is on chain, a ring while it is only seen. */
  #tip() {
    const { last } = this.feed;
    if (!last) return;
    const [x, at] = [this.scale.x(last.period, last.playS), this.y(last.index)];
    const ink = last.index >= 50 ? "home" : "away";
    const seen = last.level === "live";
    this.#shape(seen ? "surface" : ink, seen ? ink : "surface", 3, (path) => path.arc(x, at, 4.5, 0, 7));
    this.pulse.style.transform = `translate(${x.toFixed(1)}px, ${at.toFixed(1)}px)`;
    this.pulse.style.color = this.inks[ink];
  }

  #crosshair() {
    if (!this.cursor) return;
    const { period, playS } = this.cursor;
    const x = Math.round(this.scale.x(period, playS)) + 0.5;
    this.#line(x, this.box.top, x, this.box.bottom, "text");
    const sample = sampleAt(this.feed.samples, period, playS);
    if (sample) this.#shape("text", "surface", 1, (path) => path.arc(x, this.y(sample.index), 3.5, 0, 7));
  }

  /** The state of the chart in words (readout, label) and as data (for tests and assistive tools). */
  #tell() {
    const { last, samples, events, revisions } = this.feed;
    this.frames += 1;
    Object.assign(this.canvas.dataset, {
      frames: this.frames, samples: samples.length, tick: last?.tick ?? "", index: last?.index ?? "",
      events: events.size, revisions: revisions.size,
    });
    const now = last ? ` ${minute(last.period, last.playS)}: ${last.index.toFixed(1)}.` : "";
    this.canvas.setAttribute("aria-label", `Momentum, 0 to 100, above 50 is home.${now}`);
    const text = this.cursor ? this.#describe(this.cursor) : "Touch, hover or use the arrow keys to read the chart";
    if (this.readout.textContent !== text) this.readout.textContent = text;
  }

  #describe({ period, playS }) {
    const s = sampleAt(this.feed.samples, period, playS);
    if (s?.period !== period) return `${clock(period, playS)}  ·  not played yet`;
    const near = (e) => e.period === period && Math.abs(e.playS - playS) <= Math.max(12, 6 / this.scale.pxPerS);
    const happened = [...this.feed.events.values()].filter(near).map((e) => eventWords(e, this.feed.match));
    happened.push(...this.corrections.filter(near).map((mark) => mark.text));
    const w = this.quarters.find((v) => v.period === period && playS >= v.startS && playS < v.startS + v.lengthS);
    const settled = w?.state === "final" ? `${shortWindow(w.name)} settled ${fixed(w.settlement, 1)}` : "";
    return [clock(period, playS), s.index.toFixed(1), s.level, s.suspended && "suspended", settled, ...new Set(happened)]
      .filter(Boolean).slice(0, 6).join("  ·  ");
  }
}

function hatching(ctx, ink) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = tile.getContext("2d");
  pen.strokeStyle = ink;
  pen.lineWidth = 1.2;
  pen.moveTo(-1, 7);
  pen.lineTo(7, -1);
  pen.stroke();
  return ctx.createPattern(tile, "repeat");
}
