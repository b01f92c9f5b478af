/** npm run docs: writes the pages that are made from the code to where they are kept. A test compares them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makePages } from '../../core/cli/verbs/docs.ts';
import { VERBS } from '../../core/cli/verbs.ts';
import { KEPT_PAGES } from './kept-pages.ts';
import { pluginsPage, PLUGINS_PAGE_FILE } from './plugins-page.ts';

const top = path.resolve(import.meta.dirname, '../..');
const pages = await makePages(VERBS);
for (const [name, file] of Object.entries(KEPT_PAGES)) {
  mkdirSync(path.dirname(path.join(top, file)), { recursive: true });
  writeFileSync(path.join(top, file), pages[name]?.() ?? '');
  console.log(file);
}
writeFileSync(path.join(top, PLUGINS_PAGE_FILE), pluginsPage());
console.log(PLUGINS_PAGE_FILE);
