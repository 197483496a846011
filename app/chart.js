// Draws the momentum chart on a canvas. Where things go is decided in geometry.js; colours come from the style sheet.

import { clock, eventWords, fixed, minute, shortWindow } from "./format.js";
import { decimate, minuteTicks, runs, sampleAt, timeScale } from "./geometry.js";

const PAD = { top: 22, right: 32, bottom: 40, left: 8 };
const INKS = ["home", "away", "home-fill", "away-fill", "grid", "mid", "text", "muted", "band", "now", "hatch", "surface", "yellow", "red", "revised"];

export class Chart {
  constructor(canvas, pulse, readout) {
    this.canvas = canvas;
    this.pulse = pulse;
    this.readout = readout;
    this.rangeS = Infinity;
    this.cursor = null; // {period, playS} under the pointer or the keyboard
    this.frames = 0;
    this.readInks();
  }

  /** Custom properties may hold light-dark(): let the browser resolve each one through a real element. */
  readInks() {
    this.inks = {};
    const probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
    for (const name of INKS) {
      probe.style.color = `var(--${name})`;
      this.inks[name] = getComputedStyle(probe).color;
    }
    probe.remove();
    this.hatchPattern = null;
  }

  /** Fit the backing store to the element and the screen's pixel ratio. */
  #fit() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
    }
    const ctx = this.canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    return { ctx, width, height };
  }

  /** Move the keyboard's cursor by seconds of play, over all periods; it starts at the newest sample. */
  move(seconds) {
    const samples = this.feed?.samples ?? [];
    if (!samples.length) return;
    const here = this.cursor ? sampleAt(samples, this.cursor.period, this.cursor.playS) : null;
    const from = here ? samples.indexOf(here) : samples.length - 1;
    const { period, playS } = samples[Math.max(0, Math.min(samples.length - 1, from + seconds))];
    this.cursor = { period, playS };
  }

  draw(feed) {
    const { ctx, width, height } = this.#fit();
    if (width < 40) return;
    const inner = { left: PAD.left, right: width - PAD.right, top: PAD.top, bottom: height - PAD.bottom };
    const scale = timeScale(feed.samples, inner.left, inner.right - inner.left, this.rangeS);
    const y = (index) => inner.bottom - (index / 100) * (inner.bottom - inner.top);
    Object.assign(this, { feed, scale, inner, y, marks: feed.revisionMarks() });
    ctx.font = `11px ${getComputedStyle(this.canvas).fontFamily}`;
    ctx.textBaseline = "middle";

    this.#clipped(ctx, () => this.#bands(ctx));
    this.#grid(ctx);
    this.#clipped(ctx, () => {
      this.#suspensions(ctx);
      for (const part of scale.parts) this.#curve(ctx, part);
      this.#settled(ctx);
    });
    this.#axis(ctx, height);
    this.#names(ctx);
    this.#clipped(ctx, () => {
      this.#marks(ctx);
      this.#revisions(ctx);
    }, 20);
    this.#tip(ctx);
    this.#crosshair(ctx);
    this.#tell();
  }

  #clipped(ctx, draw, outside = 0) {
    const { left, right, top, bottom } = this.inner;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left - outside / 2, top - outside, right - left + outside, bottom - top + 2 * outside);
    ctx.clip();
    draw();
    ctx.restore();
  }

  #bands(ctx) {
    const { top, bottom } = this.inner;
    ctx.textAlign = "center";
    const last = this.feed.last;
    [...this.feed.windows.values()].filter((w) => w.lengthS === 900).forEach((w, i) => {
      const x0 = this.scale.x(w.period, w.startS);
      const x1 = this.scale.x(w.period, w.startS + w.lengthS);
      const current = last && last.period === w.period && last.playS >= w.startS && last.playS < w.startS + w.lengthS;
      if (current || i % 2 === 0) {
        ctx.fillStyle = current ? this.inks.now : this.inks.band;
        ctx.fillRect(x0, top, x1 - x0, bottom - top);
      }
    });
  }

  #grid(ctx) {
    const { left, right } = this.inner;
    ctx.lineWidth = 1;
    ctx.textAlign = "left";
    for (const value of [0, 25, 50, 75, 100]) {
      const at = Math.round(this.y(value)) + 0.5;
      ctx.strokeStyle = value === 50 ? this.inks.mid : this.inks.grid;
      ctx.beginPath();
      ctx.moveTo(left, at);
      ctx.lineTo(right, at);
      ctx.stroke();
      ctx.fillStyle = value === 50 ? this.inks.text : this.inks.muted;
      ctx.fillText(String(value), right + 7, at);
    }
  }

  /** Whose half of the chart it is. */
  #names(ctx) {
    const { left, top, bottom } = this.inner;
    ctx.textAlign = "left";
    for (const [side, at] of [["home", top + 12], ["away", bottom - 12]]) {
      ctx.fillStyle = this.inks[side];
      ctx.fillText(this.feed.match?.[`${side}_short`] ?? "", left + 6, at);
    }
  }

  /** One period: the area on each side of 50 in its team's colour, and the line over it. */
  #curve(ctx, part) {
    const own = this.feed.samples.filter((s) => s.period === part.period);
    if (own.length < 2) return;
    const points = decimate(own.map((s) => ({ x: this.scale.x(s.period, s.playS), y: this.y(s.index) })));
    const middle = this.y(50);
    const trace = () => points.forEach((p, i) => (i ? ctx.lineTo(p.x, p.y) : ctx.moveTo(p.x, p.y)));
    for (const [side, top, bottom] of [["home", 0, middle], ["away", middle, this.inner.bottom + 10]]) {
      ctx.save();
      ctx.beginPath();
      ctx.rect(part.x - 2, top, part.width + 4, bottom - top);
      ctx.clip();
      ctx.beginPath();
      trace();
      ctx.lineTo(points[points.length - 1].x, middle);
      ctx.lineTo(points[0].x, middle);
      ctx.closePath();
      ctx.fillStyle = this.inks[`${side}-fill`];
      ctx.fill();
      ctx.beginPath();
      trace();
      ctx.strokeStyle = this.inks[side];
      ctx.lineWidth = 1.75;
      ctx.lineJoin = "round";
      ctx.stroke();
      ctx.restore();
    }
  }

  #suspensions(ctx) {
    this.hatchPattern ??= hatch(ctx, this.inks.hatch);
    const { top, bottom } = this.inner;
    ctx.fillStyle = this.hatchPattern;
    for (const run of runs(this.feed.samples, (s) => s.suspended)) {
      const x0 = this.scale.x(run.period, run.fromS);
      ctx.fillRect(x0, top, Math.max(2, this.scale.x(run.period, run.toS) - x0), bottom - top);
    }
  }

  /** What a window settled at, as a line across it; the running window's mark likewise, dashed. */
  #settled(ctx) {
    for (const w of this.feed.windows.values()) {
      if (w.lengthS !== 900) continue;
      const final = w.state === "final" && w.settlement != null;
      const value = Number(final ? w.settlement : w.mark);
      if ((!final && w.state !== "open") || !Number.isFinite(value) || (!final && w.mark == null)) continue;
      const x0 = this.scale.x(w.period, w.startS) + 2;
      const x1 = this.scale.x(w.period, w.startS + w.lengthS) - 2;
      const at = Math.round(this.y(value)) + 0.5;
      ctx.strokeStyle = final ? this.inks.text : this.inks.muted;
      ctx.lineWidth = final ? 1.5 : 1;
      ctx.setLineDash(final ? [] : [3, 3]);
      ctx.beginPath();
      ctx.moveTo(x0, at);
      ctx.lineTo(x1, at);
      ctx.stroke();
      ctx.setLineDash([]);
      if (!final || x1 - x0 < 34) continue;
      // The label sits on the empty side of 50 so that it never covers the curve it sums up.
      ctx.textAlign = "center";
      ctx.fillStyle = this.inks.text;
      ctx.fillText(fixed(w.settlement, 1), (x0 + x1) / 2, this.y(50) + (value >= 50 ? 11 : -11));
    }
  }

  #axis(ctx, height) {
    const { left, right, bottom } = this.inner;
    ctx.fillStyle = this.inks.muted;
    ctx.strokeStyle = this.inks.grid;
    for (const tick of minuteTicks(this.scale)) {
      ctx.textAlign = tick.x < left + 12 ? "left" : tick.x > right - 12 ? "right" : "center";
      ctx.fillText(tick.text, Math.max(left, Math.min(right, tick.x)), height - 9);
    }
    this.scale.parts.slice(1).forEach((part) => {
      const x = part.x - 7;
      if (x < left || x > right) return;
      ctx.setLineDash([2, 3]);
      ctx.beginPath();
      ctx.moveTo(x, this.inner.top);
      ctx.lineTo(x, bottom);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.textAlign = "center";
      // On a phone the label would run into the minute before it.
      if (part.period === 2 && this.scale.pxPerS > 0.15) ctx.fillText("HT", x, height - 9);
    });
  }

  /** Home's marks above the plot, away's below it; a goal also draws a line down to the curve. */
  #marks(ctx) {
    const { top, bottom } = this.inner;
    const rank = (e) => (e.goal ? 2 : e.kind === "red" || e.kind === "yellow" ? 1 : 0);
    for (const e of [...this.feed.events.values()].filter((e) => e.period < 5).sort((a, b) => rank(a) - rank(b))) {
      const x = this.scale.x(e.period, e.playS);
      const home = e.side !== "away";
      const lane = home ? top - 10 : bottom + 11;
      const ink = home ? this.inks.home : this.inks.away;
      if (e.goal) this.#goal(ctx, x, lane, ink, e);
      else if (e.kind === "yellow" || e.kind === "red") {
        ctx.fillStyle = this.inks[e.kind];
        ctx.strokeStyle = this.inks.surface;
        ctx.lineWidth = 2;
        ctx.beginPath();
        ctx.roundRect(x - 3.5, lane - 5, 7, 10, 1.5);
        ctx.stroke();
        ctx.fill();
      } else if (e.kind === "shot") {
        ctx.strokeStyle = ink;
        ctx.lineWidth = 2;
        ctx.beginPath();
        ctx.moveTo(x, lane - 3.5);
        ctx.lineTo(x, lane + 3.5);
        ctx.stroke();
      } else if (e.kind === "penalty_awarded" || e.kind === "var_start") {
        ctx.fillStyle = ink;
        ctx.textAlign = "center";
        ctx.fillText(e.kind === "var_start" ? "V" : "P", x, lane);
      }
    }
  }

  #revisions(ctx) {
    for (const mark of this.marks) this.#diamond(ctx, this.scale.x(mark.period, mark.playS), this.y(mark.side === "away" ? 0 : 100));
  }

  #goal(ctx, x, lane, ink, event) {
    const sample = sampleAt(this.feed.samples, event.period, event.playS);
    ctx.strokeStyle = ink;
    ctx.lineWidth = 1;
    ctx.setLineDash([1, 2]);
    ctx.beginPath();
    ctx.moveTo(x, lane);
    ctx.lineTo(x, this.y(sample?.index ?? 50));
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.fillStyle = ink;
    ctx.strokeStyle = this.inks.surface;
    ctx.lineWidth = 2;
    ctx.beginPath();
    ctx.arc(x, lane, 6.5, 0, 7);
    ctx.stroke();
    ctx.fill();
    ctx.fillStyle = this.inks.surface;
    ctx.beginPath();
    for (let i = 0; i < 5; i += 1) ctx.lineTo(x + 3 * Math.sin(i * 1.2566), lane - 3 * Math.cos(i * 1.2566));
    ctx.fill();
  }

  #diamond(ctx, x, at) {
    ctx.strokeStyle = this.inks.revised;
    ctx.fillStyle = this.inks.surface;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.moveTo(x, at - 4);
    ctx.lineTo(x + 4, at);
    ctx.lineTo(x, at + 4);
    ctx.lineTo(x - 4, at);
    ctx.closePath();
    ctx.fill();
    ctx.stroke();
  }

  /** The newest sample: a full dot once it is on chain, a ring while it is only seen. */
  #tip(ctx) {
    const last = this.feed.last;
    if (!last) return;
    const x = this.scale.x(last.period, last.playS);
    const at = this.y(last.index);
    const ink = last.index >= 50 ? this.inks.home : this.inks.away;
    ctx.beginPath();
    ctx.arc(x, at, 4.5, 0, 7);
    ctx.lineWidth = 2;
    ctx.strokeStyle = last.level === "live" ? ink : this.inks.surface;
    ctx.fillStyle = last.level === "live" ? this.inks.surface : ink;
    ctx.fill();
    ctx.stroke();
    this.pulse.style.transform = `translate(${x.toFixed(1)}px, ${at.toFixed(1)}px)`;
    this.pulse.style.color = ink;
  }

  #crosshair(ctx) {
    if (!this.cursor) return;
    const sample = sampleAt(this.feed.samples, this.cursor.period, this.cursor.playS);
    const x = Math.round(this.scale.x(this.cursor.period, this.cursor.playS)) + 0.5;
    ctx.strokeStyle = this.inks.text;
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(x, this.inner.top);
    ctx.lineTo(x, this.inner.bottom);
    ctx.stroke();
    if (!sample) return;
    ctx.beginPath();
    ctx.arc(x, this.y(sample.index), 3.5, 0, 7);
    ctx.fillStyle = this.inks.text;
    ctx.fill();
  }

  /** The state of the chart in words (readout, label) and as data (for tests and assistive tools). */
  #tell() {
    const { feed, canvas } = this;
    const last = feed.last;
    this.frames += 1;
    Object.assign(canvas.dataset, {
      frames: this.frames, samples: feed.samples.length, tick: last?.tick ?? "", index: last?.index ?? "",
      events: feed.events.size, revisions: feed.revisions.size,
    });
    if (last) {
      canvas.setAttribute("aria-label", `Momentum chart, 0 to 100, above 50 is home. ${minute(last.period, last.playS)}: ${last.index.toFixed(1)}.`);
    }
    const text = this.cursor ? this.#describe(this.cursor) : "Touch, hover or use the arrow keys to read the chart";
    if (this.readout.textContent !== text) this.readout.textContent = text;
  }

  #describe({ period, playS }) {
    const s = sampleAt(this.feed.samples, period, playS);
    if (!s || s.period !== period) return `${clock(period, playS)} not played yet`;
    const near = (e) => e.period === period && Math.abs(e.playS - playS) <= Math.max(12, 6 / this.scale.pxPerS);
    const happened = [...this.feed.events.values()].filter(near).map((e) => eventWords(e, this.feed.match));
    happened.push(...this.marks.filter(near).map((mark) => mark.text));
    const parts = [clock(period, playS), s.index.toFixed(1), s.level];
    if (s.suspended) parts.push("suspended");
    const w = [...this.feed.windows.values()].find((v) => v.lengthS === 900 && v.period === period
      && playS >= v.startS && playS < v.startS + 900);
    if (w?.state === "final") parts.push(`${shortWindow(w.name)} settled ${fixed(w.settlement, 1)}`);
    return [...parts, ...new Set(happened)].slice(0, 5).join("  ·  ");
  }
}

function hatch(ctx, ink) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = tile.getContext("2d");
  pen.strokeStyle = ink;
  pen.lineWidth = 1.2;
  pen.beginPath();
  pen.moveTo(-1, 7);
  pen.lineTo(7, -1);
  pen.stroke();
  return ctx.createPattern(tile, "repeat");
}
