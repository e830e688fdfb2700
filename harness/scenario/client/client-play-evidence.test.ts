import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { Identity } from '../../../certs/identity.ts';
import { createDpopKey } from '../../forge/dpop-proof.ts';
import { forgeToken } from '../../forge/token.ts';
import { CORE } from '../permutation.ts';
import { failure, issuer, pki, response } from '../target.fixture.ts';
import { outcomeText } from './client-play.ts';
import type { Journey } from './client-play.ts';
import { confusing, deaf, proving, stageOn, unproven } from './client-under-test.fixture.ts';
import type { Client } from './client-under-test.fixture.ts';

/** Nobody of the suite's own. */
const stranger: Identity = {
  ...pki.trusted,
  name: 'a stranger',
  keyType: 'P-256',
  chain: '',
  thumbprint: 'odd',
};

/** A client that connects, and sends what nobody asked it for. */
const busybody: Client = async (request, upstream) => {
  await upstream.receive(upstream.connect(upstream.identity), [['X-Unasked', 'yes']], { target: '/unasked' });
  return proving()(request, upstream);
};

const arrivalOf = ({ arrivals: [arrival] }: Journey) => {
  if (arrival === undefined) throw new Error('nothing arrived');
  return arrival;
};

describe('evidence of a request', () => {
  test('tells what came, what it was answered, and what the agent got', async () => {
    const { stage } = await stageOn();
    await stage.journey('a request', {}, 'control', 'something');
    await stage.journey('another', { token: null });
    expect(stage.evidence.close().exchanges).toMatchObject([
      {
        id: 1,
        connection: 'c1',
        part: 'control',
        what: 'a request',
        expected: 'something',
        request: { method: 'GET', target: '/resource' },
        response: { status: 200, body: '{"served":true}\n' },
        observed: 'a right proof; the agent got 200',
        proof: { signature: "by the key of this connection's certificate" },
      },
      {
        id: 2,
        part: 'request',
        what: 'another',
        expected: 'recorded',
        observed: 'no proof; the agent got 200',
      },
    ]);
  });

  test('tells every defect of the proof', async () => {
    const { stage } = await stageOn({ client: proving({ header: { typ: 'JWT' }, claims: { jti: '' } }) });
    await stage.journey('a request');
    expect(stage.evidence.close().exchanges).toMatchObject([
      { observed: 'typ is "JWT"; jti is ""; the agent got 200' },
    ]);
  });

  test('tells that a right proof was there before', async () => {
    let kept: string | undefined;
    const { stage } = await stageOn({
      client: proving({}, (proof) => [['Session-Binding-Proof', (kept ??= proof)]]),
    });
    const token = stage.mint();
    await stage.journey('a request', { token });
    await stage.journey('a request', { token });
    expect(stage.evidence.close().exchanges.map(({ observed }) => observed)).toEqual([
      'a right proof; the agent got 200',
      'the same right proof as before; the agent got 200',
    ]);
  });

  test('is one for each that arrived, by which it can be found', async () => {
    const { stage, happened } = await stageOn({ client: unproven });
    await stage.journey('a request');
    const [first, second] = happened.server.requests;
    if (first === undefined || second === undefined) throw new Error('the agent did not ask again');
    expect(stage.evidence.close().exchanges.map(({ observed }) => observed)).toEqual([
      'no proof; the agent got 401, and asked once more',
      'no proof; the agent got 401',
    ]);
    expect([first, second].map((request) => stage.exchangeOf(request))).toEqual([1, 2]);
    expect(stage.exchangeOf({ ...first })).toBeUndefined();
  });

  test('is none where nothing arrived', async () => {
    const { stage } = await stageOn({ client: deaf });
    await stage.journey('a request');
    expect(stage.evidence.close().exchanges).toEqual([]);
  });

  test('tells that the counterpart has not answered yet', async () => {
    const { stage } = await stageOn({
      client: async (request, { connect, receive, identity }) => {
        void receive(connect(identity), request.fields);
        return failure('closed', 'gone');
      },
    });
    stage.answerWith(() => new Promise(() => {}));
    await stage.journey('a request');
    expect(stage.evidence.close().exchanges).toMatchObject([
      {
        response: { failure: 'timeout', detail: 'the counterpart had not answered yet' },
        observed: 'no proof; the agent got no response (closed: gone)',
      },
    ]);
  });
});

