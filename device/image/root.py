"""The root of the glasses: the layers put together, the kernel's initramfs made, all of it one tar, and that one erofs.

The two flavours differ in the kernel layer alone: kernel, firmware, libcamera and picamera2.
"""

from pathlib import Path
from typing import Final

from image import application, archive, base, namespace, python_packages, tools, update
from image.places import HERE, cache

UNITS: Final = (
    "cuelens.service", "cuelens-page.path", "cuelens-clock.path", "cuelens-access-point-setup.service",
    "cuelens-card.service", "cuelens-country.service",
    "cuelens-try-slot.service", "cuelens-good-slot.path", "cuelens-verdict.timer", "cuelens-update.service",
    "cuelens-ssh.service",
)  # fmt: skip
"""What is started by itself."""
_AT_REST: Final = (
    # The network comes with the caregiver's page, or with a maker's key, and goes with it.
    "NetworkManager.service", "NetworkManager-dispatcher.service", "NetworkManager-wait-online.service",
    "avahi-daemon.service", "avahi-daemon.socket", "wpa_supplicant.service", "ssh.service", "ssh.socket",
    "systemd-networkd.service", "systemd-networkd.socket", "systemd-networkd-wait-online.service",
    # Nobody logs in at a screen, and nothing is to be cleaned on a read-only root.
    "getty@.service", "e2scrub_reap.service", "fstrim.timer", "dpkg-db-backup.timer", "rauc.service",
    "remote-fs.target", "nftables.service",
)  # fmt: skip
_UNUSED: Final = (
    # Nobody logs in at a screen or sits at a console.
    "getty.target",
    # Done when the root is made.
    "ldconfig.service", "systemd-firstboot.service", "systemd-hwdb-update.service",
    "systemd-journal-catalog-update.service",
    "systemd-sysusers.service",
    # Nothing here asks for it.
    "dev-hugepages.mount", "proc-sys-fs-binfmt_misc.automount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
    "systemd-binfmt.service",
)  # fmt: skip

