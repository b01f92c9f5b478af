import { TOOL_NAMES } from '../../core/cli/argv0.ts';

/** Pages made from the code, by name, and where each is kept. */
export const KEPT_PAGES: Readonly<Record<string, string>> = {
  'usher.1': 'contrib/man/usher.1',
  'usherd.8': 'contrib/man/usherd.8',
  'usherd.toml.5': 'contrib/man/usherd.toml.5',
  ...Object.fromEntries(TOOL_NAMES.map(name => [`${name}.8`, `contrib/man/${name}.8`])),
  errors: 'contrib/man/errors.md',
  rules: 'rules/README.md',
  bash: 'contrib/completion/usher.bash',
  zsh: 'contrib/completion/_usher',
  fish: 'contrib/completion/usher.fish',
};
