import * as v from 'valibot';
import { definePlugin, deny, hold, matchingName } from '../../core/plugin-api/index.ts';
import { patterns } from '../setting-values.ts';
import { FORESEEN, taintReason } from './taint-reason.ts';

const settings = v.strictObject({
  forbid: v.optional(
    v.array(
      v.picklist(
        FORESEEN,
        ({ received }) =>
          `${received} is no taint that a module's file foretells: wanted one of ${FORESEEN.join(', ')} (F, by force, is modprobe's own option)`,
      ),
    ),
    [...FORESEEN],
  ),
  allow: v.optional(patterns),
  verdict: v.optional(v.picklist(['deny', 'hold']), 'deny'),
});

/** Keeps out modules that would taint the kernel, before they do. See README.md beside it. */
export default definePlugin({
  name: 'taint-guard',
  api: 1,
  summary: 'stops modules that would taint the kernel, before they do',
  settings,
  setup: ({ settings: { forbid, allow = [], verdict } }) =>
    forbid.length === 0
      ? []
      : [
          {
            kind: 'opine',
            onError: 'deny',
            wants: ['traits'],
            call: ({ module, traits }) => {
              // What is built in has no file, and has tainted the kernel already if it ever does.
              if (traits === undefined || matchingName(allow, module) !== undefined) return undefined;
              const why = taintReason(module, traits, forbid);
              if (why === undefined) return undefined;
              return verdict === 'hold' ? hold(why) : deny(why);
            },
          },
        ],
});
