#!/usr/bin/env node
import { enableCompileCache, getCompileCacheDir } from 'node:module';

// Much of a short run is loading: what Node has stripped and compiled once, it need not again. Workers inherit it.
enableCompileCache();
process.env['NODE_COMPILE_CACHE'] ??= getCompileCacheDir();

const { main } = await import('./cli/main.ts');
await main(process.argv);

/** How long what is still open may keep the process when its work is done, in milliseconds. */
const LINGER_MS = 3000;
// A target module that cannot be closed would keep it for ever.
setTimeout(() => process.exit(), LINGER_MS).unref();
