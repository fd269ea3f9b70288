import type { RequestHandler } from 'express';
import helmet from 'helmet';

/** Of our own pages: nothing inline, nothing from elsewhere. */
export function pageHeaders(): RequestHandler {
  return headersWith({ styleSrc: ["'self'"] });
}

/** Bull Board's page sets styles inline; its scripts are files. */
export function boardHeaders(): RequestHandler {
  return headersWith({ styleSrc: ["'self'", "'unsafe-inline'"] });
}

function headersWith({ styleSrc }: { readonly styleSrc: readonly string[] }): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false, // Its upgrade-insecure-requests would break plain HTTP.
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: [...styleSrc],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        manifestSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    // Without its own origin a form's request looks like one from nowhere.
    referrerPolicy: { policy: 'same-origin' },
    // For the whole host that it is on: not ours to say.
    strictTransportSecurity: false,
  });
}
