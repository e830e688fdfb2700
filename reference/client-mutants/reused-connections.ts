import { HandmadeClient, isClean, type HandmadeParts } from './handmade-http/dispatcher.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { defaultSidecarParts } from '../sidecar/parts.ts';
import type { ClientMutant } from './mutant.ts';

/** What a client that speaks HTTP by hand does not have. */
export const HANDMADE_LACKS: readonly string[] = ['h2', 'dpop'];

/** The sidecar whose connections, and the HTTP on them, are handmade. */
export function handmade(parts: HandmadeParts = {}): ClientVariant {
  return {
    dispatcher: (_client, surroundings) => new HandmadeClient(surroundings, parts),
    ...(parts.awaitsContinueMs !== undefined && { sidecar: passingExpectations }),
  };
}

const passingExpectations: NonNullable<ClientVariant['sidecar']> = {
  requestFields(request) {
    const fields = defaultSidecarParts.requestFields(request);
    return request.headers.expect === undefined ? fields : [...fields, 'Expect', request.headers.expect];
  },
};

/** Mistakes with connections that go back to the pool (RFC 9112 §9.2, §9.3; draft -06 Appendix B.3, B.6.1). */
export const reusedConnectionsMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-410',
    mistake: 'puts a connection back into the pool when its agent has gone before the response was read',
    breaks: ['CL-SC-15'],
    lacks: HANDMADE_LACKS,
    variant: () =>
      handmade({
        ignoresUnread: true,
        isReusable: (leftover) => isClean({ ...leftover, isRead: true }),
      }),
  },
  {
    id: 'M-CL-411',
    mistake:
      'puts a connection back into the pool when the response is read, though the request’s body was not sent in full',
    breaks: ['CL-SC-15'],
    lacks: HANDMADE_LACKS,
    variant: () => handmade({ isReusable: (leftover) => isClean({ ...leftover, isSent: true }) }),
  },
  {
    id: 'M-CL-412',
    mistake: 'takes octets beyond the end of a response for the response to the next request',
    breaks: ['CL-SC-15'],
    lacks: HANDMADE_LACKS,
    variant: () =>
      handmade({
        ignoresUnread: true,
        isReusable: (leftover) => isClean({ ...leftover, hasMore: false }),
      }),
  },
  {
    id: 'M-CL-413',
    mistake: 'sends further requests on a connection that was switched to another protocol',
    breaks: ['CL-SC-15'],
    lacks: HANDMADE_LACKS,
    variant: () => handmade({ isReusable: (leftover) => isClean({ ...leftover, isSwitched: false }) }),
  },
  {
    id: 'M-CL-414',
    mistake:
      'puts a connection back into the pool when its agent has broken off an upload, and sends the next request there',
    breaks: ['CL-SC-15'],
    lacks: HANDMADE_LACKS,
    variant: () =>
      handmade({
        isReusable: (leftover) => isClean(leftover) || (!leftover.isSent && !leftover.isRead),
      }),
  },
  {
    id: 'M-CL-415',
    mistake: 'ends a chunked upload that its agent broke off as if it were whole',
    breaks: ['CL-SC-15'],
    lacks: HANDMADE_LACKS,
    variant: () => handmade({ endsBrokenBodies: true }),
  },
  {
    id: 'M-CL-416',
    mistake: 'repeats a request after 401 on the same connection before it has read the body of the 401',
    breaks: ['CL-SC-15'],
    lacks: HANDMADE_LACKS,
    variant: () => handmade({ repeatsAtOnce: true }),
  },
  {
    id: 'M-CL-404',
    mistake: 'holds a request’s body back until the server sends 100 (Continue), however long that takes',
    breaks: ['CL-RETRY-6'],
    lacks: HANDMADE_LACKS,
    variant: () => handmade({ awaitsContinueMs: Number.POSITIVE_INFINITY }),
  },
];
