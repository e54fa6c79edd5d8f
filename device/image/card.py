"""The file that a maker writes to a memory card: a FAT that every computer reads, two roots, and what lasts."""

from pathlib import Path
from typing import Final

from image import archive, namespace, tools
from image.failure import Failure
from image.places import HERE, REPOSITORY, cache

DISK: Final = 0x4355454C
"""The signature of the partition table, by which partitions are found."""
_RECIPE: Final = """
    work="$1" here="$2" settings="$3" target="$4" disk="$5" date="$6"
    rm -rf "$work/card"; mkdir -p "$work/card/A" "$work/data/last" "$work/input"
    rm -rf "$work/taken"; mkdir "$work/taken"
    tar --warning=no-timestamp -xf "$work/root.tar" -C "$work/taken" ./usr/lib/cuelens-image
    cp -r "$work/taken/usr/lib/cuelens-image/boot/." "$work/card/A/"
    cp "$work/taken/usr/lib/cuelens-image/cmdline-A.txt" "$work/card/A/cmdline.txt"
    cp -r "$work/taken/usr/lib/cuelens-image/firmware/." "$work/card/"
    rm -rf "$work/taken"
    cp "$here"/card/*.txt "$work/card/"
    if [ -f "$settings" ]; then cp "$settings" "$work/card/cuelens.toml"; fi
    for name in slot try; do printf '%-31s\\n' os_prefix=A/ > "$work/card/$name.txt"; done
    find "$work/card" "$work/data" -exec touch -d "@$date" {} +

    rm -f "$work"/input/*
    truncate -s FATM "$work/input/fat"
    mkfs.vfat -F 32 --invariant -n CUELENS "$work/input/fat" >&2
    (cd "$work/card" && mcopy -s -m -b -i "$work/input/fat" * ::)
    truncate -s SLOTM "$work/input/slot-a"
    dd if="$work/root.erofs" of="$work/input/slot-a" conv=notrunc bs=1M status=none
    truncate -s SLOTM "$work/input/slot-b"
    mke2fs -q -t ext4 -L data -d "$work/data" -U 6375656c-656e-7300-8000-000000000004 \\
        -E hash_seed=6375656c-656e-7300-8000-000000000005,lazy_itable_init=0,lazy_journal_init=0 \\
        "$work/input/data" DATAM >&2
    cat > "$work/genimage.cfg" <<CONFIG
image cuelens.img {
    hdimage { partition-table-type = "mbr" disk-signature = $disk align = 4M }
    partition fat { partition-type = 0x0c bootable = true image = "fat" }
    partition slot-a { partition-type = 0x83 image = "slot-a" }
    partition slot-b { partition-type = 0x83 image = "slot-b" }
    partition data { partition-type = 0x83 image = "data" }
}
CONFIG
    mkdir -p "$work/none"
    rm -rf "$work/scratch"
    genimage --config "$work/genimage.cfg" --rootpath "$work/none" --tmppath "$work/scratch" \\
        --inputpath "$work/input" --outputpath "$work/output" >&2
    mv "$work/output/cuelens.img" "$target"
    rm -rf "$work/input" "$work/card" "$work/data" "$work/scratch" "$work/output" "$work/none"
"""
FAT_MIB: Final = 352
"""Room for an update, which is nearly as large as the root, beside firmware and two kernels."""
SLOT_MIB: Final = 320
"""Room for the root, and for later ones that are a fifth larger: partitions of cards in use cannot grow."""
_DATA_MIB: Final = 32


def make(work: Path, target: Path) -> None:
    """Make the image of the card from root.erofs in a folder. Raises Failure if that is larger than its partition."""
    if (size := (work / "root.erofs").stat().st_size) > SLOT_MIB << 20:
        raise Failure(f"the root takes {size / (1 << 20):.0f} MiB, and its partition {SLOT_MIB}: leave something out")
    recipe = _RECIPE.replace("FATM", f"{FAT_MIB}M").replace("SLOTM", f"{SLOT_MIB}M").replace("DATAM", f"{_DATA_MIB}M")
    words: list[str | Path] = [work, HERE, REPOSITORY / "examples" / "card.toml", target, hex(DISK), str(archive.DATE)]
    namespace.run(
        recipe, *words, tools=tools.make(), binds=[cache(), work, HERE, REPOSITORY / "examples", target.parent],
        environment={"SOURCE_DATE_EPOCH": str(archive.DATE)}, log=work / "card.log",
    )  # fmt: skip


def compress(image: Path, target: Path) -> None:
    """Compress the image of a card: the tools that write cards read it as it is."""
    script = 'zstd -q -f -12 -T0 "$1" -o "$2"'
    namespace.run(script, image, target, tools=tools.make(), binds=[image.parent])
