#!/bin/bash
# cpack makes a Debian package that has everything, in its place, and says what it needs.
#
#   tests/unit/test_package.sh BUILD-FOLDER

set -euo pipefail
build=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

cpack --config "$build/CPackConfig.cmake" -B "$scratch" >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    fail "cpack failed"
}
package=("$scratch"/zraid_*.deb)
[ ${#package[@]} -eq 1 ] && [ -e "${package[0]}" ] || fail "not one package: ${package[*]}"
package=${package[0]}

dpkg-deb --fsys-tarfile "$package" | tar -t >"$scratch/files"
for file in etc/libvirt/hooks/qemu.d/zraid etc/libvirt/hooks/libxl.d/zraid etc/zraid/pools/ \
    lib/systemd/system-generators/zraid-generator lib/systemd/system/zraid-monitor.service \
    lib/systemd/system/zraid-pool@.service lib/systemd/system/zraid-pools.service \
    lib/udev/rules.d/63-zraid.rules usr/libexec/zraid/zraid-md-alert usr/libexec/zraid/zraid-udev-name \
    usr/sbin/zraid-monitor usr/sbin/zraid-pool usr/share/bash-completion/completions/zraid-pool \
    usr/share/doc/zraid/copyright usr/share/man/man8/zraid-pool.8 usr/share/zraid/mdadm.conf; do
    grep -qx "\./$file" "$scratch/files" || fail "'$file' is not in the package: $(cat "$scratch/files")"
done
! grep -E '^\./(home|root|tmp|work)' "$scratch/files" || fail "the package has files of the build"

depends=$(dpkg-deb --field "$package" Depends)
for need in fdisk mdadm parted udev kmod libvirt-daemon-system libvirt0 libc6 libfmt libpugixml; do
    grep -q "$need" <<<"$depends" || fail "it does not depend on $need: $depends"
done

recommends=$(dpkg-deb --field "$package" Recommends)
for need in lvm2 xfsprogs; do
    grep -q "$need" <<<"$recommends" || fail "it does not recommend $need: $recommends"
done

dpkg-deb --control "$package" "$scratch/control"
# A hook that stays behind when the package goes would be called without its programs.
[ ! -e "$scratch/control/conffiles" ] || fail "conffiles: $(cat "$scratch/control/conffiles")"
for script in postinst prerm postrm; do
    [ -x "$scratch/control/$script" ] || fail "$script is not executable"
    sh -n "$scratch/control/$script"
done
