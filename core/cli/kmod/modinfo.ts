import { HELP_ROW, VERSION_ROW } from './common-rows.ts';
import type { KmodTool } from './tool.ts';

export const modinfo: KmodTool = {
  name: 'modinfo',
  summary: 'show what a module says of itself',
  usage: ['modinfo [options] <modulename|filename> [args]'],
  description: [
    'Prints what is written in module files, packed or not: author, licence, parameters, who signed it. A module is named by its file, its name, or an alias, which may stand for several. Of modules that are part of the kernel it prints what modules.builtin.modinfo has. -F build-id, which kmod 30 does not know, prints what the linker named the build by.',
  ],
  groups: [
    {
      title: 'Options',
      rows: [
        { name: 'author', short: 'a', long: ['author'], help: "print only 'author'" },
        { name: 'description', short: 'd', long: ['description'], help: "print only 'description'" },
        { name: 'license', short: 'l', long: ['license'], help: "print only 'license'" },
        { name: 'parm', short: 'p', long: ['parameters'], help: "print only 'parm'" },
        { name: 'filename', short: 'n', long: ['filename'], help: "print only 'filename'" },
        { name: 'null', short: '0', long: ['null'], help: 'use \\0 instead of \\n' },
        {
          name: 'modname',
          short: 'm',
          long: ['modname'],
          help: 'take the argument as a name, not as an alias or file',
        },
        { name: 'field', short: 'F', long: ['field'], value: 'FIELD', help: 'print only this field' },
        {
          name: 'set-version',
          short: 'k',
          long: ['set-version'],
          value: 'VERSION',
          help: 'use VERSION instead of `uname -r`',
        },
        { name: 'basedir', short: 'b', long: ['basedir'], value: 'DIR', help: 'use DIR as the root of /lib/modules' },
        VERSION_ROW,
        HELP_ROW,
      ],
    },
  ],
  operand: 'module',
  run: async run => (await import('./run-modinfo.ts')).runModinfo(run),
};
