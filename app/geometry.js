// Where things are on the chart: pure functions of samples and pixels.

import { NOMINAL_LENGTH_S, NOMINAL_START_S } from "./format.js";

const GAP_PX = 14;
const RESERVED_ADDED_S = 180;

/** The periods side by side, each as long as its nominal length, the added time seen so far and a little to grow. */
export function spans(samples) {
  const longest = [0, 0, 0, 0, 0, 0];
  for (const s of samples) longest[s.period] = Math.max(longest[s.period], s.playS);
  const last = longest.findLastIndex((s) => s > 0);
  const shown = [1, 2, 3, 4].filter((p) => p <= Math.max(2, last));
  return shown.map((period) => {
    const nominal = NOMINAL_LENGTH_S[period];
    return { period, lengthS: Math.max(nominal + RESERVED_ADDED_S, Math.ceil(longest[period] / 60) * 60) };
  });
}

/** An x scale over the whole match, or over the `rangeS` seconds of play up to the newest sample. */
export function timeScale(samples, left, width, rangeS = Infinity) {
  const all = spans(samples);
  const total = all.reduce((sum, s) => sum + s.lengthS, 0);
  const whole = rangeS >= total;
  const last = samples[samples.length - 1];
  const pxPerS = whole ? (width - GAP_PX * (all.length - 1)) / total : width / rangeS;
  let x = left;
  const parts = all.map(({ period, lengthS }) => {
    const part = { period, lengthS, x, width: lengthS * pxPerS };
    x += part.width + GAP_PX;
    return part;
  });
  if (!whole) {
    // Keep the newest sample a little inside the right edge; the left edge never shows time before kick-off.
    const part = parts.find((p) => p.period === last?.period) ?? parts[0];
    const now = part.x + (last?.playS ?? 0) * pxPerS;
    const shift = Math.max(0, now - (left + width * 0.94));
    for (const p of parts) p.x -= shift;
  }
  const byPeriod = new Map(parts.map((p) => [p.period, p]));
  return {
    parts, left, right: left + width, pxPerS,
    x(period, playS) {
      const part = byPeriod.get(period);
      return part ? part.x + Math.min(playS, part.lengthS) * pxPerS : left;
    },
    /** The inverse: which second of which period is under this pixel. */
    at(px) {
      const part = parts.findLast((p) => px >= p.x - GAP_PX / 2) ?? parts[0];
      return { period: part.period, playS: Math.max(0, Math.min(part.lengthS, (px - part.x) / pxPerS)) };
    },
  };
}

/** At most four points for each pixel column (first, lowest, highest, last): nothing visible is lost. */
export function decimate(points) {
  const out = [];
  let column = null;
  const flush = () => {
    if (!column) return;
    const picked = [column.first, column.low, column.high, column.last].sort((a, b) => a.n - b.n);
    picked.forEach((p, i) => { if (i === 0 || p.n !== picked[i - 1].n) out.push(p); });
  };
  points.forEach((point, n) => {
    const p = { x: point.x, y: point.y, n };
    const at = Math.floor(p.x);
    if (!column || column.at !== at) {
      flush();
      column = { at, first: p, low: p, high: p, last: p };
      return;
    }
    if (p.y < column.low.y) column.low = p;
    if (p.y > column.high.y) column.high = p;
    column.last = p;
  });
  flush();
  return out;
}

/** Runs of neighbouring samples for which `test` holds: [{period, fromS, toS}]. */
export function runs(samples, test) {
  const out = [];
  let open = null;
  for (const s of samples) {
    if (test(s)) {
      if (open && open.period === s.period) open.toS = s.playS;
      else out.push((open = { period: s.period, fromS: s.playS, toS: s.playS }));
    } else {
      if (open && open.period === s.period) open.toS = s.playS;
      open = null;
    }
  }
  return out;
}

/** The sample shown at a second: the newest one at or before it (an index holds until the next). */
export function sampleAt(samples, period, playS) {
  let low = 0;
  let high = samples.length - 1;
  let found = null;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const s = samples[middle];
    if (s.period < period || (s.period === period && s.playS <= playS)) {
      found = s;
      low = middle + 1;
    } else high = middle - 1;
  }
  return found;
}

/** Minute labels that fit: every 15, 10 or 5 minutes by the room there is. */
export function minuteTicks(scale) {
  const perMinute = scale.pxPerS * 60;
  const every = [5, 15].find((n) => n * perMinute >= 34) ?? 45;
  const out = [];
  for (const part of scale.parts) {
    const nominal = NOMINAL_LENGTH_S[part.period] / 60;
    const start = NOMINAL_START_S[part.period] / 60;
    for (let m = 0; m <= nominal; m += every) {
      const x = part.x + m * perMinute;
      if (x < scale.left - 1 || x > scale.right + 1) continue;
      if (m === 0 && part.period > 1) continue; // the end of the period before says it
      out.push({ x, text: `${start + m}'` });
    }
  }
  return out;
}
