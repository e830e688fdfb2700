import { readdir, readFile, readlink } from 'node:fs/promises';

/**
 * Whose program listens at a port of the loopback address: one of the session, somebody else's, or that cannot be told.
 * It is told on Linux, by the sockets that processes hold.
 */
export type Listener = 'own' | 'foreign' | 'unknown';

/** Local addresses at which a server is reached by 127.0.0.1, as in `/proc/net/tcp` and `tcp6`. */
const REACHED = new Set([
  '0100007F',
  '00000000',
  '00000000000000000000000000000000',
  '0000000000000000FFFF00000100007F',
]);
const LISTEN = '0A';

/**
 * @param session id of the process that leads it; what that process starts belongs to it, unless it leaves
 * @returns `unknown` also where nobody listens
 */
export async function listenerAt(port: number, session: number): Promise<Listener> {
  const sockets = await listeningAt(port);
  if (sockets.size === 0) return 'unknown';
  const processes = await allProcesses();
  const holds = async ({ id }: Process): Promise<boolean> => holdsOneOf(id, sockets);
  const own = processes.filter((one) => one.session === session || isBelow(one, session, processes));
  if (await some(own, holds)) return 'own';
  return (await some(
    processes.filter((one) => !own.includes(one)),
    holds,
  ))
    ? 'foreign'
    : 'unknown';
}

interface Process {
  readonly id: number;
  readonly parent: number;
  readonly session: number;
}

/** Names of the sockets that listen there, as they stand in `/proc/<pid>/fd`; none on other systems than Linux. */
async function listeningAt(port: number): Promise<ReadonlySet<string>> {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(textOf));
  const sockets = tables
    .flatMap((table) => table.split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => {
      const [address = '', at] = local.split(':');
      return state === LISTEN && at === hexadecimal && REACHED.has(address);
    })
    .map((fields) => `socket:[${fields[9] ?? ''}]`);
  return new Set(sockets);
}

async function allProcesses(): Promise<readonly Process[]> {
  const ids = (await namesIn('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const processes = await Promise.all(
    ids.map(async (id) => {
      // The name, in parentheses, may have spaces in it; state, parent, group and session follow.
      const text = await textOf(`/proc/${id}/stat`);
      const [, parent, , session] = text
        .slice(text.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number);
      return { id, parent: parent ?? 0, session: session ?? 0 };
    }),
  );
  return processes;
}

/** Whether a process was started by this one, or by one that it started, and so on. */
function isBelow({ parent }: Process, ancestor: number, all: readonly Process[]): boolean {
  if (parent === ancestor) return true;
  const next = all.find(({ id }) => id === parent);
  return next !== undefined && next.id > 1 && isBelow(next, ancestor, all);
}

/** False also where the files of a process are not for us to see. */
async function holdsOneOf(process: number, sockets: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${process}/fd`;
  const links = await Promise.all(
    (await namesIn(folder)).map((name) => readlink(`${folder}/${name}`).catch(() => '')),
  );
  return links.some((link) => sockets.has(link));
}

async function some<T>(all: readonly T[], holds: (one: T) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(all.map(holds))).includes(true);
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'latin1').catch(() => '');
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
