import type { Response } from 'express';

/** `viewer` sees everything that is shown; `operator` may also change things. */
export type Role = 'viewer' | 'operator';

export interface DashboardUser {
  readonly name: string;
  readonly role: Role;
}

/** Nobody is asked for a name where there is no `auth`. */
export const ANYBODY: DashboardUser = { name: 'anonymous', role: 'operator' };
const NOBODY: DashboardUser = { name: '-', role: 'viewer' };

/** Of what an application's own login answers. */
export function isUser(answer: unknown): answer is DashboardUser {
  const { name, role } = (answer ?? {}) as Partial<DashboardUser>;
  return typeof name === 'string' && (role === 'viewer' || role === 'operator');
}

export function setUser(response: Response, user: DashboardUser): void {
  response.locals.dashboardUser = user;
}

export function isKnown(response: Response): boolean {
  return response.locals.dashboardUser !== undefined;
}

/** Whom the request is from; somebody who may only look where nobody has said so. */
export function userOf(response: Response): DashboardUser {
  return (response.locals.dashboardUser as DashboardUser | undefined) ?? NOBODY;
}