describe('at the end of a scenario', () => {
  test('what came unasked is told, and nothing twice', async () => {
    const { stage, happened } = await stageOn({ client: busybody });
    await stage.journey('a request');
    await stage[Symbol.asyncDispose]();
    expect(stage.evidence.close().exchanges.map(({ what }) => what)).toEqual([
      'a request',
      'a request of the client’s own',
    ]);
    expect(stage.evidence.close().exchanges[1]).toMatchObject({
      part: 'request',
      request: { target: '/unasked' },
      expected: 'recorded',
      observed: 'no proof; nobody asked',
    });
    expect(happened.disposed).toBe(1);
  });

  test('every connection is told once, with the certificate that was presented on it', async () => {
    const { stage, happened } = await stageOn();
    for (const identity of [pki.alice['P-256'], pki.alice.RSA, pki.mallory, pki.server, stranger, null])
      happened.server.connect(identity);
    await stage[Symbol.asyncDispose]();
    await stage[Symbol.asyncDispose]();
    const { connections } = stage.evidence.close();
    expect(connections.map(({ id }) => id)).toEqual(['c1', 'c2', 'c3', 'c4', 'c5', 'c6']);
    expect(connections.map(({ clientCertificate }) => clientCertificate?.thumbprint)).toEqual([
      pki.alice['P-256'].thumbprint,
      pki.alice.RSA.thumbprint,
      pki.mallory.thumbprint,
      pki.server.thumbprint,
      '',
      undefined,
    ]);
  });

  test('the client’s own certificate is told by its name, whoever made it', async () => {
    const { stage, happened } = await stageOn({}, { scenario: { identity: async () => stranger } });
    happened.server.connect(stranger);
    await stage[Symbol.asyncDispose]();
    expect(stage.evidence.close().connections).toMatchObject([
      { clientCertificate: { name: 'a stranger', thumbprint: 'odd' } },
    ]);
  });

  test('handshakes that failed are told', async () => {
    const { stage, happened } = await stageOn();
    happened.server.failedHandshakes.push({ reason: 'alert unknown_ca' });
    await stage[Symbol.asyncDispose]();
    expect(stage.evidence.close().notes).toEqual(['a handshake did not come to its end: alert unknown_ca']);
  });

  test('a counterpart that failed makes the scenario inconclusive, and the client is given back', async () => {
    const { stage, happened } = await stageOn();
    happened.server.faults.push('the script failed', 'and so did the key log');
    await expect(stage[Symbol.asyncDispose]()).rejects.toMatchObject({
      verdict: 'inconclusive',
      attribution: 'harness',
      message: 'the counterpart failed: the script failed; and so did the key log',
    });
    expect(happened.disposed).toBe(1);
  });
});

