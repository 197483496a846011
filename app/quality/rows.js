// From the API's feeds to what a row says. Pure; a tone is "" (fine), "warn" or "alert".

/** 0.4 s, 12 s, 3 min: as exact as a person needs it. "–" for what is not known. */
export function span(ms) {
  if (ms === null || ms === undefined) return "–";
  const sign = ms < 0 ? "−" : "";
  const s = Math.abs(ms) / 1000;
  if (s < 10) return `${sign}${s.toFixed(1)} s`;
  if (s < 120) return `${sign}${Math.round(s)} s`;
  return `${sign}${Math.round(s / 60)} min`;
}

/** "0.034" -> "3.4 %". */
export function share(decimal) {
  return decimal === null || decimal === undefined ? "–" : `${(Number(decimal) * 100).toFixed(1)} %`;
}

export function toneOf(value, warn, alert) {
  if (value === null || value === undefined) return "";
  return value >= alert ? "alert" : value >= warn ? "warn" : "";
}

/** Cells in the order of the table: [words, tone]. */
export function cells(feed) {
  const teams = feed.home_name ? `${feed.home_name} – ${feed.away_name}` : feed.match_id;
  return [
    [teams, ""],
    [feed.provider, ""],
    [String(feed.health), toneOf(100 - feed.health, 15, 40)],
    [span(feed.silence_ms), toneOf(feed.silence_ms, 10_000, 20_000)],
    [span(feed.gap_ms), toneOf(feed.gap_recent_ms, 1, 15_000)],
    [String(feed.corrections_last_minute), ""],
    [String(feed.unknown_types), toneOf(feed.unknown_types, 1, Infinity)],
    [String(feed.broken), toneOf(feed.broken, 1, Infinity)],
    [share(feed.difference), toneOf(Number(feed.difference ?? 0), 0.1, 0.25)],
    [span(feed.skew_ms), ""],
    [feed.at ? feed.at.slice(11, 19) : "–", ""],
  ];
}

/** One sentence over all. */
export function summary(feeds) {
  if (!feeds.length) return "";
  const ill = feeds.filter((feed) => feed.health < 60).length;
  const matches = new Set(feeds.map((feed) => feed.match_id)).size;
  const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;
  return `${count(feeds.length, "feed", "feeds")} of ${count(matches, "match", "matches")}, ${ill ? `${ill} below 60` : "all healthy"}`;
}
