import type { WithMetrics } from '../src/config/metrics-option.ts';
import type { RoleOptions } from '../src/config/options.ts';
import { checkObject, yesOrNo } from '../src/config/rules.ts';
import { InvalidOptionError } from '../src/core/errors.ts';
import type { AnyLoader } from '../src/loaders/define-loader.ts';
import type { WarmUp } from '../src/warm/warm-up.ts';
import type { AuditListener } from './security/audit.ts';
import { printAudit } from './security/audit.ts';
import type { DashboardAuth } from './security/users.ts';

export interface DashboardOptions extends RoleOptions, WithMetrics {
  readonly loaders: readonly AnyLoader[];
  /** Plans, to be shown and run. */
  readonly warmUps?: readonly WarmUp[];
  /** Where it is mounted, as browsers see it: `'/everwarm'`. @defaultValue `''` */
  readonly basePath?: string;
  /** Who may open it: users and tokens, or a function that tells who sent a request. Without it, whoever can reach it. */
  readonly auth?: DashboardAuth;
  /** Names it may be reached by, beside the loopback ones. @defaultValue `[]`; with `auth` any */
  readonly allowedHosts?: readonly string[];
  /** Nobody may change anything. @defaultValue `false` */
  readonly readOnly?: boolean;
  /** Never show what is cached. @defaultValue `false` */
  readonly hideValues?: boolean;
  /** Show hashes instead of keys. @defaultValue `false` */
  readonly hideKeys?: boolean;
  /** Told of every action and refused login. @defaultValue prints a line of JSON */
  readonly onAudit?: AuditListener;
}

export interface DashboardSettings {
  readonly basePath: string;
  readonly auth: DashboardAuth | null;
  readonly allowedHosts: readonly string[] | null;
  readonly readOnly: boolean;
  readonly hideValues: boolean;
  readonly hideKeys: boolean;
  readonly onAudit: AuditListener;
}

const BASE_PATH = /^(?:\/[A-Za-z0-9_.~-]+)*$/;

export function resolveDashboard(options: DashboardOptions): DashboardSettings {
  checkObject(options, 'dashboard');
  const { basePath = '', auth = null, allowedHosts = null, onAudit = printAudit } = options;
  if (!BASE_PATH.test(basePath)) {
    const rule = "must be a path such as '/everwarm', without a slash at its end";
    throw new InvalidOptionError('dashboard.basePath', basePath, rule);
  }
  return {
    basePath,
    auth,
    allowedHosts: allowedHosts ?? (auth === null ? [] : null),
    readOnly: yesOrNo(options.readOnly, 'dashboard.readOnly', false),
    hideValues: yesOrNo(options.hideValues, 'dashboard.hideValues', false),
    hideKeys: yesOrNo(options.hideKeys, 'dashboard.hideKeys', false),
    onAudit,
  };
}
