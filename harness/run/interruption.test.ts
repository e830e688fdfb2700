import { expect, test, vi } from 'vitest';
import { watchInterruption } from './interruption.ts';

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s stops the run once, in order', (signal) => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const stop = vi.fn<() => void>();
  {
    using interruption = watchInterruption();
    interruption.stopWith(stop);
    process.emit(signal, signal);
    expect(interruption.interrupted).toBe(true);
  }
  expect(stop).toHaveBeenCalledOnce();
  expect(process.listenerCount(signal)).toBe(0);
  written.mockRestore();
});
