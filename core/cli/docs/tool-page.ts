import { VERSION } from '../../version.ts';
import { OUR_GROUP } from '../kmod/common-rows.ts';
import type { OptionRow } from '../kmod/getopt.ts';
import type { KmodTool } from '../kmod/tool.ts';
import { RoffPage } from './roff.ts';

/** One of kmod's tools → its page in section 8 of the manual. */
export function toolPage({ name, summary, usage, description, groups }: KmodTool): string {
  const page = new RoffPage(name, 8, VERSION).section('Name').paragraph(`${name} - ${summary}`).section('Synopsis');
  for (const line of usage) page.paragraph(line);
  page.section('Description');
  for (const text of description) page.paragraph(text);
  for (const { title, rows } of [...groups, OUR_GROUP]) {
    page.section(title);
    for (const row of rows.filter(({ isHidden }) => isHidden !== true))
      page.item(optionText(row), `${row.help.charAt(0).toUpperCase()}${row.help.slice(1)}.`);
  }
  return page
    .section('Exit status')
    .item('0', 'It did what was asked.')
    .item('1', 'It did not, or not all of it.')
    .section('See also')
    .paragraph('usher(1), modprobe.d(5), depmod.d(5), modules.dep(5)')
    .toString();
}

function optionText({ short, long, value }: OptionRow): string {
  const names = [...(short === undefined ? [] : [`-${short}`]), ...long.map(text => `--${text}`)];
  return `${names.join(', ')}${value === undefined ? '' : ` ${value}`}`;
}
