/** What {@link within} resolves to when the time was up first. */
export const LATE: unique symbol = Symbol('late');

/** What `event` resolves to, or {@link LATE} when it has not within `timeoutMs`. Rejects as `event` does. */
export async function within<T>(event: Promise<T>, timeoutMs: number): Promise<T | typeof LATE> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), timeoutMs);
  });
  try {
    return await Promise.race([event, late]);
  } finally {
    clearTimeout(timer);
  }
}
