import { run } from '../resource-server/process.ts';
import { start } from './target.ts';

await run(start);
