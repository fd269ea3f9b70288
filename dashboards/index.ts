export { createDashboard, type Dashboard } from './create-dashboard.ts';
export type { DashboardOptions } from './options.ts';
export type { AuditEvent, AuditListener } from './security/audit.ts';
export { hashPassword } from './security/password.ts';
export type { DashboardUser, Role } from './security/request-user.ts';
export type { DashboardAuth, Identify } from './security/users.ts';
