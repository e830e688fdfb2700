import { networkInterfaces } from 'node:os';
import { TcpChannel } from './tcp-channel.ts';

/** Where a target that was told to listen on loopback accepts connections besides. */
export interface Reach {
  /** The addresses that were tried. */
  readonly tried: readonly string[];
  readonly accepting: readonly string[];
}

/** Loopback too, but on Linux only a listener on every address accepts connections there. */
const OTHER_LOOPBACK = '127.0.0.2';
const TIMEOUT_MS = 1000;

/** This machine's addresses by which others reach it. Link-local ones need a zone, and are left out. */
function furtherAddresses(): readonly string[] {
  const found = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const global = found.filter(
    ({ internal, address }) => !internal && !address.toLowerCase().startsWith('fe80:'),
  );
  return global.map(({ address }) => address);
}

/**
 * Tries to connect to a port at the addresses of this machine that are not loopback; where it has none, at an address
 * that tells a listener on every address from one on 127.0.0.1. Sends nothing.
 */
export async function reachBeyondLoopback(port: number): Promise<Reach> {
  const further = furtherAddresses();
  const tried = further.length > 0 ? further : [OTHER_LOOPBACK];
  const results = await Promise.all(
    tried.map(async (address) => {
      const channel = await TcpChannel.open(address, port, TIMEOUT_MS);
      if (!(channel instanceof TcpChannel)) return [];
      channel.destroy();
      return [address];
    }),
  );
  return { tried, accepting: results.flat() };
}
