#!/usr/bin/python3
"""Writes a test_batch of two images as people save CIFAR-10's again, a file for each way, beside this script.
Byte i of image n is (7 i + 13 n) mod 251; the labels are 3 and 8.
usage: make.py   (python3-numpy of Debian 12: NumPy 1.24)"""
import os
import pickle
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
data = np.array([[(7 * i + 13 * n) % 251 for i in range(3072)] for n in range(2)], np.uint8)
labels = [3, 8]
for name, protocol, pixels, classes in [
        ("protocol-5", 5, data, labels), ("array-labels", 4, data, np.array(labels)), ("array-labels-5", 5, data, np.array(labels, np.int32)),
        ("scalar-labels", 4, data, [np.int64(v) for v in labels]), ("column-major", 4, np.asfortranarray(data), labels),
        ("column-major-5", 5, np.asfortranarray(data), labels), ("planes", 4, data.reshape(2, 3, 32, 32), labels),
        ("planes-column-major", 4, np.asfortranarray(data.reshape(2, 3, 32, 32)), labels),
        ("channels-last", 4, np.ascontiguousarray(data.reshape(2, 3, 32, 32).transpose(0, 2, 3, 1)), labels),
        ("channels-last-strided-5", 5, data.reshape(2, 3, 32, 32).transpose(0, 2, 3, 1), labels),
        ("floats", 4, data[:, :32].astype(np.float32) / 255, labels), ("float-labels", 4, data, np.array(labels, np.float64))]:
    with open(os.path.join(here, name), "wb") as out:
        pickle.dump({"batch_label": "testing batch 1 of 1", "labels": classes, "data": pixels, "filenames": ["a", "b"]}, out, protocol)
