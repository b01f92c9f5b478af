// SPDX-License-Identifier: GPL-2.0
/*
 * Makes platform devices of any name, so that a test has a real device with a real MODALIAS for whatever it needs:
 * write NAME to parameters/add or parameters/remove, or "NAME COUNT" to parameters/storm, which makes and removes COUNT of them.
 */
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#define DEVICES_MAX 64

static struct platform_device *devices[DEVICES_MAX];

static int add_device(const char *value, const struct kernel_param *param)
{
	char name[PLATFORM_NAME_SIZE];
	int slot;

	if (sscanf(value, "%19s", name) != 1)
		return -EINVAL;
	for (slot = 0; slot < DEVICES_MAX; slot++) {
		if (devices[slot])
			continue;
		devices[slot] = platform_device_register_simple(name, PLATFORM_DEVID_NONE, NULL, 0);
		if (IS_ERR(devices[slot])) {
			int error = PTR_ERR(devices[slot]);

			devices[slot] = NULL;
			return error;
		}
		return 0;
	}
	return -ENOSPC;
}

static int remove_device(const char *value, const struct kernel_param *param)
{
	char name[PLATFORM_NAME_SIZE];
	int slot;

	if (sscanf(value, "%19s", name) != 1)
		return -EINVAL;
	for (slot = 0; slot < DEVICES_MAX; slot++) {
		if (!devices[slot] || strcmp(devices[slot]->name, name))
			continue;
		platform_device_unregister(devices[slot]);
		devices[slot] = NULL;
		return 0;
	}
	return -ENODEV;
}

static int storm(const char *value, const struct kernel_param *param)
{
	char name[PLATFORM_NAME_SIZE];
	int count, number;

	if (sscanf(value, "%19s %d", name, &count) != 2)
		return -EINVAL;
	for (number = 0; number < count; number++) {
		struct platform_device *device = platform_device_register_simple(name, number, NULL, 0);

		if (IS_ERR(device))
			return PTR_ERR(device);
		platform_device_unregister(device);
	}
	return 0;
}

static const struct kernel_param_ops add_ops = { .set = add_device };
static const struct kernel_param_ops remove_ops = { .set = remove_device };
static const struct kernel_param_ops storm_ops = { .set = storm };
module_param_cb(add, &add_ops, NULL, 0200);
module_param_cb(remove, &remove_ops, NULL, 0200);
module_param_cb(storm, &storm_ops, NULL, 0200);

static int __init start(void)
{
	return 0;
}

/* Devices made are left to the end of the machine, and so is the module. */
module_init(start);
MODULE_ALIAS("platform:usherd-bus");
MODULE_DESCRIPTION("Makes devices for tests");
MODULE_LICENSE("GPL");
