#!/usr/bin/env python3
"""Records tests/SlttEngine.Tests/Golden/forms: the forms that other programs give event recordings, made by those programs.

usage: record-event-forms.py SPIKINGJELLY TONIC SLTT OUT

SPIKINGJELLY  fangwei123456/spikingjelly at 1171f524 (0.0.0.0.12)
TONIC         neuromorphs/tonic
SLTT          the official SLTT programs (qymeng94/SLTT)
OUT           receives the files

Needs Debian's python3-numpy, -torch, -torchvision, -scipy, -tqdm, -matplotlib, -flatbuffers, -lz4, -zstandard.

The recordings are made here, of a few hundred random events, byte for byte in the authors' formats. SpikingJelly then makes events_np
and all frames of them; the official programs make their own frames of DVS-CIFAR10; tonic's loader reads tonic's form. AEDAT 4.0 files
are put together by the Python packages of FlatBuffers, LZ4 and ZSTD.
"""

import importlib.util
import os
import shutil
import struct
import sys
import types

import flatbuffers
import lz4.frame
import numpy as np
import zstandard

STEPS = 5
SLICE = 20000  # µs


def random_events(rng, n, start, longest):
    """n events: times rise by up to longest µs and often stay, so that frames' borders fall on events of equal time."""
    t = start + np.cumsum(rng.integers(0, longest, n) * rng.integers(0, 2, n))
    return t, rng.integers(0, 128, n), rng.integers(0, 128, n), rng.integers(0, 2, n)


def write_aedat2(path, t, x, y, p):
    """As DVS-CIFAR10 has it; x, y, p as the official SLTT programs read them."""
    address = ((127 - x) << 1) | (y << 8) | (1 - p)
    with open(path, "wb") as f:
        f.write(b"#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n")
        f.write(np.stack([address, t], axis=1).astype(">u4").tobytes())


