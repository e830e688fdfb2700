import * as z from 'zod';
import { CAPABILITY_NAMES } from './capabilities.ts';

const word = z.string().trim().min(1);

const https = z.string().superRefine((text, context) => {
  const wrong = httpsProblem(text);
  if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong });
});

/** Which of the two schemes it has to have depends on the role, and is looked at with the whole manifest. */
const bareUrl = z.string().superRefine((text, context) => {
  const url = URL.parse(text);
  const wrong = httpProblem(text) === undefined ? undefined : httpsProblem(text);
  if (wrong !== undefined) {
    context.addIssue({ code: 'custom', message: wrong });
    return;
  }
  if (url !== null && (url.pathname !== '/' || url.search !== ''))
    context.addIssue({
      code: 'custom',
      message: 'has a path or query; the path belongs under paths.protected',
    });
});

/** Says what keeps `text` from being the https URL of a server; `undefined` when nothing does. */
export function httpsProblem(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null) return 'is not a URL; write https://host:port';
  if (url.protocol === 'http:') return 'is plain http; session binding needs TLS, write https://host:port';
  if (url.protocol !== 'https:')
    return `has the scheme ${url.protocol.slice(0, -1)}; write https://host:port`;
  if (url.username !== '' || url.password !== '') return 'has a user or password in it; remove them';
  if (url.hash !== '') return 'has a fragment (#…); remove it';
  return undefined;
}

/** Says what keeps `text` from being the URL of a client's plain-HTTP side; `undefined` when nothing does. */
export function httpProblem(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null) return 'is not a URL; write http://host:port';
  if (url.protocol === 'https:')
    return 'is https; agents speak plain HTTP to a client under test, write http://host:port';
  if (url.protocol !== 'http:') return `has the scheme ${url.protocol.slice(0, -1)}; write http://host:port`;
  if (url.username !== '' || url.password !== '') return 'has a user or password in it; remove them';
  if (url.hash !== '') return 'has a fragment (#…); remove it';
  return undefined;
}

const container = z
  .strictObject({
    build: word.optional(),
    dockerfile: word.optional(),
    image: word.optional(),
    port: z.int().min(1).max(65_535),
    command: z.array(z.string().min(1)).min(1).optional(),
    environment: z
      .record(
        z.string().regex(/^[A-Za-z_]\w*$/, 'is not a name that a variable may have'),
        z.string('must be text; put it in quotes'),
      )
      .optional(),
    memory: z.int('must be a whole number of mebibytes').min(16).max(65_536).optional(),
  })
  .superRefine((value, context) => {
    if ((value.build === undefined) === (value.image === undefined))
      context.addIssue({ code: 'custom', message: 'needs exactly one of build, image' });
    if (value.dockerfile !== undefined && value.build === undefined)
      context.addIssue({
        code: 'custom',
        path: ['dockerfile'],
        message: 'is only for an image that is built; give build too',
      });
  });

const start = z
  .strictObject({
    module: word.optional(),
    process: z.strictObject({ command: z.array(z.string().min(1)).min(1) }).optional(),
    url: bareUrl.optional(),
    container: container.optional(),
  })
  .superRefine((value, context) => {
    const given = Object.entries(value).flatMap(([kind, setting]) => (setting === undefined ? [] : [kind]));
    if (given.length > 1)
      context.addIssue({ code: 'custom', message: `has ${given.join(' and ')}; keep exactly one of them` });
    if (given.length === 0)
      context.addIssue({ code: 'custom', message: 'is empty; give one of module, process, url, container' });
  });

const capabilities = z
  .array(z.enum(CAPABILITY_NAMES as [string, ...string[]]))
  .superRefine((list, context) => {
    for (const [index, name] of list.entries())
      if (list.indexOf(name) !== index)
        context.addIssue({ code: 'custom', path: [index], message: 'is listed twice; remove one' });
    if (!list.some((name) => name === 'tls1.2' || name === 'tls1.3'))
      context.addIssue({
        code: 'custom',
        message: 'claims no TLS version, so nothing could be run; add tls1.3 or tls1.2',
      });
    if (!list.some((name) => name === 'http/1.1' || name === 'h2'))
      context.addIssue({
        code: 'custom',
        message: 'claims no HTTP version, so nothing could be run; add http/1.1 or h2',
      });
  });

