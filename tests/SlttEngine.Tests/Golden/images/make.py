#!/usr/bin/python3
"""Writes small images of each kind beside this script, and NAME.rgb: the pixels that the Python Imaging Library makes of each.
usage: make.py   (python3-pil and python3-numpy of Debian 12: PIL 9.4)"""
import os
import numpy as np
from PIL import Image

here = os.path.dirname(os.path.abspath(__file__))
random = np.random.RandomState(2022)
colours = Image.fromarray(random.randint(0, 256, (7, 9, 4)).astype(np.uint8), "RGBA")
for name, mode, options in [
        ("rgb-raw.tif", "RGB", {}), ("rgb-lzw.tif", "RGB", {"compression": "tiff_lzw"}),
        ("rgb-deflate.tiff", "RGB", {"compression": "tiff_deflate"}), ("grey-packbits.tif", "L", {"compression": "packbits"}),
        ("palette.tif", "P", {}), ("one-bit.tif", "1", {}), ("alpha.tif", "RGBA", {"compression": "tiff_lzw"}), ("grey-alpha.tif", "LA", {}),
        ("colour.ppm", "RGB", {}), ("grey.pgm", "L", {})]:
    path = os.path.join(here, name)
    image = colours if mode == "RGBA" else colours.convert("RGB").convert(mode)
    image.save(path, **options)
    with open(path + ".rgb", "wb") as out:
        out.write(Image.open(path).convert("RGB").tobytes())
text = os.path.join(here, "text.ppm")  # samples up to 100, a comment in the header
with open(text, "w") as out:
    out.write("P3 # made by make.py\n9 7\n# the largest\n100\n" + "\n".join(str(v) for v in random.randint(0, 101, 189)) + "\n")
with open(text + ".rgb", "wb") as out:
    out.write(Image.open(text).convert("RGB").tobytes())
