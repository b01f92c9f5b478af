import { UsherdError } from '../../errors.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

/** Pages that are made from the code: name → text. */
export async function makePages(verbs: readonly Verb[]): Promise<Readonly<Record<string, () => string>>> {
  const manual = await import('../docs/manual.ts');
  const completion = await import('../docs/completion.ts');
  const { toolPage } = await import('../docs/tool-page.ts');
  const { KMOD_TOOLS } = await import('../kmod/kmod-verbs.ts');
  const { rulesPage } = await import('../docs/rules-page.ts');
  const daemon = verbs.find(verb => verb.name === 'daemon');
  if (daemon === undefined) throw new Error('bug: there is no verb daemon');
  return {
    'usher.1': () => manual.usherPage(verbs),
    'usherd.8': () => manual.usherdPage(daemon),
    'usherd.toml.5': () => manual.settingsPage(),
    ...Object.fromEntries(KMOD_TOOLS.map(tool => [`${tool.name}.8`, () => toolPage(tool)])),
    errors: () => manual.errorsPage(),
    rules: () => rulesPage(),
    bash: () => completion.bashCompletion(verbs),
    zsh: () => completion.zshCompletion(verbs),
    fish: () => completion.fishCompletion(verbs),
  };
}

export const docs: Verb = {
  name: 'docs',
  summary: 'print a page of the manual, a shell completion, or the error table',
  description: [
    'The pages are made from the same values that parse the command line and the configuration. Without a name the pages are listed.',
  ],
  arguments: [
    { name: 'page', description: 'usher.1, usherd.8, modprobe.8 and others, errors, rules, bash, zsh or fish' },
  ],
  options: [],
  examples: [
    { command: 'usher docs usher.1 | man -l -', does: 'Read the manual of an uninstalled usher.' },
    { command: 'usher docs bash > /etc/bash_completion.d/usher', does: 'Install completion for bash.' },
  ],
  run: runDocs,
};

async function runDocs([name]: readonly string[], _options: OptionValues, { stdout, verbs }: Caller): Promise<number> {
  const pages = await makePages(verbs);
  if (name === undefined) {
    stdout.write(`${Object.keys(pages).join('\n')}\n`);
    return 0;
  }
  const page = pages[name];
  if (page === undefined)
    throw new UsherdError('NOT_FOUND', `there is no page "${name}"; there are ${Object.keys(pages).join(', ')}`, {
      wanted: name,
    });
  stdout.write(page());
  return 0;
}
