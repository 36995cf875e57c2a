#!/usr/bin/env python3
"""Trains SlttEngine and the official PyTorch network from the same weights on the same batches, and prints both loss curves.

usage: loss_curve.py --sltt DIR --spikingjelly DIR --data DIR [--command sltt] [--images 2560] [--epochs 8] [--width 4]
                     [-T 4] [-b 64] [--lr 0.1] [--out FILE.json]

--data holds CIFAR-10's cifar-10-batches-py. The programs use the first --images of its training images, and a fifth as many of
its test images. SlttEngine trains first and saves its initial weights (-save_init). Then the official spiking ResNet-18
(channels divided by --width) trains from these weights with PyTorch: SGD with momentum and weight decay, the same cosine
schedule, and exactly the same order of images, crops, cutouts and flips, drawn from the same counters. Only rounding differs.
Where many pixels are equal (a grey cutout), a threshold turns one rounding into many spikes; PyTorch in float32 and in float64
differ in the same way.
"""
import argparse, json, pathlib, pickle, re, subprocess, sys, tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from compare import default_command
from narrow import narrow_module
from samples import augment, normalise, philox, read_safetensors


def epoch_order(count, seed, epoch):
    """The order of an epoch's images: Fisher and Yates' shuffle from the last place down."""
    stream = 0x5348_5546_0000_0000 + epoch
    blocks = np.arange((count + 1) // 2 + 1)
    words = np.stack(philox(blocks & 0xFFFFFFFF, blocks >> 32, stream & 0xFFFFFFFF, stream >> 32, seed), 1).reshape(-1)
    numbers = [int(low) | int(high) << 32 for low, high in zip(words[0::2], words[1::2])]
    order = list(range(count))
    for place, number in zip(range(count - 1, 0, -1), numbers):
        other = number * (place + 1) >> 64
        order[place], order[other] = order[other], order[place]
    return np.array(order)


def small_cifar(source, target, images):
    """Writes a CIFAR-10 of the first images of each file, in the python layout; returns its training and test part."""
    folder = pathlib.Path(target, "cifar-10-batches-py")
    folder.mkdir()
    parts = []
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        with open(pathlib.Path(source, "cifar-10-batches-py", name), "rb") as file:
            batch = pickle.load(file, encoding="bytes")
        data, labels = np.asarray(batch[b"data"])[:images // 5], list(batch[b"labels"])[:images // 5]
        with open(folder / name, "wb") as file:
            pickle.dump({b"batch_label": name.encode(), b"labels": labels, b"data": data}, file, protocol=2)
        parts.append((data.reshape(-1, 3, 32, 32), np.array(labels)))
    return (np.concatenate([p[0] for p in parts[:5]]), np.concatenate([p[1] for p in parts[:5]])), parts[5]


def train_ours(a, data, logs):
    """Runs sltt train; returns the epochs' (train_loss, test_loss, test_acc) and the initial weights."""
    command = [a.command, "train", "-data_dir", data, "-out_dir", logs, "-dataset", "cifar10", "-model", "spiking_resnet18",
               "-width_divisor", str(a.width), "-T", str(a.T), "-b", str(a.b), "-epochs", str(a.epochs), "-T_max", str(a.epochs),
               "-lr", str(a.lr), "-weight_decay", "5e-5", "-save_init", "--device", "cpu", "--allow-incomplete"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(result.stderr.strip())
    epochs = [tuple(float(x) for x in m) for m in re.findall(r"train_loss=([\d.]+).*?test_loss=([\d.]+), test_acc=([\d.]+)", result.stdout)]
    return epochs, read_safetensors(next(pathlib.Path(logs).rglob("checkpoint_0.safetensors")))


def train_theirs(a, init, train, test, seed=2022):
    """The official network, loss and step on the same batches."""
    sys.path[:0] = [a.sltt, a.spikingjelly]
    import torch
    import torch.nn.functional as F
    from models import spiking_resnet
    from modules import neuron
    from spikingjelly.clock_driven import functional, surrogate

    narrow_module(spiking_resnet, torch.nn, a.width, 3)
    net = spiking_resnet.spiking_resnet18(neuron=neuron.SLTTNeuron, num_classes=10, neuron_dropout=0.0, tau=1.1,
                                          surrogate_function=surrogate.PiecewiseQuadratic(), c_in=3, fc_hw=1)
    state = net.state_dict()
    net.load_state_dict({name: torch.from_numpy(init["net." + name].copy()).reshape(value.shape) for name, value in state.items()})
    optimizer = torch.optim.SGD(net.parameters(), lr=a.lr, momentum=0.9, weight_decay=5e-5)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=a.epochs)

    def loss_of(out, label):
        return 0.95 * F.cross_entropy(out, label) + 0.05 * F.mse_loss(out, torch.ones_like(out))

    epochs, iteration = [], 0
    for epoch in range(a.epochs):
        net.train()
        order, losses = epoch_order(len(train[1]), seed, epoch), []
        for first in range(0, len(order), a.b):
            chosen = order[first:first + a.b]
            x, label = torch.from_numpy(normalise(augment(train[0][chosen], seed, iteration))), torch.from_numpy(train[1][chosen])
            optimizer.zero_grad()
            batch_loss = 0.0
            for _ in range(a.T):
                loss = loss_of(net(x), label) / a.T
                loss.backward()
                batch_loss += loss.item()
            optimizer.step()
            functional.reset_net(net)
            losses.append((batch_loss, len(label)))
            iteration += 1
        schedule.step()
        net.eval()
        with torch.no_grad():
            tested, correct = [], 0
            for first in range(0, len(test[1]), a.b):
                x = torch.from_numpy(normalise(test[0][first:first + a.b]))
                label = torch.from_numpy(test[1][first:first + a.b])
                outs = [net(x) for _ in range(a.T)]
                tested.append((sum((loss_of(out, label) / a.T).item() for out in outs), len(label)))
                correct += (sum(outs).argmax(1) == label).sum().item()
                functional.reset_net(net)
        mean = lambda values: sum(v * n for v, n in values) / sum(n for _, n in values)
        epochs.append((mean(losses), mean(tested), correct / len(test[1])))
    return epochs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sltt", required=True)
    parser.add_argument("--spikingjelly", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--command", default=default_command())
    parser.add_argument("--images", type=int, default=2560)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--width", type=int, default=4)
    parser.add_argument("-T", type=int, default=4)
    parser.add_argument("-b", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--out")
    a = parser.parse_args()

    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as logs:
        train, test = small_cifar(a.data, data, a.images)
        ours, init = train_ours(a, data, logs)
        theirs = train_theirs(a, init, train, test)
    print(f"{'epoch':>5} {'train loss':>12} {'official':>10} {'test loss':>12} {'official':>10} {'test acc':>10} {'official':>10}")
    for epoch, (o, t) in enumerate(zip(ours, theirs)):
        print(f"{epoch:5} {o[0]:12.4f} {t[0]:10.4f} {o[1]:12.4f} {t[1]:10.4f} {o[2]:10.4f} {t[2]:10.4f}")
    if a.out:
        with open(a.out, "w") as out:
            json.dump({"options": {k: v for k, v in vars(a).items() if k not in ("sltt", "spikingjelly", "data", "command", "out")},
                       "columns": ["train_loss", "test_loss", "test_acc"], "SlttEngine": ours, "official": theirs}, out, indent=1)


if __name__ == "__main__":
    main()
