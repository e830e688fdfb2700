import { issue } from '../../certs/issue.ts';
import { selfSigned } from '../../certs/self-signed.ts';
import { introspectionRegistry } from '../counterpart/introspection-registry.ts';
import type { Setting } from '../scenario/setting.ts';
import { patience } from '../target/patience.ts';
import { hostAt } from '../target/vantage.ts';
import { startCanary } from '../wire/canary.ts';
import { connect } from '../wire/connect.ts';
import { loadOpenSslClient } from '../wire/openssl-client.ts';
import type { ServerPlan } from './plan.ts';

/** Puts the harness's input and output at the scenarios' disposal, in the process that plays them. */
export function settingOf(
  plan: Omit<ServerPlan, 'role'>,
  effort: Setting['effort'] = 'full',
  behind: Setting['behind'] = null,
): Setting {
  let lowLevel: ReturnType<Setting['lowLevel']> | undefined;
  return {
    target: { ...plan.target, capabilities: new Set(plan.target.capabilities) },
    profile: plan.profile,
    strict: plan.strict,
    pki: plan.pki,
    issuer: plan.issuer,
    introspection: plan.introspection === null ? null : introspectionRegistry(plan.introspection),
    credentials: plan.credentials,
    open: connect,
    issue,
    selfSigned,
    canary: () => startCanary(plan.vantage.address, hostAt(plan.vantage)),
    lowLevel: () => (lowLevel ??= loadOpenSslClient()),
    behind,
    get patienceMs() {
      return patience(plan.patienceMs);
    },
    effort,
  };
}
