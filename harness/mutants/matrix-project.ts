import { fileURLToPath } from 'node:url';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import type { Observation } from './observation.ts';
import type { Subject } from './subject.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** What a part of the matrix consists of; plain data, handed to a worker. */
export interface MatrixPart {
  readonly subjects: readonly Subject[];
}

declare module 'vitest' {
  interface ProvidedContext {
    matrix: MatrixPart;
  }
  interface TaskMeta {
    /** What a test of the matrix leaves behind. */
    observation?: Observation;
  }
}

/** The vitest project that plays a part of the matrix in a process of its own. */
export function matrixProject(name: string, matrix: MatrixPart): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      root,
      dir: root,
      include: [`suites/mutant-matrix.test.${extension}`],
      exclude: [],
      pool: 'forks',
      isolate: false,
      retry: 0,
      provide: { matrix },
    },
  };
}

/**
 * Deals subjects out into parts, like cards, so that parts of neighbours that take long differ little.
 *
 * @param parts how many at most
 */
export function deal(subjects: readonly Subject[], parts: number): readonly MatrixPart[] {
  const hands = Array.from({ length: Math.min(parts, subjects.length) }, (_, hand) =>
    subjects.filter((_subject, index) => index % parts === hand),
  );
  return hands.map((hand) => ({ subjects: hand }));
}
