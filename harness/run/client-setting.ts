import { issue } from '../../certs/issue.ts';
import type { Benches } from '../bench/benches.ts';
import { startCounterpart } from '../counterpart/resource-server/server.ts';
import type { ClientSetting } from '../scenario/client/client-setting.ts';
import type { Setting } from '../scenario/setting.ts';
import { patience } from '../target/patience.ts';
import { hostAt } from '../target/vantage.ts';
import { startCanary } from '../wire/canary.ts';
import type { ClientPlan } from './plan.ts';

/** Puts the harness's input and output at the disposal of the client role's scenarios, in the process that plays them. */
export function clientSettingOf(
  plan: ClientPlan,
  benches: Benches,
  effort: Setting['effort'],
): ClientSetting {
  const { target, manifest, profile, strict, pki, issuer, patienceMs, vantage } = plan;
  return {
    target: { name: target.name, capabilities: new Set(target.capabilities) },
    profile,
    strict,
    pki,
    issuer,
    dpopKey: manifest.start.kind === 'url' ? null : benches.dpopKey,
    bench: (wanted) => benches.take(wanted),
    upstreamName: vantage.name,
    stranger: () => startCounterpart({ identity: pki.server, address: vantage.address }),
    canary: () => startCanary(vantage.address, hostAt(vantage)),
    issue,
    get patienceMs() {
      return patience(patienceMs);
    },
    effort,
  };
}
