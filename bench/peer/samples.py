"""The batches that SlttEngine trains on, for the peer programs: its files, its random numbers, its augmentation of CIFAR."""
import json, pathlib, struct

import numpy as np

# CIFAR-10's mean and standard deviation a channel, as in the official programs.
MEAN = np.array([0.4914, 0.4822, 0.4465], np.float32)
STD = np.array([0.2023, 0.1994, 0.2010], np.float32)


def read_safetensors(path, metadata=False):
    """The tensors of a file by name; with metadata=True also the file's texts."""
    raw = pathlib.Path(path).read_bytes()
    size, = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + size])
    texts = header.pop("__metadata__", {})
    kinds = {"F32": np.float32, "I64": np.int64, "U8": np.uint8, "U16": np.uint16}
    data = raw[8 + size:]

    def tensor(entry):
        begin, end = entry["data_offsets"]
        return np.frombuffer(data[begin:end], kinds[entry["dtype"]]).reshape(entry["shape"])

    tensors = {name: tensor(entry) for name, entry in header.items() if entry["dtype"] in kinds}
    return (tensors, texts) if metadata else tensors


def philox(c0, c1, c2, c3, seed):
    """Philox4x32-10 of counters (arrays of 32-bit words); four words."""
    mask = np.uint64(0xFFFFFFFF)
    c = [np.asarray(x, np.uint64) & mask for x in np.broadcast_arrays(c0, c1, c2, c3)]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), b & mask, (a >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), a & mask]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


def augment(images, seed, iteration):
    """Crop, cutout and flip of a batch (N, 3, 32, 32) of bytes."""
    n = len(images)
    i = np.arange(n)
    low, high = iteration & 0xFFFFFFFF, iteration >> 32
    a, b, c = ([w.astype(np.uint32) for w in philox(i, (0xC1FA0 << 8) + k, low, high, seed)] for k in range(3))

    def below(bits, count):
        return (bits.astype(np.uint64) * np.asarray(count, np.uint64) >> np.uint64(32)).astype(int)

    def uniform(bits):
        return (bits >> np.uint32(8)).astype(np.float32) * np.float32(1 / 16777216)

    one = np.float32
    area, aspect = (one(0.02) + one(0.38) * uniform(b[0])) * one(1024), one(0.4) + one(2.1) * uniform(b[1])
    width, height = (np.minimum(np.sqrt(x).astype(int), 32) for x in (area / aspect, area * aspect))
    left, top = below(b[2], 32 - width + 1), below(b[3], 32 - height + 1)
    cut, grey, flip = uniform(a[3]) < 0.5, below(c[0], 256), uniform(a[2]) < 0.5
    crop_x, crop_y = below(a[0], 9), below(a[1], 9)
    padded = np.pad(images, ((0, 0), (0, 0), (4, 4), (4, 4)))
    out = np.empty(images.shape, np.float32)
    for k in range(n):
        image = padded[k, :, crop_y[k]:crop_y[k] + 32, crop_x[k]:crop_x[k] + 32].copy()
        if cut[k]:
            image[:, top[k]:top[k] + height[k], left[k]:left[k] + width[k]] = grey[k]
        out[k] = image[:, :, ::-1] if flip[k] else image
    return out


def normalise(images, mean=MEAN, std=STD):
    """The network's input made from images (N, 3, 32, 32), 0 to 255."""
    return (np.asarray(images, np.float32) / np.float32(255) - mean[:, None, None]) / std[:, None, None]


def read_batch(path):
    """The network's input (steps, N, C, H, W) of a batch that `sltt bench --save_batch` wrote, and its labels."""
    batch, texts = read_safetensors(path, metadata=True)
    samples, labels = batch["samples"], batch["labels"]
    if "mean" in batch:
        return normalise(augment(samples[0], int(texts["seed"]), iteration=0), batch["mean"], batch["std"])[None], labels
    return samples.astype(np.float32) * batch["scale"][:, None, None] + batch["shift"][:, None, None], labels


