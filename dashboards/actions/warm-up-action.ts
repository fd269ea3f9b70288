import type { RequestHandler } from 'express';
import { printValue } from '../../src/core/errors.ts';
import { newRunId } from '../../src/warm/run-id.ts';
import type { DashboardContext } from '../context.ts';
import { sendError } from '../pages/send-error.ts';
import { textsOf } from './texts-of.ts';

/** `POST /actions/warm-up`: has a scheduler run a plan now. */
export function warmUpAction(context: DashboardContext): RequestHandler {
  return async (request, response) => {
    const { plan: name } = textsOf(request.body);
    response.locals.auditDetails = { action: 'run', plan: name };
    const { warmUps, warmUpQueue, servers, settings } = context;
    const plan = warmUps.find((one) => one.name === name);
    if (!plan) return sendError(response, 404, `There is no warm-up ${printValue(name)} here.`);
    const startAtMs = servers.clock.now();
    const peakAtMs = plan.times.peakAfter(startAtMs);
    await warmUpQueue.add(newRunId(name), { plan: name, startAtMs, peakAtMs, by: 'hand' });
    const isServed = await warmUpQueue.isServed();
    response.redirect(303, `${settings.basePath}/warm-ups?done=${isServed ? 'run' : 'unserved'}`);
  };
}
