import { matrixTests } from '../harness/mutants/matrix-tests.ts';
import { requirement } from './requirements/catalogue.ts';
import { SCENARIOS } from './scenarios.ts';

matrixTests(SCENARIOS, requirement);
