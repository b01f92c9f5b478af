#!/bin/bash
# Runs a command where a device manager can do no harm: private mount and network namespaces, a /dev and /run of its own, a /sys that shows
# no network device of the host. Uevents of all other devices still arrive. Needs root.
# usage: sandbox.sh LIB_MODULES COMMAND…      LIB_MODULES is shown as /lib/modules; - leaves it as it is
set -eu
if [ "${USHERD_SANDBOXED:-}" != 1 ]; then
  export USHERD_SANDBOXED=1
  exec unshare --mount --net --propagation private -- bash "$0" "$@"
fi
modules=$1
shift
work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
mkdir "$work/dev" "$work/etc" "$work/etc.work" "$work/lib" "$work/lib.work"
mount -t sysfs sysfs /sys
ip link set lo up
find /dev -mindepth 1 -maxdepth 1 \( -type c -o -type b -o -type l \) -exec cp -a {} "$work/dev/" \;
mount --bind "$work/dev" /dev
mount -t tmpfs tmpfs /run
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$work/etc,workdir=$work/etc.work" /etc
if [ "$modules" != - ]; then
  mount -t overlay overlay -o "lowerdir=/usr/lib,upperdir=$work/lib,workdir=$work/lib.work" /usr/lib
  mkdir -p /usr/lib/modules
  mount --bind "$modules" /usr/lib/modules
fi
exec "$@"
