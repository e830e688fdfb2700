import type { Meaning } from './attack.ts';

/** What it means that an attempt of one of the threats T1 to T4 succeeds (draft -06 §6.1.1 to §6.1.4). */

export const REPLAYED: Meaning = {
  differs: ['proof.claims.ekm'],
  cause:
    'What was captured on one connection works on another one: ekm is compared with the value of another connection, or a binding is found from other connections. Compare ekm with the value of the connection that carries the request, and key bindings by the connection object.',
};
export const NO_PROOF: Meaning = {
  differs: ['proof'],
  cause:
    'A session-bound token is served without a proof on another connection than the one that it was verified on. Demand the proof for each request.',
};
export const RESUMED: Meaning = {
  differs: ['proof.claims.ekm'],
  cause:
    'The exporter value, or a verified binding, is kept with the TLS session and comes back with it. Verify from scratch on a resumed connection.',
};
export const REOPENED: Meaning = {
  differs: ['proof.claims.ekm'],
  cause:
    'A binding outlives its connection and is found again by the next one from the same address and port. Key it by the connection object, and drop it when that closes.',
};
/** The thief has a certificate, and makes a proof with its key. */
export const OWN_PROOF: Meaning = {
  differs: ['connection.certificate'],
  cause:
    'The thumbprint in the token’s cnf is not compared with the certificate of this connection’s handshake. Nothing else may stand in for that.',
};
export const IN_HIS_NAME: Meaning = {
  differs: ['connection.certificate', 'proof.header.x5t#S256'],
  cause:
    'The token’s thumbprint is compared with what the proof’s header says instead of the certificate of this connection’s handshake.',
};
export const IN_THE_HEADER: Meaning = {
  differs: ['connection.certificate', 'proof.header.x5t#S256'],
  cause:
    'The certificate in the proof’s header is taken for the client’s. Use the one of this connection’s handshake, and no other.',
};
export const FORWARDED: Meaning = {
  differs: ['connection.certificate'],
  cause:
    'A field of the request stands for the client certificate, and the client can write that field itself. Take the certificate of the TLS handshake.',
};
export const AMONG_THE_CHAIN: Meaning = {
  differs: ['connection.certificate'],
  cause:
    'The thumbprint is looked for among all certificates that the client sends. Only the first is the client’s; the others are public and prove nothing.',
};
export const CAPTURED: Meaning = {
  differs: ['connection.certificate', 'proof.claims.ekm', 'proof.signature', 'proof.header.x5t#S256'],
  cause:
    'A verified binding is found on another connection, whatever the certificate there. Key bindings by the connection object, and check the certificate of each connection.',
};
export const NO_CERTIFICATE: Meaning = {
  differs: ['connection.certificate', 'proof.signature', 'proof.header.x5t#S256'],
  cause:
    'The checks of the certificate are skipped where there is none. A session-bound token needs a verified client certificate on its connection, whatever the proof says.',
};
export const NEITHER: Meaning = { ...NO_PROOF, differs: ['connection.certificate', 'proof'] };
