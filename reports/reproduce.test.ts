import { expect, test } from 'vitest';
import { reproduceCommand } from './reproduce.ts';

const core = { tls: 'TLSv1.3', http: 'http/1.1', key: 'P-256' } as const;

test('the embedded reference under the core permutation needs no more than the scenario', () => {
  expect(reproduceCommand({ arguments: '' }, { scenario: 'RS-EKM-5', permutation: core })).toBe(
    'npx tsbt run --scenario RS-EKM-5',
  );
});

test('target words stand as they are and another permutation is named', () => {
  const command = reproduceCommand(
    { arguments: '--url https://rs.example:8443' },
    { scenario: 'RS-EKM-5', permutation: { ...core, http: 'h2', key: 'RSA' } },
  );
  expect(command).toBe(
    'npx tsbt run --url https://rs.example:8443 --scenario RS-EKM-5 --permutation "TLSv1.3 h2 RSA"',
  );
});

test('scenarios that a result rests on are played too', () => {
  const result = { scenario: 'CL-SIG-2.every', permutation: core, repeatWith: ['CL-PL-4'] };
  expect(reproduceCommand({ arguments: '' }, result)).toBe(
    'npx tsbt run --scenario CL-SIG-2.every --scenario CL-PL-4',
  );
});

test('a scenario id cannot leave its word', () => {
  expect(reproduceCommand({ arguments: '' }, { scenario: "x'; rm -rf ~", permutation: core })).toBe(
    `npx tsbt run --scenario 'x'\\''; rm -rf ~'`,
  );
});
