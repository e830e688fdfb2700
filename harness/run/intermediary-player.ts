import { jwks } from '../../certs/token-issuer.ts';
import { startCounterpart } from '../counterpart/resource-server/server.ts';
import { execute } from '../scenario/execute.ts';
import { Preparations } from '../scenario/preparation.ts';
import type { ResultRecord } from '../scenario/record.ts';
import type { ServerScenario } from '../scenario/scenario.ts';
import { playParts } from '../scenario/servers-behind.ts';
import type { ServersBehind, Setting } from '../scenario/setting.ts';
import { startTarget } from '../target/start.ts';
import { originAt } from '../target/vantage.ts';
import type { IntermediaryPlan } from './plan.ts';
import type { Player } from './player.ts';
import { settingOf } from './setting.ts';

/** An intermediary that runs, with the servers behind it. */
interface Chain extends AsyncDisposable {
  readonly setting: Setting;
  readonly preparations: Preparations;
}

/**
 * Plays scenarios on an intermediary: one that is started at the first of them, and one scenario at a time, since they
 * all look at what arrives at the same servers behind it.
 */
export function intermediaryPlayer(plan: IntermediaryPlan, effort: Setting['effort']): Player {
  let chain: Promise<Chain> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  return {
    play: (scenario, permutation, requirement, signal) => {
      const mine = turn.then(async (): Promise<ResultRecord> => {
        const { setting, preparations } = await (chain ??= startChain(plan, effort));
        const own = scenario as ServerScenario;
        return execute(own, permutation, requirement, setting, preparations, signal);
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
    [Symbol.asyncDispose]: async () => {
      await turn;
      await (await chain?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}

async function startChain(plan: IntermediaryPlan, effort: Setting['effort']): Promise<Chain> {
  const { manifest, pki, issuer, target, vantage } = plan;
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startCounterpart({ identity: pki.server, address: vantage.address }));
  const tokenEndpoint = stack.use(await startCounterpart({ identity: pki.server, address: vantage.address }));
  const identity = pki.server;
  const behind: ServersBehind = { upstream, tokenEndpoint, identity, upstreamName: vantage.name };
  const running = stack.use(
    await startTarget(manifest, {
      serverIdentity: pki.server,
      clientAuthorities: pki.trusted.certificate,
      serverAuthorities: pki.trusted.certificate,
      issuer: issuer.issuer,
      audience: issuer.audience,
      jwks: jwks(issuer),
      behind: {
        upstream: originAt(vantage, upstream.port),
        tokenEndpoint: `${originAt(vantage, tokenEndpoint.port)}/token`,
        identity,
      },
    }),
  );
  const setting = settingOf(
    {
      ...plan,
      target: {
        ...target,
        host: running.host,
        port: running.port,
        hostname: 'localhost',
        protectedPath: manifest.paths.protected,
        serverAuthorities: pki.trusted.certificate,
      },
      introspection: null,
      credentials: null,
    },
    effort,
    behind,
  );
  await playParts(behind, issuer);
  const released = stack.move();
  return {
    setting,
    preparations: new Preparations(setting),
    [Symbol.asyncDispose]: () => released.disposeAsync(),
  };
}
