// The connection as a state machine without I/O: the caller reports what happened and when, and asks what to do.
// An open socket is no proof of life: only frames are, so silence turns "live" into "stale", and then into a reconnect.

export const PING_AFTER_MS = 2500;
export const STALE_AFTER_MS = 6000;
export const GIVE_UP_AFTER_MS = 15000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000;

export class Link {
  constructor(random = Math.random) {
    this.random = random;
    this.phase = "connecting"; // connecting | live | stale | waiting
    this.failures = 0;
    this.heardMs = 0;
    this.retryAtMs = 0;
    this.openedMs = 0;
  }

  connecting(nowMs) {
    this.phase = "connecting";
    this.openedMs = nowMs;
  }

  /** A frame came. */
  heard(nowMs) {
    this.phase = "live";
    this.failures = 0;
    this.heardMs = nowMs;
  }

  /** The socket is gone; returns the milliseconds to wait: doubling, with jitter so that a crowd spreads out. */
  closed(nowMs) {
    const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures);
    const wait = Math.round(ceiling * (0.5 + this.random() / 2));
    this.failures += 1;
    this.phase = "waiting";
    this.retryAtMs = nowMs + wait;
    return wait;
  }

  /**
   * Call it twice a second. "ping": nothing came for a while, ask whether the server is there. "reconnect": the socket
   * says open but nothing comes.
   */
  poll(nowMs) {
    if (this.phase === "connecting") return nowMs - this.openedMs > GIVE_UP_AFTER_MS ? "reconnect" : "";
    if (this.phase !== "live" && this.phase !== "stale") return "";
    const silentMs = nowMs - this.heardMs;
    this.phase = silentMs > STALE_AFTER_MS ? "stale" : "live";
    if (silentMs > GIVE_UP_AFTER_MS) return "reconnect";
    return silentMs > PING_AFTER_MS ? "ping" : "";
  }

  /** What to tell people. */
  text(nowMs) {
    switch (this.phase) {
      case "live": return "Live";
      case "stale": return `Stale: nothing for ${Math.round((nowMs - this.heardMs) / 1000)} s`;
      case "waiting": return `Reconnecting in ${Math.max(0, Math.ceil((this.retryAtMs - nowMs) / 1000))} s`;
      default: return this.heardMs ? "Reconnecting" : "Connecting";
    }
  }
}