describe('a request is described', () => {
  test('by what its values stand for', async () => {
    const { stage } = await stageOn();
    const description = stage.describe(arrivalOf(await stage.journey('a request')));
    expect(Object.fromEntries(description)).toMatchObject({
      'connection.certificate': 'alice (P-256)',
      'connection.servername': 'rs.tsbt.test',
      'request.authority': 'the target',
      'request.authorization': 'Bearer <token>',
      'token.signature': "by the issuer's key",
      'token.claims.cnf.x5t#S256': "thumbprint of this connection's certificate",
      'proof.claims.ath': 'SHA-256 of this token',
      'proof.claims.ekm': "this connection's exporter value",
      'proof.signature': "by the key of this connection's certificate",
    });
  });

  test('by the connection whose exporter value its proof holds', async () => {
    const { stage } = await stageOn({ client: confusing() });
    const description = stage.describe(arrivalOf(await stage.journey('moved')));
    expect(description.get('proof.claims.ekm')).toBe('the exporter value of c1');
  });

  test('by whose certificate a token is bound to, and by whom it was signed', async () => {
    const { stage } = await stageOn();
    const made = { ...pki.mallory, name: 'eve', thumbprint: 'thumbprint-of-eve' };
    stage.know(made);
    const described = async (token: ReturnType<typeof stage.mint>) =>
      stage.describe(arrivalOf(await stage.journey('a request', { token })));
    const bound = await described(stage.mint({ boundTo: made }));
    expect(bound.get('token.claims.cnf.x5t#S256')).toBe("thumbprint of eve's P-256 certificate");
    const others = await described(forgeToken(issuer, { boundTo: pki.mallory }));
    expect(others.get('token.signature')).toBe("by the issuer's key");
    const foreign = await described(forgeToken(issuer, { boundTo: null, signWith: pki.mallory }));
    expect(foreign.get('token.signature')).toBe('not by the issuer’s key');
    const forged = await described(stage.mint({ signWith: pki.mallory }));
    expect(forged.get('token.signature')).toBe('not by the issuer’s key');
  });

  test('by the DPoP key of the client, where the suite has started it', async () => {
    const dpopKey = createDpopKey('the client’s DPoP key');
    const jktOf = async (setting: { readonly dpopKey: typeof dpopKey | null }) => {
      const { stage } = await stageOn({ setting });
      const journey = await stage.journey('a request', { token: { jkt: dpopKey } });
      return stage.describe(arrivalOf(journey)).get('token.claims.cnf.jkt');
    };
    expect(await jktOf({ dpopKey })).toBe('thumbprint of the client’s DPoP key');
    expect(await jktOf({ dpopKey: null })).toContain(dpopKey.thumbprint);
  });

  test('on a connection without a certificate by the key type of the permutation', async () => {
    const bare: Client = (request, upstream) =>
      proving()(request, { ...upstream, connect: () => upstream.connect(null) });
    const permutation = { ...CORE, key: 'P-384' } as const;
    const { stage } = await stageOn({ client: bare }, { permutation });
    const description = stage.describe(arrivalOf(await stage.journey('a request')));
    expect(description.get('connection.certificate')).toBe('none');
    expect(description.get('proof.header.alg')).toBe("natural for the certificate's key");
    expect(description.get('proof.signature')).toBe("by alice's P-384 key");
  });
});

test('remarks and measurements go into the evidence, and have no bearing on the verdict', async () => {
  const { stage } = await stageOn();
  stage.note('it is slow');
  stage.measure('connections', 3);
  stage.measure('time', 12.345, 'ms');
  expect(stage.evidence.close()).toMatchObject({
    notes: ['it is slow'],
    measurements: [
      { what: 'connections', value: 3, unit: '' },
      { what: 'time', value: 12.35, unit: 'ms' },
    ],
  });
  expect(stage.findings).toEqual([]);
});

test('no exchange is kept where little effort is to be made', async () => {
  const { stage } = await stageOn({ setting: { effort: 'light' } });
  await stage.journey('a request');
  expect(stage.evidence.close().exchanges).toEqual([]);
});

test('time passes as told, though never more than a few seconds', async () => {
  const pause = vi.spyOn(timers, 'setTimeout').mockResolvedValue(undefined);
  syncBuiltinESMExports();
  try {
    const { stage } = await stageOn();
    await stage.elapse(1200);
    await stage.elapse(60_000);
    expect(pause.mock.calls.map(([milliseconds]) => milliseconds)).toEqual([1200, 5000]);
  } finally {
    pause.mockRestore();
    syncBuiltinESMExports();
  }
});

test('a scenario ends itself with a reason', async () => {
  const { stage } = await stageOn();
  expect(() => stage.notApplicable('not here')).toThrow(
    expect.objectContaining({ verdict: 'not-applicable', attribution: 'target', message: 'not here' }),
  );
  expect(() => stage.inconclusive('not now')).toThrow(
    expect.objectContaining({
      verdict: 'inconclusive',
      attribution: 'target',
      message: 'not now',
      likelyCause: null,
    }),
  );
  expect(() => stage.inconclusive('a bug', 'harness')).toThrow(
    expect.objectContaining({ attribution: 'harness', likelyCause: null }),
  );
});

test('an outcome is told in a few words', () => {
  expect(outcomeText(response(204))).toBe('204');
  expect(outcomeText(failure('reset', 'by the peer'))).toBe('no response (reset: by the peer)');
});
