/** How much TLS and HTTP this process has done: for the cost comparison in a run's statistics. */
export interface WireCounters {
  /** TLS handshakes begun as a client, the failed ones included, and those that a client under test has made. */
  readonly handshakes: number;
  /** Of these, the ones that resumed a session. */
  readonly resumptions: number;
  /** Requests written, the abandoned ones included. */
  readonly requests: number;
}

const counts = { handshakes: 0, resumptions: 0, requests: 0 };

/** The counts since the process began or since {@link resetWireCounters}; a copy. */
export function wireCounters(): WireCounters {
  return { ...counts };
}

/** Starts all counts again at zero. */
export function resetWireCounters(): void {
  counts.handshakes = 0;
  counts.resumptions = 0;
  counts.requests = 0;
}

/** Adds one to a count. For the wire layer itself, and the counterpart. */
export function count(what: keyof WireCounters): void {
  counts[what] += 1;
}
