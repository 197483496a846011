// Words and numbers for people. Decimals arrive as strings and are rounded as strings: money never becomes a float.

export const PERIODS = ["Before kick-off", "1st half", "2nd half", "Extra time 1", "Extra time 2", "Shoot-out"];
// Nominal start and length of each period on the match axis, in seconds.
export const NOMINAL_START_S = [0, 0, 2700, 5400, 6300, 7200];
export const NOMINAL_LENGTH_S = [0, 2700, 2700, 900, 900, 0];

export const REASONS = {
  limit_not_met: "price moved past its limit", suspended: "play was suspended", no_sample: "no sample came in time",
  window_over: "the window ended first", period_break: "the half ended first", window_void: "the window is void",
  sample_gone: "its sample is too old", cancelled: "cancelled", liquidated: "position was liquidated",
  cap: "over the pool's risk limit", nothing_to_reduce: "no position left to close",
};

export const SUSPENSIONS = {
  none: "", goal: "goal", penalty: "penalty", var: "VAR check", red_card: "red card",
  corner: "corner", feed_loss: "feed lost", operator: "by the operator",
};

/** "57.312345", 1 -> "57.3": round half away from zero, exactly. Empty for what is no number. */
export function fixed(decimal, places) {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(String(decimal ?? ""));
  if (!match) return "";
  const [, sign, whole, part = ""] = match;
  const digits = BigInt(whole + part.padEnd(places + 1, "0").slice(0, places + 1));
  const text = String((digits + 5n) / 10n).padStart(places + 1, "0");
  const cut = text.length - places;
  const negative = sign && /[1-9]/.test(text) ? "−" : "";
  return negative + text.slice(0, cut) + (places ? "." + text.slice(cut) : "");
}

/** Thousands grouped: "1234567.8", 2 -> "1,234,567.80". */
export function grouped(decimal, places) {
  const [whole, part] = fixed(decimal, places).split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part === undefined ? "" : "." + part);
}

const two = (n) => String(n).padStart(2, "0");

/** Playing clock of a period: "34:07", in added time "45+2:13". */
export function clock(period, playS) {
  if (!(period > 0)) return "0:00";
  const length = NOMINAL_LENGTH_S[period];
  const start = NOMINAL_START_S[period];
  const s = Math.max(0, Math.floor(playS));
  if (s <= length || !length) return `${two(Math.floor((start + s) / 60))}:${two((start + s) % 60)}`;
  return `${(start + length) / 60}+${Math.floor((s - length) / 60)}:${two((s - length) % 60)}`;
}

/** The minute as football counts it: second 0 is the 1st minute, "45+2'" is the second of added time. */
export function minute(period, playS) {
  const n = Math.floor(playS / 60) + 1;
  const length = NOMINAL_LENGTH_S[period] / 60;
  const start = NOMINAL_START_S[period] / 60;
  return n <= length || !length ? `${start + n}'` : `${start + length}+${n - length}'`;
}

/** Seconds as "7:42". */
export const countdown = (s) => `${Math.floor(Math.max(0, s) / 60)}:${two(Math.floor(Math.max(0, s) % 60))}`;

/** "30-45" -> "Home momentum 30'–45'". */
export function windowTitle(name) {
  return name === "H1" ? "Home momentum, 1st half" : name === "H2" ? "Home momentum, 2nd half"
    : name === "FT" ? "Home momentum, full time" : `Home momentum ${shortWindow(name)}`;
}

/** "30-45" -> "30'–45'". */
export function shortWindow(name) {
  const match = /^(\d+)-(\d+)$/.exec(name);
  return match ? `${match[1]}'–${match[2]}'` : name;
}

/** An event in a few words: "Goal, Hamburger SV (own goal)", "Yellow card, Sandhausen: A. Player". */
export function eventWords(event, match) {
  const what = event.goal ? (event.own_goal ? "Goal (own goal)" : event.penalty ? "Goal (penalty)" : "Goal") : {
    shot: event.penalty ? "Penalty missed" : "Shot", yellow: "Yellow card", red: "Red card",
    penalty_awarded: "Penalty", var_start: "VAR check",
  }[event.kind] ?? event.kind;
  const team = match?.[`${event.side}_short`];
  return [what, team].filter(Boolean).join(" ") + (event.player ? `, ${event.player}` : "");
}
