import { expect, test } from 'vitest';
import { noAnswer, unreachable } from './container-engine.ts';

const SOCKET = { socketPath: '/var/run/docker.sock', host: undefined };
const BRIDGE = '172.17.0.1';

test.each([
  ['of a machine', { ...SOCKET, bridge: BRIDGE, inContainer: false }],
  ['in a virtual machine of its own', { ...SOCKET, bridge: undefined, inContainer: false }],
  ['in the container that the suite runs in too', { ...SOCKET, bridge: BRIDGE, inContainer: true }],
  [
    'on a port of this machine',
    { socketPath: undefined, host: 'localhost', bridge: BRIDGE, inContainer: false },
  ],
])('an engine %s is reached', (_, engine) => {
  expect(unreachable(engine)).toBeUndefined();
});

test.each([
  [
    'on another machine',
    { socketPath: undefined, host: 'builder.example', bridge: undefined, inContainer: false },
    'the container engine is on another machine (builder.example)',
  ],
  [
    'around the container that the suite runs in',
    { ...SOCKET, bridge: undefined, inContainer: true },
    'the container engine is outside of the container that the suite runs in',
  ],
])('an engine %s is not', (_, engine, reason) => {
  expect(unreachable(engine)).toContain(reason);
});

test.each([
  [undefined, 'no container engine answers'],
  ['', 'no container engine answers'],
  ['unix:///nowhere.sock', 'no container engine answers at /nowhere.sock (DOCKER_HOST)'],
  ['tcp://127.0.0.1:1', 'no container engine answers at tcp://127.0.0.1:1 (DOCKER_HOST)'],
])('where none answers, the engine that %j names is named', (dockerHost, message) => {
  expect(noAnswer(dockerHost)).toBe(message);
});
