// SPDX-License-Identifier: GPL-2.0
/* A module with a parameter of every type the kernel knows, so that what insmod and modprobe pass can be read back. */
#include <linux/module.h>
#include <linux/moduleparam.h>

#define PARAMETER(name, kind, type, value)                                                                                         \
	static type name = value;                                                                                                  \
	module_param_named(name, name, kind, 0644)

PARAMETER(a_byte, byte, unsigned char, 1);
PARAMETER(a_short, short, short, 1);
PARAMETER(a_ushort, ushort, unsigned short, 1);
PARAMETER(an_int, int, int, 1);
PARAMETER(a_uint, uint, unsigned int, 1);
PARAMETER(a_long, long, long, 1);
PARAMETER(a_ulong, ulong, unsigned long, 1);
PARAMETER(a_ullong, ullong, unsigned long long, 1);
PARAMETER(a_hexint, hexint, unsigned int, 1);
PARAMETER(a_text, charp, char *, "none");
PARAMETER(a_bool, bool, bool, false);
PARAMETER(an_invbool, invbool, bool, false);

static int some_ints[4];
static int some_count;
module_param_array(some_ints, int, &some_count, 0444);
static char a_string[16] = "none";
module_param_string(a_string, a_string, sizeof(a_string), 0444);

MODULE_PARM_DESC(an_int, "a whole number");
MODULE_DESCRIPTION("Has a parameter of every type");
MODULE_LICENSE("GPL");

static int __init start(void)
{
	return 0;
}

static void __exit end(void)
{
}

module_init(start);
module_exit(end);
