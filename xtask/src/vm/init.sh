#!/bin/sh
# Process 1 of a virtual machine. It runs each command of /situations and writes what that printed to the second
# serial line; the first one is the console. Lines of the second begin with a sign: see transcript.rs.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /run
mount -t tmpfs -o mode=1777 none /tmp
mount -t securityfs none /sys/kernel/security
while read -r module; do
    insmod "/modules/$module.ko" || echo "=== module $module cannot be loaded"
done </modules/order
mount -t cgroup2 none /sys/fs/cgroup
ip link set lo up
# A server that every check can probe.
httpd -p 7000 -h /tmp

report=/dev/ttyS1
stty -F $report raw -echo 2>/dev/null

# run NAME COMMAND...
run() {
    echo "=== $1"
    name=$1
    shift
    "$@" >/tmp/out 2>/tmp/err </dev/null
    code=$?
    {
        echo "@$name"
        sed 's/^/>/' /tmp/out
        sed 's/^/!/' /tmp/err
        echo "?$code"
    } >$report
}

echo "#$(uname -r)" >$report
. /situations
# The kernel's own complaints are faults, whatever was printed.
dmesg | grep -E 'BUG:|Oops|WARNING:|Call Trace|general protection' | sed 's/^/*/' >$report
echo "." >$report
echo "=== done"
poweroff -f
