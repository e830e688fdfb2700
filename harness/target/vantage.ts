/** Where the suite's own servers are, as a target sees them. Plain data. */
export interface Vantage {
  /** The address that a server of the suite listens on, so that the target reaches it and nobody outside this machine does. */
  readonly address: string;
  /** The name by which the target reaches that address; the suite's server certificate is valid for it. */
  readonly name: string;
}

/** A target that runs on this machine as a process, or in this one. */
export const SAME_MACHINE: Vantage = { address: '127.0.0.1', name: 'localhost' };

/** The name under which Docker engines offer containers the machine that they run on. */
export const HOST_OF_CONTAINERS = 'host.docker.internal';

/** `https://name:port` of a server of the suite. */
export function originAt({ name }: Vantage, port: number): string {
  return `https://${name}:${port}`;
}

/** By what a URL names a server of the suite: the address where the target can use it, which no lookup gets wrong. */
export function hostAt({ address, name }: Vantage): string {
  return name === SAME_MACHINE.name ? address : name;
}
