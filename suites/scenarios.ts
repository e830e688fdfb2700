import type { Scenario } from '../harness/scenario/scenario.ts';
import { exporter } from './resource-server/exporter.ts';

/** Every scenario, in the order of the report. */
export const SCENARIOS: readonly Scenario[] = [...exporter];
