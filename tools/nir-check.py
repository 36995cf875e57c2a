#!/usr/bin/env python3
"""Simulates a NIR file by the text of NIR's primitives alone, and compares each neuron with the PyTorch export of the same checkpoint.

    sltt export RUN --to nir -o net.nir
    sltt export RUN --to torch -o net.py
    tools/nir-check.py net.nir net.py --steps 6 [--frames]

It needs torch and h5py. The simulation is in double precision: forward Euler with dt, what edges bring to a node added up. A neuron
whose potential is nearer to its threshold than --rounding is left out, and counted; what follows then gets the spike of the export.
--frames: the input has a frame for each step; else one for all. The input is random.
"""
import argparse
import importlib.util
import pathlib
import sys

import h5py
import torch
from torch.nn import functional as F

DT = 1e-4


class Node:
    def __init__(self, group):
        self.type = group["type"][()].decode()
        self.fields = {name: data[()] for name, data in group.items() if isinstance(data, h5py.Dataset) and name != "type"}

    def __getitem__(self, field):
        return torch.from_numpy(self.fields[field]).double()

    def pair(self, field):
        return tuple(int(v) for v in self.fields[field])


def read(path):
    with h5py.File(path) as file:
        graph = file["node"]
        nodes = {name: Node(group) for name, group in graph["nodes"].items()}
        sources = {name: [] for name in nodes}
        for source, target in graph["edges"][()]:
            sources[target.decode()].append(source.decode())
    order, done = [], set()
    while len(order) < len(nodes):
        ready = [n for n in nodes if n not in done and (nodes[n].type == "Delay" or all(s in done for s in sources[n]))]
        if not ready:
            sys.exit(f"{path}: a circle without a delay")
        order += ready
        done |= set(ready)
    return nodes, sources, order


def compute(node, x, state):
    if node.type == "Scale":
        return x * node["scale"]
    if node.type == "Affine":
        return node["weight"] @ x + node["bias"]
    if node.type == "Conv2d":
        return F.conv2d(x[None], node["weight"], node["bias"], node.pair("stride"), node.pair("padding"))[0]
    if node.type == "AvgPool2d":
        return F.avg_pool2d(x[None], node.pair("kernel_size"), node.pair("stride"), node.pair("padding"))[0]
    if node.type == "Flatten":
        return x.flatten()
    if node.type == "LI":
        v = torch.zeros_like(x) if state is None else state
        return v + DT / node["tau"] * (node["v_leak"] - v + node["r"] * x)
    if node.type == "Output":
        return x
    sys.exit(f"no rule for a {node.type} node")


def load(path):
    spec = importlib.util.spec_from_file_location("exported", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, module.load(path.with_suffix(".pth"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nir", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--frames", action="store_true")
    parser.add_argument("--rounding", type=float, default=5e-5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    module, network = load(options.model)
    steps = options.steps or module.STEPS
    torch.manual_seed(options.seed)
    x = torch.randn(steps if options.frames else 1, 1, *module.INPUT)

    ours = {}
    for name, neurons in network.named_modules():
        if isinstance(neurons, module.Lif):
            neurons.register_forward_hook(lambda lif, _, spikes, name=name: ours.setdefault(name, []).append(
                (lif.v[0] + lif.v_th * spikes[0], spikes[0], lif.v_th)))
    with torch.no_grad():
        expected = network(x if options.frames else x[0], steps)[0]

    nodes, sources, order = read(options.nir)
    states, alike, fired, left_out, differ, largest, total = {}, 0, 0, 0, 0, 0.0, 0
    for t in range(steps):
        values = {}
        for name in order:
            node = nodes[name]
            if node.type == "Delay":
                values[name] = states.get(name, torch.zeros_like(node["delay"]))
                continue
            if node.type == "Input":
                values[name] = x[t if options.frames else 0][0].double()
                continue
            incoming = sum(values[source] for source in sources[name])
            if node.type != "Threshold":
                values[name] = compute(node, incoming, states.get(name))
                if node.type == "LI":
                    states[name] = values[name]
                continue
            u, spikes, v_th = (v.reshape(incoming.shape) if torch.is_tensor(v) else v for v in ours[name][t])
            theirs = incoming > node["threshold"]
            near = (u - v_th).abs() <= options.rounding
            same = (theirs == (spikes > 0)) & ~near
            alike, left_out = alike + int(same.sum()), left_out + int(near.sum())
            fired, differ = fired + int(spikes.sum()), differ + int((~same & ~near).sum())
            largest = max(largest, float((incoming - u).abs().max()))
            values[name] = torch.where(near, spikes.double(), theirs.double())
        states.update({n: sum(values[s] for s in sources[n]) for n in nodes if nodes[n].type == "Delay"})
        total = total + values[next(n for n in nodes if nodes[n].type == "Output")]

    print(f"{alike} decisions alike ({fired} spikes), {left_out} nearer than {options.rounding} left out, {differ} differ; "
          f"potentials to {largest:.1e}, logits to {float((total / steps - expected).abs().max()):.1e}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
