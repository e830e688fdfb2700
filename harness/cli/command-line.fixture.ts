import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../cli.ts', import.meta.url));

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Starts `tsbt` with these words, as a user would, without the test runner's own environment. */
export function start(words: readonly string[]) {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(VITEST|VITE_|TEST$|NODE_ENV$|TSBT_TARGET$)/.test(name),
    ),
  );
  const child = spawn(process.execPath, [cli, ...words], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = once(child, 'close').then(([code]): Ended => ({
    code: code as number | null,
    output,
    errors,
  }));
  return { child, ended };
}

/** Runs `tsbt` to its end. */
export const tsbt = (...words: string[]): Promise<Ended> => start(words).ended;
