import { run } from './process.ts';
import { start } from './target.ts';

await run(start);
