# bash completion of usher; made by `usher docs bash`.
_usher_modules() { sed -n 's|^.*/\([^/]*\)\.ko[.a-z]*:.*|\1|p' "/lib/modules/$(uname -r)/modules.dep" 2>/dev/null; }
_usher_devices() { find /sys/devices -name uevent -printf '/%P\n' 2>/dev/null | sed 's|^|/devices|; s|/uevent$||'; }
_usher_subsystems() { ls /sys/class /sys/bus 2>/dev/null | grep -v :; }
_usher() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}
  [ "$COMP_CWORD" -gt 2 ] && case "$verb ${COMP_WORDS[2]}" in 'history devices'|'history changes'|'history drivers'|'history stats'|'history sql'|'history verify'|'history anchor'|'history prune'|'history export'|'history tail'|'driver search'|'driver install'|'driver list'|'driver remove'|'driver recover'|'driver fetch') verb="$verb ${COMP_WORDS[2]}" ;; esac
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W 'daemon status devices why history monitor trigger settle record replay simulate rules param taint driver forbid permit policy pending approve deny plugin lsmod modinfo modprobe insmod rmmod depmod kmod docs --help --version' -- "$cur"))
    return
  fi
  case $verb in
    daemon)
      case $prev in
        --source) COMPREPLY=($(compgen -W 'auto kernel udev' -- "$cur")); return ;;
        --receive-buffer) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--source --observe --no-coldplug --quiet --receive-buffer --accept-injected --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    status)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    devices)
      case $prev in
        -s|--subsystem) COMPREPLY=($(compgen -W "$(_usher_subsystems)" -- "$cur")); return ;;
        --state) COMPREPLY=($(compgen -W 'bound loaded-not-bound matched-not-loaded no-module no-modalias' -- "$cur")); return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-t --tree -a --all -s --subsystem --state --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$(_usher_devices)" -- "$cur")) ;;
      esac ;;
    why)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--now --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$(_usher_devices)" -- "$cur")) ;;
      esac ;;
    history)
      case $prev in
        --since) :; return ;;
        --until) :; return ;;
        -d|--device) COMPREPLY=($(compgen -W "$(_usher_devices)" -- "$cur")); return ;;
        -m|--module) COMPREPLY=($(compgen -W "$(_usher_modules)" -- "$cur")); return ;;
        -s|--subsystem) COMPREPLY=($(compgen -W "$(_usher_subsystems)" -- "$cur")); return ;;
        -a|--action) COMPREPLY=($(compgen -W 'add remove change move online offline bind unbind' -- "$cur")); return ;;
        --verdict) COMPREPLY=($(compgen -W 'deny hold replace allow abstain' -- "$cur")); return ;;
        --rule) :; return ;;
        --outcome) COMPREPLY=($(compgen -W 'failed refused loaded observed held denied already-loaded builtin skipped no-module no-modalias recorded open interrupted' -- "$cur")); return ;;
        --env) :; return ;;
        --from-seqnum) :; return ;;
        --to-seqnum) :; return ;;
        -n|--limit) :; return ;;
        --after) :; return ;;
        --boot) :; return ;;
        --since-boot) :; return ;;
        --at) :; return ;;
        --group-by) COMPREPLY=($(compgen -W 'hour day subsystem action origin device module verdict rule outcome' -- "$cur")); return ;;
        --kind) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--since --until -d --device -m --module -s --subsystem -a --action --verdict --rule --outcome --env --from-seqnum --to-seqnum -n --limit --after -r --reverse --boot --since-boot --at --group-by --csv --table -f --follow --incidents --kind --requests --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W 'devices changes drivers stats sql verify anchor prune export tail' -- "$cur")) ;;
      esac ;;
    'history devices')
      case $prev in
        --new-since) :; return ;;
        -d|--device) COMPREPLY=($(compgen -W "$(_usher_devices)" -- "$cur")); return ;;
        -s|--subsystem) COMPREPLY=($(compgen -W "$(_usher_subsystems)" -- "$cur")); return ;;
        -n|--limit) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--new-since -d --device -s --subsystem -n --limit --csv --table --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    'history changes')
      case $prev in
        --since) :; return ;;
        --since-boot) :; return ;;
        --until) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--since --since-boot --until --csv --table --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    'history drivers')
      case $prev in
        -d|--device) COMPREPLY=($(compgen -W "$(_usher_devices)" -- "$cur")); return ;;
        --driver) :; return ;;
        --since) :; return ;;
        --until) :; return ;;
        -n|--limit) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-d --device --driver --since --until -n --limit --csv --table --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    'history stats')
      case $prev in
        --since) :; return ;;
        --until) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--since --until --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    'history sql')
      case $prev in
        --time-limit) :; return ;;
        -n|--limit) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--time-limit -n --limit --csv --table --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    'history verify')
      case $prev in
        --anchor) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --key) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--anchor --key --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    'history anchor')
      case $prev in
        --sign) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--sign --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    'history prune')
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--dry-run --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    'history export')
      case $prev in
        --format) COMPREPLY=($(compgen -W 'jsonl csv cloudevents syslog journald' -- "$cur")); return ;;
        --from) :; return ;;
        --kind) COMPREPLY=($(compgen -W 'uevent decision ending bind incident request pending pending-end run run-end' -- "$cur")); return ;;
        --output) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --since) :; return ;;
        --until) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--format --from --kind --output --since --until --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    'history tail')
      case $prev in
        --format) COMPREPLY=($(compgen -W 'jsonl csv cloudevents syslog journald' -- "$cur")); return ;;
        --from) :; return ;;
        --kind) COMPREPLY=($(compgen -W 'uevent decision ending bind incident request pending pending-end run run-end' -- "$cur")); return ;;
        --output) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --state) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--format --from --kind --output --state --once --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    monitor)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-k --kernel-events -u --udev-events -p --properties --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    trigger)
      case $prev in
        -c|--action) COMPREPLY=($(compgen -W 'add remove change move online offline bind unbind' -- "$cur")); return ;;
        -s|--subsystem) COMPREPLY=($(compgen -W "$(_usher_subsystems)" -- "$cur")); return ;;
        --timeout) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-c --action -s --subsystem -n --dry-run --settle --timeout --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$(_usher_devices)" -- "$cur")) ;;
      esac ;;
    settle)
      case $prev in
        -t|--timeout) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-t --timeout --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    record)
      case $prev in
        --source) COMPREPLY=($(compgen -W 'kernel udev' -- "$cur")); return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--source --hash-serials --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -f -- "$cur")) ;;
      esac ;;
    replay)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--paced -a --all --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -f -- "$cur")) ;;
      esac ;;
    simulate)
      case $prev in
        --policy) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --since) :; return ;;
        --until) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--policy --since --until -a --all --shadow --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    rules)
      case $prev in
        --action) :; return ;;
        --days) :; return ;;
        --rules-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--action --matched --write --check --days --rules-dir --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    param)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$(_usher_modules)" -- "$cur")) ;;
      esac ;;
    taint)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    driver)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W 'search install list remove recover fetch' -- "$cur")) ;;
      esac ;;
    'driver search')
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-q --quiet --refresh --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$(_usher_devices)" -- "$cur")) ;;
      esac ;;
    'driver install')
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-y --yes --by-policy --undo-on-failure -n --dry-run --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$(_usher_devices)" -- "$cur")) ;;
      esac ;;
    'driver list')
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-a --all --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    'driver remove')
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$(_usher_devices)" -- "$cur")) ;;
      esac ;;
    'driver recover')
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    'driver fetch')
      case $prev in
        --sha256) :; return ;;
        --size) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--sha256 --size --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    forbid)
      case $prev in
        --reason) :; return ;;
        --until) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--reason --until --dry-run --force --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$(_usher_modules)" -- "$cur")) ;;
      esac ;;
    permit)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$(_usher_modules)" -- "$cur")) ;;
      esac ;;
    policy)
      case $prev in
        --minutes) :; return ;;
        --reason) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--minutes --reason --dry-run --force --modprobe.d --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    pending)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    approve)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--once --until-unplug --this-port --always --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    deny)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--once --until-unplug --this-port --always --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    plugin)
      case $prev in
        --dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--dir --update --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    lsmod)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-s --syslog -v --verbose -V --version --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    modinfo)
      case $prev in
        -F|--field) :; return ;;
        -k|--set-version) :; return ;;
        -b|--basedir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-a --author -d --description -l --license -p --parameters -n --filename -0 --null -m --modname -F --field -k --set-version -b --basedir -V --version --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$(_usher_modules)" -- "$cur")) ;;
      esac ;;
    modprobe)
      case $prev in
        -w|--wait) :; return ;;
        --override-policy) :; return ;;
        -C|--config) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        -d|--dirname) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        -S|--set-version) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-a --all -r --remove --remove-dependencies --remove-holders -w --wait --first-time -i --ignore-install --ignore-remove -b --use-blacklist -f --force --force-modversion --force-vermagic --override-policy -R --resolve-alias --show-alias -D --show-depends -c --showconfig --show-config --show-modversions --dump-modversions --show-exports --why -n --dry-run --show -C --config -d --dirname -S --set-version -s --syslog -q --quiet -v --verbose -V --version --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$(_usher_modules)" -- "$cur")) ;;
      esac ;;
    insmod)
      case $prev in
        --override-policy) :; return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-f --force --force-modversion --force-vermagic -s --syslog -v --verbose --override-policy --why -V --version --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -f -- "$cur")) ;;
      esac ;;
    rmmod)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-f --force -s --syslog -v --verbose --why -V --version --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$(_usher_modules)" -- "$cur")) ;;
      esac ;;
    depmod)
      case $prev in
        -P|--symbol-prefix) :; return ;;
        -C|--config) :; return ;;
        -b|--basedir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        -m|--moduledir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        -o|--outdir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        -F|--filesyms) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        -E|--symvers) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-a --all -A --quick -e --errsyms -n --show --dry-run -P --symbol-prefix -C --config --incremental -v --verbose -w --warn -V --version -b --basedir -m --moduledir -o --outdir -F --filesyms -E --symvers --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    kmod)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '-V --version --json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
    docs)
      case $prev in
        --root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --sys-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --proc-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --dev-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --modules-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --config-root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        --kernel) :; return ;;
      esac
      case $cur in
        -*) COMPREPLY=($(compgen -W '--json --root --sys-root --proc-root --dev-root --modules-root --config-root --state-dir --kernel -h --help' -- "$cur")) ;;
        *) : ;;
      esac ;;
  esac
}
complete -F _usher usher
