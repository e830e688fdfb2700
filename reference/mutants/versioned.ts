import type { RequestListener } from '../resource-server/protect.ts';
import type { TargetVariant } from '../resource-server/target.ts';

/** A resource with a version that each request with a body changes, and that a GET shows in ETag (RFC 9110 §8.8.3). */
export function versioned(
  when: (take: () => void, response: Parameters<RequestListener>[1]) => void,
): TargetVariant {
  let version = 1;
  return {
    listener: (inner) => (request, response) => {
      const changes = request.method === 'POST' || request.method === 'PUT';
      if (changes) when(() => (version += 1), response);
      else response.setHeader('ETag', `"${version}"`);
      inner(request, response);
    },
  };
}
