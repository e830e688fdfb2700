import { readJwt } from '../../harness/forge/read.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import { NO_PROOF } from './proof-failures.ts';

/** Shorter texts may stand in a response by chance. */
const LEAST = 16;

/** Traces of a program's stack as the common languages print them, and private keys. */
const TELLTALES: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a stack trace (JavaScript)', /\n\s+at .+[(/].+:\d+:\d+\)?/],
  ['a stack trace (Python)', /Traceback \(most recent call last\)/],
  ['a stack trace (Java)', /\bat [\w$.]+\([\w$]+\.(?:java|kt|scala):\d+\)/],
  ['a stack trace (.NET)', /\n\s+at [\w.`<>]+\(.*\) in .+:line \d+/],
  ['a stack trace (Go)', /goroutine \d+ \[/],
  ['a stack trace (Rust)', /thread '.*' panicked at/],
  ['a stack trace (PHP)', /#\d+ .+\.php\(\d+\)/],
  ['a stack trace (Ruby)', /\.rb:\d+:in [`']/],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
];

/** What a response has in it that belongs to the request or to the target's inside, in words. */
export function leaks({ outcome, token, proofs, connection }: Exchange): readonly string[] {
  if (outcome.type === 'failure') return [];
  const text = [...outcome.fields.map(([name, value]) => `${name}: ${value}`), outcome.body.toString()].join(
    '\n',
  );
  const exporter = connection.exporter();
  const secrets: readonly (readonly [what: string, secret: string])[] = [
    ...(token === null ? [] : [...partsOf('the access token', token.compact)]),
    ...proofs.flatMap((proof) => partsOf('the proof', proof)),
    ['the text sent in the place of a proof', NO_PROOF],
    ...(['base64url', 'base64', 'hex'] as const).map(
      (encoding) => ['the exporter value of the connection', exporter.toString(encoding)] as const,
    ),
  ];
  const found = [
    ...secrets.filter(([, secret]) => secret.length >= LEAST && text.includes(secret)),
    ...TELLTALES.filter(([, pattern]) => pattern.test(text)),
  ];
  return [...new Set(found.map(([what]) => what))];
}

/** A JWT as a whole, and its payload and signature: its header is the same for many and tells nothing. */
function partsOf(what: string, compact: string): readonly (readonly [string, string])[] {
  const [, payload = '', signature = ''] = readJwt(compact).parts;
  return [
    [what, compact],
    [`the payload of ${what}`, payload],
    [`the signature of ${what}`, signature],
  ];
}
