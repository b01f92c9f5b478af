// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that says it is proprietary, for QEMU's device "edu" (1234:11e8), which no driver of the kernel claims. It may use no symbol
 * that is for GPL modules only; those of PCI drivers are not.
 */
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/pci.h>

static int take(struct pci_dev *device, const struct pci_device_id *id)
{
	return 0;
}

static const struct pci_device_id claimed[] = { { PCI_DEVICE(0x1234, 0x11e8) }, {} };
static struct pci_driver driver = {
	.name = KBUILD_MODNAME,
	.id_table = claimed,
	.probe = take,
};

static int __init start(void)
{
	return pci_register_driver(&driver);
}

static void __exit end(void)
{
	pci_unregister_driver(&driver);
}

module_init(start);
module_exit(end);
MODULE_DEVICE_TABLE(pci, claimed);
MODULE_DESCRIPTION("Drives a device of a test");
MODULE_LICENSE("Proprietary");