def write_aedat3(path, t, x, y, p):
    """As DVS-Gesture has it."""
    with open(path, "wb") as f:
        f.write(b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n")
        for i in range(0, len(t), 200):
            part = slice(i, i + 200)
            n = len(t[part])
            f.write(struct.pack("<HHIIIIII", 1, 1, 8, 4, 0, n, n, n))
            address = 1 | (p[part] << 1) | (y[part] << 2) | (x[part] << 17)
            f.write(np.stack([address, t[part]], axis=1).astype("<u4").tobytes())


def cifar10dvs(root, sjds, sj_cifar, official, rng):
    name = "cifar10_truck_900"
    for folder in ("events", "events_np"):
        os.makedirs(f"{root}/{folder}/truck")
    recording, events_np = f"{root}/events/truck/{name}.aedat", f"{root}/events_np/truck/{name}.npz"
    write_aedat2(recording, *random_events(rng, 600, 1000000, 600))
    sj_cifar.CIFAR10DVS.read_aedat_save_to_np(recording, events_np)
    spikingjelly_frames(root, sjds, f"truck/{name}.npz")
    for split in ("number", "time"):
        folder = f"{root}/frames_num_{STEPS}_split_by_{split}_normalization_None"
        os.makedirs(f"{folder}/truck")
        events = official.CIFAR10DVS.read_bin(recording)
        events["t"] = events["t"].astype(np.int64)
        frames = official.integrate_events_to_frames(events, 128, 128, STEPS, split, None)
        np.savez_compressed(f"{folder}/truck/{name}.npz", frames)


def dvsgesture(root, sjds, sj_gesture, rng):
    recordings = f"{root}/DvsGesture"
    os.makedirs(recordings)
    os.makedirs(f"{root}/events_np")
    t, x, y, p = random_events(rng, 900, 5000, 600)
    write_aedat3(f"{recordings}/user24_led.aedat", t, x, y, p)
    os.makedirs(f"{root}/../aedat4")
    write_aedat4(f"{root}/../aedat4/user24_led.aedat4", "zstd", list(zip(t, x, y, p)), table=True)
    # Two samples of class 3, one of class 11; they overlap.
    cuts = [(3, t[10], t[400]), (11, t[350], t[620]), (3, t[620], t[880])]
    with open(f"{recordings}/user24_led_labels.csv", "w") as f:
        f.write("class,startTime_usec,endTime_usec\n" + "".join(f"{c},{a},{b}\n" for c, a, b in cuts))
    for part, names in (("train", ""), ("test", "user24_led.aedat\n")):
        with open(f"{recordings}/trials_to_{part}.txt", "w") as f:
            f.write(names)
    sj_gesture.DVS128Gesture.create_events_np_files(root, f"{root}/events_np")
    for folder, _, files in sorted(os.walk(f"{root}/events_np")):
        for file in sorted(files):
            spikingjelly_frames(root, sjds, os.path.relpath(f"{folder}/{file}", f"{root}/events_np"))


def spikingjelly_frames(root, sjds, sample):
    events = f"{root}/events_np/{sample}"
    for split in ("number", "time"):
        out = os.path.dirname(f"{root}/frames_number_{STEPS}_split_by_{split}/{sample}")
        os.makedirs(out, exist_ok=True)
        sjds.integrate_events_file_to_frames_file_by_fixed_frames_number(np.load, events, out, split, STEPS, 128, 128)
    out = os.path.dirname(f"{root}/duration_{SLICE}/{sample}")
    os.makedirs(out, exist_ok=True)
    sjds.integrate_events_file_to_frames_file_by_fixed_duration(np.load, events, out, SLICE, 128, 128)


def tonic_gestures(root, tonic, sjds, rng):
    """Frames of what tonic's loader makes of its files; whole and broken milliseconds, doubles, floats and integers."""
    os.makedirs(f"{root}/ibmGestureTest/user24_led")
    kinds = [(0, "<f8", 1.0), (3, "<f4", 8.0), (10, "<i8", 1.0)]
    for label, kind, parts in kinds:
        t, x, y, p = random_events(rng, 300, 40, 12)
        np.save(f"{root}/ibmGestureTest/user24_led/{label}.npy", np.stack([x, y, p, t / parts], axis=1).astype(kind))
    loader = tonic.DVSGesture.__new__(tonic.DVSGesture)
    loader.transform = loader.target_transform = loader.transforms = None
    loader.data = [f"{root}/ibmGestureTest/user24_led/{label}.npy" for label, _, _ in kinds]
    loader.targets = [label for label, _, _ in kinds]
    for i in range(len(kinds)):
        events, label = loader[i]
        columns = {key: events[key].astype(np.int64) for key in ("t", "x", "y", "p")}
        for split in ("number", "time"):
            frames = sjds.integrate_events_by_fixed_frames_number(columns, split, STEPS, 128, 128)
            np.savez_compressed(f"{root}/{label}_split_by_{split}.npz", frames=frames)


def flatbuffer(identifier, build):
    builder = flatbuffers.Builder(1024)
    builder.FinishSizePrefixed(build(builder), identifier)
    return bytes(builder.Output())


def io_header(compression, position, xml):
    def build(b):
        text = b.CreateString(xml)
        b.StartObject(3)
        b.PrependInt32Slot(0, compression, 0)
        b.PrependInt64Slot(1, position, -1)
        b.PrependUOffsetTRelativeSlot(2, text, 0)
        return b.EndObject()
    return flatbuffer(b"IOHE", build)


def event_packet(events):
    def build(b):
        b.StartVector(16, len(events), 8)
        for t, x, y, p in reversed(events):
            b.Prep(8, 16)
            b.Pad(3)
            b.PrependBool(bool(p))
            b.PrependInt16(int(y))
            b.PrependInt16(int(x))
            b.PrependInt64(int(t))
        vector = b.EndVector()
        b.StartObject(1)
        b.PrependUOffsetTRelativeSlot(0, vector, 0)
        return b.EndObject()
    return flatbuffer(b"EVTS", build)


# The header's number and the function.
PACK = {
    "none": (0, bytes),
    "lz4": (1, lz4.frame.compress),
    "lz4_high": (2, lambda data: lz4.frame.compress(data, compression_level=12)),
    "zstd": (3, zstandard.ZstdCompressor(level=3).compress),
    # As a streaming encoder leaves it: the frame does not say how long it is.
    "zstd_high": (4, zstandard.ZstdCompressor(level=19, write_content_size=False).compress),
}


def write_aedat4(path, packing, events, table):
    """Events in two packets of stream 1, between packets of other streams; with the table of packets behind them or, as after a crash,
    without."""
    number, compress = PACK[packing]
    streams = "".join(
        f'<node name="{i}" path="/mainloop/Recorder/outInfo/{i}/"><attr key="compression" type="string">{packing.upper()}</attr>'
        f'<attr key="typeIdentifier" type="string">{kind}</attr><node name="info" path="/mainloop/Recorder/outInfo/{i}/info/">'
        f'<attr key="sizeX" type="int">128</attr><attr key="sizeY" type="int">128</attr></node></node>'
        for i, kind in enumerate(("FRME", "EVTS", "IMUS", "EVTS")))
    xml = f'<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">{streams}</node></dv>'
    packets = [(0, b"\0" * 40), (1, event_packet(events[:200])), (3, event_packet(events[::50])), (1, event_packet([])),
               (2, b"\1" * 9), (1, event_packet(events[200:]))]
    body = b"".join(struct.pack("<ii", stream, len(c)) + c for stream, c in ((s, compress(d)) for s, d in packets))
    first = b"#!AER-DAT4.0\r\n"
    length = len(io_header(number, 1, xml))
    header = io_header(number, len(first) + length + len(body) if table else -1, xml)
    behind = compress(flatbuffer(b"FTAB", lambda b: (b.StartObject(1), b.EndObject())[1])) if table else b""
    with open(path, "wb") as f:
        f.write(first + header + body + behind)


def aedat4(root, rng):
    os.makedirs(root, exist_ok=True)
    events = list(zip(*random_events(rng, 500, 1_600_000_000_000_000, 300)))
    np.savez_compressed(f"{root}/events.npz", **{k: np.array([e[i] for e in events]) for i, k in enumerate("txyp")})
    for packing in PACK:
        write_aedat4(f"{root}/{packing}.aedat4", packing, events, table=packing != "lz4")


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    spikingjelly, tonic, sltt, out = sys.argv[1:]
    np.bool = bool  # NumPy 1.24 has no np.bool any more
    import numpy.lib.recfunctions  # noqa: F401; tonic expects it to be there
    sys.path.insert(0, spikingjelly)
    import spikingjelly.datasets as sjds
    from spikingjelly.datasets import cifar10_dvs, dvs128_gesture
    package, dataset = types.ModuleType("tonic"), types.ModuleType("tonic.dataset")
    dataset.Dataset = object
    sys.modules.update({"tonic": package, "tonic.dataset": dataset})
    shutil.rmtree(out, ignore_errors=True)
    rng = np.random.default_rng(2022)
    cifar10dvs(f"{out}/cifar10dvs", sjds, cifar10_dvs, load(f"{sltt}/utils/cifar10_dvs.py", "official_dvs"), rng)
    dvsgesture(f"{out}/dvsgesture", sjds, dvs128_gesture, rng)
    tonic_gestures(f"{out}/tonic", load(f"{tonic}/tonic/datasets/dvsgesture.py", "tonic_dvsgesture"), sjds, rng)
    aedat4(f"{out}/aedat4", rng)


if __name__ == "__main__":
    main()
