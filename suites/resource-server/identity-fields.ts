import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Field } from '../../harness/wire/connection.ts';
import { subjectIn } from './concurrency.ts';

/** draft -06 §5.1: the fields by which the process that terminates TLS tells an application behind it who is calling. */

const TRUSTS_IDENTITY =
  'The field by which the process in front tells the application who is calling reaches it as the client wrote it. Remove every field of that name, in any letter case and with _ for -, before setting your own.';

/** A field that names another subject, in the spellings that a door may overlook and an application may take. */
function forgeries(
  name: string,
  http: 'http/1.1' | 'h2',
): readonly { readonly what: string; readonly fields: readonly Field[] }[] {
  const field: Field = [name, 'mallory'];
  const others = new Set([
    // Names have no other case on HTTP/2 (RFC 9113 §8.2).
    ...(http === 'h2' ? [] : [name.toLowerCase(), name.toUpperCase()]),
    name.replaceAll('-', '_'),
  ]);
  others.delete(name);
  return [
    { what: `the field ${name}`, fields: [field] },
    { what: `the field ${name} twice`, fields: [field, field] },
    ...[...others].map((other) => ({ what: `the field ${other}`, fields: [[other, 'mallory']] as const })),
  ];
}

export const identityFields = suite('resource-server', 'identity-fields', [
  {
    id: 'RS-FWD-3.identity-fields',
    title: 'serves as the subject of the token, whatever a client writes into the target’s identity fields',
    capabilities: ['echo'],
    across: { http: AXES.http },
    cause: TRUSTS_IDENTITY,
    async run(stage) {
      const { identityFields: names = [] } = stage.setting.target;
      if (names.length === 0)
        return stage.notApplicable(
          'the manifest names no identityFields, by which a process in front tells the application who is calling',
        );
      const subject = subjectIn(await stage.control());
      for (const { what, fields } of names.flatMap((name) => forgeries(name, stage.permutation.http))) {
        const forged = await stage.send(
          `the right request, with ${what}`,
          { fields },
          {},
          'variant',
          'served as the subject of the token, or refused',
        );
        if (!forged.served) {
          stage.note(`${what}: refused (${forged.reading.text})`);
          continue;
        }
        stage.holds(
          subjectIn(forged) === subject,
          `${what}: served as ${JSON.stringify(subjectIn(forged))}, must be ${JSON.stringify(subject)}`,
        );
        const variation = { what: `${what}, and no proof`, change: { proof: null } };
        await stage.refusesOne(refused('use_session_binding'), variation, forged, { fields });
      }
      await stage.control('the right request again');
    },
  },
]);
