import type { Socket } from 'node:net';
import type { Book } from './book.ts';
import type { HandshakeRefusal } from './contract.ts';

/** A fatal alert, internal_error, in a record of TLS 1.2 (RFC 8446 §6.2): it says nothing about the client. */
const ALERT = Buffer.from('15030300020250', 'hex');

const IN_WORDS: Readonly<Record<HandshakeRefusal, string>> = {
  alert: 'the counterpart refused it with the alert internal_error',
  end: 'the counterpart ended the connection',
  reset: 'the counterpart reset the connection',
};

/** Refuses a handshake as its ClientHello begins to arrive. */
export function refuseHandshake(tcp: Socket, how: HandshakeRefusal, book: Book): void {
  tcp.once('data', () => {
    book.failed(IN_WORDS[how]);
    if (how === 'reset') tcp.resetAndDestroy();
    else if (how === 'alert') tcp.end(ALERT);
    else tcp.end();
  });
}
