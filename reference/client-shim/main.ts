import { run } from '../sidecar/process.ts';
import { start } from './target.ts';

await run(start);
