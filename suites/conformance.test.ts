import { conformanceTests } from '../harness/run/conformance-tests.ts';
import { requirement } from './requirements/catalogue.ts';
import { SCENARIOS } from './scenarios.ts';

conformanceTests(SCENARIOS, requirement);
