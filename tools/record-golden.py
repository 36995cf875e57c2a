#!/usr/bin/env python3
"""Records golden vectors from the official PyTorch implementation of SLTT, for `sltt verify FILE`.

    tools/record-golden.py --official DIR --spikingjelly DIR model  [options] --out FILE
    tools/record-golden.py --official DIR --spikingjelly DIR neuron [options] --out FILE

--official and --spikingjelly are your checkouts of github.com/qymeng94/SLTT and of github.com/fangwei123456/spikingjelly at
1171f524 (0.0.0.0.12). Needs Python 3.9, PyTorch 1.13 or later and NumPy;
a CPU is enough. docs/internals/golden-vectors.md has the format.

A case is computed in float32 and in float64. It is recorded only if any float32 implementation can meet it: no spike differs,
every membrane potential is far enough from the threshold (--safety), and float32 uses a small part of what `sltt verify` allows.
Else the next seed is tried.
"""
import argparse, math, os, pathlib, re, sys

sys.dont_write_bytecode = True  # nothing is written into the checkouts, nor into this tree

from golden.fairness import THRESHOLD, Refused
from golden.model import record_model
from golden.neuron import record_neuron
from golden.official import MODELS, Official, fail
from golden.vectors import write_safetensors


class Parser(argparse.ArgumentParser):
    def error(self, message):
        fail(f"{message} (--help lists the options)")


class Formatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults that there are."""

    def _get_help_string(self, action):
        return action.help if action.default is None else super()._get_help_string(action)


def at_least(least, kind=int):
    def number(text):
        value = kind(text)
        if not (value >= least and math.isfinite(value)):
            raise argparse.ArgumentTypeError(f"'{text}' is not a number from {least} on")
        return value
    return number


def shape_of(text):
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a shape such as 3x5")
    return [int(d) for d in text.split("x")]


def arguments():
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", required=True, metavar="DIR")
    parser.add_argument("--spikingjelly", required=True, metavar="DIR")
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="model|neuron")
    both = argparse.ArgumentParser(add_help=False)
    both.add_argument("--out", required=True, metavar="FILE", help="the safetensors file to write")
    both.add_argument("--tau", type=at_least(1.0, float), default=1.1, help="membrane time constant")
    both.add_argument("--surrogate", default="triangle", choices=["triangle", "rectangle", "sigmoid"], help="derivative of a spike")
    both.add_argument("--seed", type=at_least(0), default=2022, help="the first seed to try")
    both.add_argument("--tries", type=at_least(1), default=100, help="how many seeds to try")
    both.add_argument("--safety", type=at_least(1.0, float), default=3.0, help="smallest distance to the threshold, in rounding errors")
    model = kinds.add_parser("model", parents=[both], formatter_class=Formatter, help="training iterations and an evaluation")
    model.add_argument("--model", default="spiking_resnet18", choices=MODELS, help="the network")
    model.add_argument("--method", default="sltt", choices=["sltt", "slttk", "bptt"], help="how it is trained")
    model.add_argument("--T", type=at_least(1), default=6, help="time steps")
    model.add_argument("--K", type=at_least(1), default=2, help="steps with a backward pass, slttk only")
    model.add_argument("--batch", type=at_least(1), default=2, help="samples")
    model.add_argument("--iterations", type=at_least(1), default=2, help="on one batch")
    model.add_argument("--width-divisor", type=int, default=16, choices=[1, 2, 4, 8, 16, 32, 64], help="divides inner channel counts")
    model.add_argument("--size", type=at_least(1), help="height and width (default: 32, VGG-11 48, NF-ResNet 64)")
    model.add_argument("--classes", type=at_least(2), help="(default: 10, NF-ResNet 20)")
    model.add_argument("--init", default="disturbed", choices=["disturbed", "official"],
                       help="official: the initialisation untouched; disturbed: biases, gains, batch norm moved off 0 and 1")
    model.add_argument("--loss-lambda", type=at_least(0.0, float), help="(default: 0.05, NF-ResNet 0)")
    model.add_argument("--mse-n-reg", action="store_true", help="the squared error is to the one-hot label")
    model.add_argument("--loss-means", type=float, default=1.0, help="else its target")
    model.add_argument("--optimizer", default="SGD", choices=["SGD", "AdamW"], help="how it is updated")
    model.add_argument("--lr", type=at_least(0.0, float), help="(default: 0.1, NF-ResNet 0.01; AdamW 0.001, NF-ResNet 0.0001)")
    model.add_argument("--momentum", type=at_least(0.0, float), default=0.9, help="SGD only")
    model.add_argument("--weight-decay", type=at_least(0.0, float), default=5e-4, help="of both optimisers")
    model.add_argument("--scheduler", default="CosALR", choices=["CosALR", "StepLR"], help="steps once an iteration")
    model.add_argument("--T-max", type=at_least(1), default=4, help="CosALR: iterations to zero")
    model.add_argument("--step-size", type=at_least(1), default=1, help="StepLR: iterations")
    model.add_argument("--gamma", type=float, default=0.1, help="StepLR: factor")
    neuron = kinds.add_parser("neuron", parents=[both], formatter_class=Formatter, help="one LIF layer")
    neuron.add_argument("--method", default="sltt", choices=["sltt", "bptt"], help="how it is trained")
    neuron.add_argument("--T", type=at_least(1), default=6, help="time steps")
    neuron.add_argument("--shape", type=shape_of, default="5x37", help="of a step")
    a = parser.parse_args()
    if a.kind == "model":
        free = "nfresnet" in a.model
        a.size, a.classes = a.size or MODELS[a.model][2], a.classes or MODELS[a.model][3]
        a.lr = a.lr if a.lr is not None else (1e-4 if free else 1e-3) if a.optimizer == "AdamW" else 0.01 if free else 0.1
        a.loss_lambda = a.loss_lambda if a.loss_lambda is not None else 0.0 if free else 0.05
        if a.method == "slttk" and a.K > a.T:
            fail(f"--K {a.K} is more than --T {a.T}")
    out = pathlib.Path(a.out).resolve()
    if out.is_dir() or not out.parent.is_dir():
        fail(f"--out {a.out}: {'a folder; give a file' if out.is_dir() else 'its folder does not exist'}")
    return a


def main():
    a = arguments()
    off = Official(a)
    record = record_model if a.kind == "model" else record_neuron
    for seed in range(a.seed, a.seed + a.tries):
        try:
            tensors, metadata = record(a, off, seed)
            break
        except Refused as reason:
            print(f"seed {seed} refused: {reason}", file=sys.stderr)
        except RuntimeError as error:
            fail(f"the official code failed: {str(error).splitlines()[0]}")
    else:
        fail(f"none of {a.tries} seeds makes a fair case; make it smaller (width, batch, size, T, iterations) or try more seeds")
    metadata |= {"name": pathlib.Path(a.out).stem, "seed": seed, "torch": off.torch.__version__, "spikingjelly": off.version,
                 "v_threshold": THRESHOLD, "v_reset": None, "decay_input": False, "detach_reset": False}
    try:
        write_safetensors(a.out, tensors, metadata)
    except OSError as error:
        fail(f"--out {a.out}: {error.strerror}")
    print(f"{a.out}: {os.path.getsize(a.out) // 1000} kB, seed {seed}, safety {metadata['safety']:.2g}, firing rate "
          f"{metadata['firing_rate']:.3f}; compare with: sltt verify {a.out}")


if __name__ == "__main__":
    main()
