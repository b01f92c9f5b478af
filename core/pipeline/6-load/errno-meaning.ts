import { errnoText, type ErrnoName } from '../../vocabulary/errno.ts';
import type { ModuleRestrictions } from '../../kernel/restrictions.ts';

/**
 * Why the kernel refused a module, for a person: the error number read in the light of what the kernel was told.
 * Source: finit_module(2), kernel/module/main.c, kernel/module/signing.c, kernel_lockdown(7); as observed on Linux 6.1 and 6.12.
 */
export function refusalMeaning(errno: ErrnoName, restrictions: ModuleRestrictions): string {
  switch (errno) {
    case 'EPERM':
      if (restrictions.modulesDisabled) return 'kernel.modules_disabled is 1: no module loads until the next boot';
      if (restrictions.lockdown === 'integrity' || restrictions.lockdown === 'confidentiality') {
        return `the kernel is locked down (${restrictions.lockdown}): only modules signed by a trusted key load`;
      }
      return 'the kernel does not permit it: CAP_SYS_MODULE is missing, or module_blacklist= names the module';
    case 'EKEYREJECTED':
      return restrictions.enforcesSignatures
        ? 'module.sig_enforce is on and the module has no signature by a key the kernel trusts'
        : 'its signature is by a key the kernel does not trust; with Secure Boot the key must be enrolled (mokutil --import)';
    case 'ENOKEY':
      return 'it is signed by a key the kernel does not have';
    case 'EBADMSG':
      return 'its signature is damaged';
    case 'ENOEXEC':
      return 'the file is no module for this kernel: truncated, for another architecture, or its vermagic differs';
    case 'ENOENT':
      return 'it uses a symbol that no loaded module exports, or a parameter it needs is unknown (the kernel log names it)';
    case 'EINVAL':
      return 'the kernel takes neither the module nor one of its parameters (the kernel log says which)';
    case 'ENODEV':
    case 'ENXIO':
      return 'the module started, found no device of its kind and left again';
    case 'EBUSY':
      return 'something else holds what the module needs, or another load of it did not finish';
    case 'EEXIST':
      return 'it is loaded already';
    case 'ENOMEM':
      return 'the kernel has no memory for it';
    case 'EOPNOTSUPP':
      return 'the kernel cannot decompress modules of this kind itself';
    case 'ENOSYS':
      return restrictions.hasModules
        ? 'the kernel lacks this call'
        : 'this kernel has no loadable modules (built without them, or booted with nomodule)';
    case 'ETXTBSY':
      return 'the file is being written';
    default:
      return errnoText(errno).toLowerCase();
  }
}