_MERGE: Final = """
    root="$1/root" base="$2" application="$3" kernel="$4" units="$5" at_rest="$6" unused="$7" certificate="$8"; shift 8
    rm -rf "$root"; mkdir "$root"
    tar --warning=no-timestamp --exclude="./dev/*" -xf "$base" -C "$root"
    cp -a "$application/." "$root/"
    if [ $# -gt 0 ]; then
        # What they ask for besides is left out on purpose, so dpkg is told not to insist.
        dpkg --root="$root" --force-depends --force-unsafe-io --install "$@"
    fi
    cp -a "$kernel/." "$root/"
    chown -R 0:0 "$root/opt/cuelens"
    in_root() { env -i PATH=/usr/sbin:/usr/bin LC_ALL=C.UTF-8 chroot "$root" "$@"; }
    in_root systemd-sysusers
    in_root systemctl enable $units
    in_root systemctl disable $at_rest
    in_root systemctl mask $unused
    # Who shuts down asks for it, and starts it by that.
    rm -f "$root/usr/lib/systemd/system/multi-user.target.wants/systemd-logind.service"
    in_root systemctl set-default multi-user.target
    in_root ldconfig
    cp "$certificate" "$root/etc/rauc/keyring.pem"
    # For cards that no board has, and file systems that no card has.
    for folder in drivers/gpu drivers/infiniband drivers/net/ethernet drivers/scsi drivers/media/usb \\
        drivers/media/pci drivers/media/dvb-frontends \\
        fs/btrfs fs/xfs fs/ocfs2 fs/ceph fs/nfs fs/nfsd fs/smb fs/gfs2 sound/hda sound/pci
    do rm -rf "$root"/usr/lib/modules/*/kernel/$folder; done
    # The kernel once more.
    rm -f "$root"/usr/lib/modules/*/vmlinuz
    # Cascades for cats, eyes and bodies.
    find "$root"/opt/cuelens/lib/python3*/site-packages/cv2/data -name "*.xml" ! -name "*frontalface_alt2.xml" -delete
    # Networks by a graphics processor.
    rm -f "$root"/opt/cuelens/lib/python3*/site-packages/ai_edge_litert/libLiteRtWebGpuAccelerator.so
    for release in "$root"/usr/lib/modules/*; do in_root depmod "${release##*/}"; done
    # A host key that every board shared would be none.
    rm -f "$root"/etc/ssh/ssh_host_*
    rm -rf "$root"/usr/lib/udev/hwdb.bin "$root"/usr/lib/udev/hwdb.d "$root"/var/cache/* "$root"/var/log/* \\
        "$root"/var/lib/apt "$root"/var/lib/dpkg/*-old "$root"/usr/share/sounds "$root"/usr/share/X11 "$root"/run/* \\
        "$root"/tmp/* "$root"/usr/lib/python3/dist-packages/numpy/tests "$root"/usr/include
    rm -rf "$root"/usr/lib/python3/dist-packages/numpy/*/tests
    : > "$root/etc/machine-id"
    mkdir -p "$root/data" "$root/boot/firmware"
"""
FIRMWARE: Final = """
    root="$1/root" own="$1/root/usr/lib/raspi-firmware" place="$1/root/usr/lib/cuelens-image"
    mkdir -p "$place/boot" "$place/firmware"
    for name in bootcode.bin start.elf fixup.dat start4.elf fixup4.dat; do
        if [ -f "$own/$name" ]; then cp "$own/$name" "$place/firmware/"; fi
    done
    for trees in "$root"/usr/lib/modules/*/dtb "$root"/usr/lib/linux-image-*; do
        for tree in "$trees"/broadcom/bcm27*.dtb; do
            if [ -f "$tree" ]; then cp "$tree" "$place/boot/"; fi
        done
        # Without README in it the firmware looks for overlays at the top of the card.
        if [ -f "$trees/overlays/README" ]; then cp -r "$trees/overlays" "$place/boot/"; fi
    done
    # The rest are trees of other makers' boards.
    rm -rf "$own" "$root"/usr/lib/modules/*/dtb "$root"/usr/lib/linux-image-*
"""
"""Puts what the firmware of a board reads where the kernel goes: its own programs, device trees, overlays.

"$1": the folder with the root. Debian's newer kernels have the trees beside the modules; others have them in a folder
that is named after the kernel.
"""
_INITRAMFS: Final = """
    root="$1/root" here="$2" busybox="$3" modules="$4" date="$5"
    boot="$root/usr/lib/cuelens-image/boot"
    mkdir -p "$boot"
    for image in "$root"/boot/vmlinuz-*; do
        release=${image##*/vmlinuz-}
        tree=$(mktemp -d)
        mkdir -p "$tree/bin" "$tree/modules" "$tree/proc" "$tree/sys" "$tree/dev"
        dpkg-deb --fsys-tarfile "$busybox" | tar -xf - -C "$tree" --strip-components=3 ./usr/bin/busybox
        mv "$tree/busybox" "$tree/bin/busybox"
        for applet in sh mount mkdir mv cp cat grep sed tr tail sleep seq insmod reboot sync rmdir switch_root chroot
        do ln -s busybox "$tree/bin/$applet"; done
        cp "$here/init" "$here/grow" "$here/lasting" "$tree/"
        for module in $modules; do
            modprobe -d "$root" -S "$release" --show-depends "$module"
        done | sed -n 's,^insmod \\([^ ]*\\).*,\\1,p' | awk '!seen[$0]++' | while read -r file; do
            name=${file##*/}
            case $name in
            *.xz) xz -dc "$file" > "$tree/modules/${name%.xz}"; echo "${name%.xz}" ;;
            *.zst) zstd -dqc "$file" > "$tree/modules/${name%.zst}"; echo "${name%.zst}" ;;
            *) cp "$file" "$tree/modules/$name"; echo "$name" ;;
            esac
        done > "$tree/modules/order"
        find "$tree" -exec touch -h -d "@$date" {} +
        flavour=8
        case $release in *2712*) flavour=_2712 ;; esac
        (cd "$tree" && find . | LC_ALL=C sort | cpio --quiet -o -H newc --reproducible --owner 0:0) |
            zstd -q -19 > "$boot/initramfs$flavour"
        # The firmware unpacks it: less to read from a slow card.
        case $(od -An -tx1 -N2 "$image") in
        " 1f 8b") mv "$image" "$boot/kernel$flavour.img" ;;
        *) gzip -n -9 < "$image" > "$boot/kernel$flavour.img"; rm "$image" ;;
        esac
        rm -rf "$tree"
    done
    rm -f "$root"/boot/config-* "$root"/boot/System.map-* "$root"/vmlinuz* "$root"/initrd*
"""
_PACK: Final = """
    work="$1" date="$2" uuid="$3"
    tar --sort=name --mtime="@$date" --numeric-owner --format=gnu -cf "$work/root.tar" -C "$work/root" .
    rm -f "$work/root.erofs"
    mkfs.erofs --quiet --workers=2 -zlz4hc,9 -C65536 -T"$date" -U "$uuid" --tar=f "$work/root.erofs" "$work/root.tar"
    rm -rf "$work/root"
"""
_UUID: Final = "6375656c-656e-7300-8000-000000000001"
_MODULES: Final = {"emulator": "virtio_pci virtio_blk ext4 erofs overlay", "board": "erofs overlay"}


def make(flavour: str, work: Path) -> None:
    """Make root.tar and root.erofs in a folder. flavour: emulator or board."""
    layers = {name: work / name for name in ("application", "kernel", "made")}
    for folder in layers.values():
        folder.mkdir(parents=True)
    application.make(layers["application"], layers["made"])
    site = layers["kernel"] / "usr" / "lib" / "python3" / "dist-packages"
    if flavour == "emulator":
        python_packages.install("emulator", site)
        application.compile_bytecode(layers["kernel"], site)
    debs = archive.fetch(archive.locked(flavour))
    (busybox,) = archive.fetch(archive.locked("initramfs"))
    _, certificate = update.keys()
    log = work / "root.log"
    binds = [cache(), work, HERE, certificate.parent]
    units = [" ".join(UNITS), " ".join(_AT_REST), " ".join(_UNUSED)]
    words: list[str | Path] = [work, base.make(), layers["application"], layers["kernel"], *units, certificate, *debs]
    date = str(archive.DATE)
    tree = tools.make()
    namespace.run(_MERGE, *words, tools=tree, binds=binds, log=log)
    namespace.run(FIRMWARE, work, tools=tree, binds=binds, log=log)
    namespace.run(_INITRAMFS, work, HERE, busybox, _MODULES[flavour], date, tools=tree, binds=binds, log=log)
    namespace.run(_PACK, work, date, _UUID, tools=tree, binds=binds, log=log)


def remove(folder: Path) -> None:
    """Remove a folder that a build was cut off in: what is in it may belong to the namespace's other users."""
    namespace.run('rm -rf "$1"', folder, tools=None)
