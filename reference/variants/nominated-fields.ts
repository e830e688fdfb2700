import { nominates } from '../mutants/nominated-fields.ts';
import { fieldValues } from '../resource-server/http-message.ts';
import { answer } from '../resource-server/protect.ts';
import { discardBody } from '../resource-server/request-body.ts';
import type { Variant } from './variant.ts';

const HOP_BY_HOP = new Set(['close', 'keep-alive', 'upgrade', 'te', 'trailer', 'transfer-encoding']);
const IDENTITY = 'X-Verified-Subject';

/** Freedom with fields that the client nominates in Connection, and with what it says of its own request. */
export const nominatedFieldsVariants: readonly Variant[] = [
  {
    id: 'V-RS-drops-nominated',
    difference: `removes nominated fields and ${IDENTITY} before anything else reads them (RFC 9110 §7.6.1)`,
    identityFields: [IDENTITY],
    variant: () => ({
      listener: (inner) => (request, response) => {
        const { rawHeaders } = request;
        const kept = rawHeaders.flatMap((name, index) =>
          index % 2 === 1 || nominates(request, name) || /^x[-_]verified[-_]subject$/i.test(name)
            ? []
            : [name, rawHeaders[index + 1] ?? ''],
        );
        // Http2ServerRequest has no setter for it, and HTTP/2 no Connection field.
        if (request.httpVersionMajor < 2) Object.assign(request, { rawHeaders: kept });
        inner(request, response);
      },
    }),
  },
  {
    id: 'V-RS-refuses-nominated',
    difference: 'answers 400 to a request that nominates a field for other than its own hop',
    variant: () => ({
      listener: (inner) => (request, response) => {
        const options = fieldValues(request, 'connection').flatMap((value) => value.split(','));
        if (options.every((option) => HOP_BY_HOP.has(option.trim().toLowerCase())))
          return inner(request, response);
        answer(response, 400, 'a field that is not hop-by-hop is nominated in Connection');
        discardBody(request);
      },
    }),
  },
  {
    id: 'V-RS-refuses-forwarded',
    difference: 'answers 400 to fields by which a front end would tell the original target',
    variant: () => ({
      listener: (inner) => (request, response) => {
        const told = request.rawHeaders.some(
          (name, index) =>
            index % 2 === 0 && /^(?:forwarded|x-(?:forwarded|original|rewrite)-.*)$/i.test(name),
        );
        if (!told) return inner(request, response);
        answer(response, 400, 'only a front end may set this field');
        discardBody(request);
      },
    }),
  },
];
