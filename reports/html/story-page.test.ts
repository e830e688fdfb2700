import { expect, test } from 'vitest';
import { renderStories } from './story-page.ts';
import type { StoriesView } from './story-page.ts';

const step = { who: 'mallory', does: 'sends <the token>', expected: 'refused', outcome: '401', holds: true };

function page(change: Partial<typeof step> = {}): string {
  const stories: StoriesView['stories'] = [
    {
      threat: 'use',
      title: 'Alice at work',
      steps: [{ ...step, who: 'alice', expected: 'served', outcome: '200' }],
    },
    { threat: 'T2', title: 'Mallory tries', steps: [{ ...step, ...change }] },
  ];
  return renderStories({ cast: { 'resource-server': 'A server' }, stories });
}

test('an attack that failed is told so, and foreign text stays text', () => {
  expect(page()).toContain('<title>Chain: all as it must be</title>');
  expect(page()).toContain('The attack failed');
  expect(page()).toContain('Everybody was served.');
  expect(page()).toContain('sends &lt;the token&gt;');
  expect(page()).toContain('A server');
});

test('a step that does not hold is marked, in its row and in the title', () => {
  const broken = page({ outcome: '200', holds: false });
  expect(broken).toContain('<title>Chain: 1 step not as it must be</title>');
  expect(broken).toContain('✕ 200');
  expect(broken).not.toContain('The attack failed');
});
