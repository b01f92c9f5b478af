// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that takes the platform device it is named for. One source, compiled once for each of test-modules.ts's variants, which
 * say by macros how its init behaves: SLEEP_MS, RESULT, SOFTDEP, CLAIMS; what it has for others and needs of them: OFFERS, NEEDS(one);
 * and that it tries a device until parameters/let_go is written to: TRIES_ON.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>

static int ms = SLEEP_MS;
module_param(ms, int, 0444);
static char *text = "none";
module_param(text, charp, 0444);
static bool flag;
module_param(flag, bool, 0444);

#ifdef OFFERS
int OFFERS(void);
int OFFERS(void)
{
	return 0;
}
EXPORT_SYMBOL_GPL(OFFERS);
#endif

#ifdef NEEDS
#define DECLARE(name) int name(void);
#define CALL(name) name();
NEEDS(DECLARE)
#endif

#ifdef TRIES_ON
static DECLARE_COMPLETION(let_go);

static int end_try(const char *value, const struct kernel_param *param)
{
	complete_all(&let_go);
	return 0;
}

static const struct kernel_param_ops end_try_ops = { .set = end_try };
module_param_cb(let_go, &end_try_ops, NULL, 0200);
#endif

static int take(struct platform_device *device)
{
#ifdef TRIES_ON
	pr_info("%s: tries %s\n", KBUILD_MODNAME, dev_name(&device->dev));
	wait_for_completion(&let_go);
#endif
	return 0;
}

static const struct platform_device_id claimed[] = { { CLAIMS }, {} };
static struct platform_driver driver = {
	.probe = take,
	.id_table = claimed,
	.driver = { .name = KBUILD_MODNAME },
};

static int __init start(void)
{
	pr_info("%s: init begins\n", KBUILD_MODNAME);
#ifdef NEEDS
	NEEDS(CALL)
#endif
	if (ms > 0)
		msleep(ms);
	if (RESULT)
		return RESULT;
	pr_info("%s: init ends\n", KBUILD_MODNAME);
	return platform_driver_register(&driver);
}

static void __exit end(void)
{
	platform_driver_unregister(&driver);
}

module_init(start);
module_exit(end);
MODULE_DEVICE_TABLE(platform, claimed);
#ifdef SOFTDEP
MODULE_SOFTDEP(SOFTDEP);
#endif
MODULE_DESCRIPTION("Drives a device of a test");
MODULE_LICENSE("GPL");
