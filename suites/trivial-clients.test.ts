import { trivialTests } from '../harness/mutants/trivial-tests.ts';
import { loadTrivialSubjects } from '../harness/mutants/trivial.ts';
import { requirement } from './requirements/catalogue.ts';
import { SCENARIOS } from './scenarios.ts';
import { TRIVIAL_PASSES } from './trivial-passes.ts';

trivialTests(await loadTrivialSubjects(), ['client'], {
  scenarios: SCENARIOS,
  requirement,
  passes: TRIVIAL_PASSES,
});
