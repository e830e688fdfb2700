import type { FailureKind, WireFailure } from './connection.ts';

/** TLS alert descriptions by number (RFC 8446 §6, RFC 5246 §7.2, RFC 7301 §3.2). */
const ALERTS: ReadonlyMap<number, string> = new Map([
  [0, 'close_notify'],
  [10, 'unexpected_message'],
  [20, 'bad_record_mac'],
  [22, 'record_overflow'],
  [40, 'handshake_failure'],
  [42, 'bad_certificate'],
  [43, 'unsupported_certificate'],
  [44, 'certificate_revoked'],
  [45, 'certificate_expired'],
  [46, 'certificate_unknown'],
  [47, 'illegal_parameter'],
  [48, 'unknown_ca'],
  [49, 'access_denied'],
  [50, 'decode_error'],
  [51, 'decrypt_error'],
  [70, 'protocol_version'],
  [71, 'insufficient_security'],
  [80, 'internal_error'],
  [86, 'inappropriate_fallback'],
  [90, 'user_canceled'],
  [100, 'no_renegotiation'],
  [109, 'missing_extension'],
  [110, 'unsupported_extension'],
  [112, 'unrecognized_name'],
  [113, 'bad_certificate_status_response'],
  [115, 'unknown_psk_identity'],
  [116, 'certificate_required'],
  [120, 'no_application_protocol'],
]);

/** How a connection came to its end. */
export interface Ending {
  readonly kind: FailureKind;
  readonly detail: string;
  readonly alert?: string;
}

/** The name of the alert that an OpenSSL error text reports as received from the peer, if it does. */
export function alertIn(text: string): string | undefined {
  const number = /SSL alert number (\d+)/.exec(text)?.[1];
  if (number !== undefined) return ALERTS.get(Number(number)) ?? `alert_${number}`;
  const words = /(?:tlsv\d+|sslv3|ssl\/tls) alert ([a-z0-9 ]+)/i.exec(text)?.[1];
  return words?.trim().toLowerCase().replaceAll(' ', '_');
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTDOWN',
]);
const RESET = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** What an error on a socket says about the peer. `phase` decides what an unexplained TLS error is called. */
export function endingOf(error: Error, phase: 'handshake' | 'established'): Ending {
  const code = codeOf(error);
  const alert = alertIn(`${error.message} ${'reason' in error ? String(error.reason) : ''}`);
  if (alert !== undefined)
    return { kind: 'tls-alert', alert, detail: `the target sent the TLS alert ${alert}` };
  if (UNREACHABLE.has(code)) return { kind: 'refused', detail: `no TCP connection: ${error.message}` };
  if (/disconnected before secure/.test(error.message))
    return { kind: 'closed', detail: 'the target ended the connection during the TLS handshake' };
  if (RESET.has(code)) return { kind: 'reset', detail: `the target reset the connection (${code})` };
  // OpenSSL's whole message names threads and source files; its reason is the part to read.
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message.trim();
  return phase === 'handshake'
    ? { kind: 'tls-handshake', detail: `the TLS handshake failed: ${reason} (${code})` }
    : { kind: 'closed', detail: `the TLS connection broke: ${reason} (${code})` };
}

/** A failure to answer with, from how the connection ended. */
export function failureOf(ending: Ending, durationMs: number): WireFailure {
  return { type: 'failure', ...ending, durationMs };
}
