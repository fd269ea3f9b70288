import type { Response } from 'express';
import type { DashboardSettings } from '../options.ts';
import { userOf } from '../security/request-user.ts';

/** Whether to show buttons; that others cannot act the change gate sees to. */
export function mayChange({ readOnly }: DashboardSettings, response: Response): boolean {
  return !readOnly && userOf(response).role === 'operator';
}