const credentials = z
  .strictObject({
    certificate: word,
    key: word,
    accessToken: word.optional(),
    tokenEndpoint: https.optional(),
    clientId: word.optional(),
    scope: word.optional(),
  })
  .superRefine((value, context) => {
    if ((value.accessToken === undefined) === (value.tokenEndpoint === undefined))
      context.addIssue({ code: 'custom', message: 'needs exactly one of accessToken, tokenEndpoint' });
    if (value.tokenEndpoint !== undefined && value.clientId === undefined)
      context.addIssue({ code: 'custom', message: 'has a tokenEndpoint but no clientId; add it' });
  });

/** A manifest as it is written, before defaults and paths are resolved (`docs/target-contract.md`). */
export const manifestSchema = z
  .strictObject({
    $schema: z.string().optional(),
    name: z.string().regex(/^[a-z0-9-]+$/, 'may have only lower-case letters, digits and hyphens'),
    title: word,
    role: z.enum(['resource-server', 'client', 'intermediary', 'authorization-server']),
    homepage: z.url({ protocol: /^https?$/, error: 'is not an http(s) URL; write https://…' }).optional(),
    version: z.string('must be text; put it in quotes, such as "1.4.0"').min(1).optional(),
    start,
    capabilities: capabilities.optional(),
    paths: z
      .strictObject({
        protected: z
          .string()
          .regex(/^\/[^?#\s]*$/, 'must be a path that begins with / and has no query')
          .optional(),
      })
      .optional(),
    knownFailures: z
      .record(
        z.string().regex(/^\S+$/, 'is not a scenario id'),
        z
          .string(
            'needs a reason, in quotes (in YAML an unquoted # begins a comment): \'ID: "#41: why it fails"\'',
          )
          .trim()
          .min(1, 'needs a reason'),
      )
      .optional(),
    credentials: credentials.optional(),
    counterpart: z.strictObject({ port: z.int().min(1).max(65_535) }).optional(),
    identityFields: z
      .array(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'is not a name that a request field may have'))
      .min(1, 'names no field; leave it out where there is none')
      .optional(),
  })
  .superRefine((value, context) => {
    const { url } = value.start;
    const wrong =
      url === undefined ? undefined : value.role === 'client' ? httpProblem(url) : httpsProblem(url);
    if (wrong !== undefined) context.addIssue({ code: 'custom', path: ['start', 'url'], message: wrong });
    const needsCounterpart = value.role === 'client' && url !== undefined;
    if (needsCounterpart && value.counterpart === undefined)
      context.addIssue({
        code: 'custom',
        path: ['counterpart'],
        message:
          'is missing; a client that runs already calls a fixed port, give it here: counterpart: { port: 9443 }',
      });
    if (!needsCounterpart && value.counterpart !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['counterpart'],
        message: 'is only for a client with start.url; the suite tells the others whom to call',
      });
    if (value.identityFields !== undefined && value.role !== 'resource-server')
      context.addIssue({
        code: 'custom',
        path: ['identityFields'],
        message: 'are only for resource servers; remove them',
      });
    if (value.credentials !== undefined && value.role === 'client')
      context.addIssue({
        code: 'custom',
        path: ['credentials'],
        message: 'are only for servers; the suite sees what a client sends, and needs none',
      });
    if (value.credentials !== undefined && value.start.url === undefined)
      context.addIssue({
        code: 'custom',
        path: ['credentials'],
        message: 'are only for a target with start.url; the suite gives the others what they need',
      });
  });

export type WrittenManifest = z.infer<typeof manifestSchema>;

/** The fields that an object of the manifest may have, by its path; for suggestions. */
export const FIELDS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(manifestSchema.shape),
  start: Object.keys(start.shape),
  'start.process': ['command'],
  'start.container': Object.keys(container.shape),
  paths: ['protected'],
  credentials: Object.keys(credentials.shape),
  counterpart: ['port'],
};
