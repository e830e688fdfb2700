import type { Authority, Identity } from '../../../certs/identity.ts';
import type { IssueRequest } from '../../../certs/issue.ts';
import type { Setting, TargetView } from '../setting.ts';
import type { Registry } from './registered-clients.ts';

/** What the harness puts at the disposal of scenarios of the authorization-server role. */
export interface AuthorizationServerSetting extends Pick<
  Setting,
  'profile' | 'strict' | 'pki' | 'open' | 'patienceMs' | 'effort' | 'credentials'
> {
  readonly target: Omit<TargetView, 'protectedPath'>;
  /** The issuer identifier that the target was told to use. */
  readonly issuer: string;
  readonly registry: Registry;
  issue(authority: Authority, request: IssueRequest): Promise<Identity>;
}
