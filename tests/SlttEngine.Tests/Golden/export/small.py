"""small, trained by SlttEngine 0.2.0. Needs torch alone.

python net.py [INPUT.pt]    loads net.pth beside this file, and answers for a
                           tensor, or for random numbers

    from net import load
    logits = load("net.pth")(x)    # the mean over the time steps

x is (N, C, H, W), the same at every step, or (T, N, C, H, W) with a frame a step.
x is normalised: not known: the input is what the network was trained on
"""
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

STEPS = 4
INPUT = (2, 9, 9)
CLASSES = []


class Lif(nn.Module):
    """LIF neurons with soft reset: u(t) = (1 - 1/tau) v(t-1) + x(t), a spike where u >= v_th, v = u - v_th * spike."""

    def __init__(self, tau, v_th):
        super().__init__()
        self.decay, self.v_th, self.v = 1 - 1 / tau, v_th, None

    def forward(self, x):
        u = x if self.v is None else self.decay * self.v + x
        spikes = (u >= self.v_th).to(x.dtype)
        self.v = u - self.v_th * spikes
        return spikes


class Group(nn.Module):
    """Modules by name or number, as the state dict has them: layer1[0].conv1."""

    def __init__(self, members):
        super().__init__()
        for name, member in members.items():
            setattr(self, name, member)

    def __getitem__(self, name):
        return getattr(self, str(name))


class Network(Group):
    def __init__(self):
        super().__init__({
            "conv1": nn.Conv2d(2, 4, 3, 1, 1, bias=False),
            "bn1": nn.BatchNorm2d(4, eps=1e-05),
            "lif1": Lif(tau=2.5, v_th=0.75),
            "conv2": nn.Conv2d(4, 4, 3, 1, 1, bias=True),
            "bn2": nn.BatchNorm2d(4, eps=1e-05),
            "lif2": Lif(tau=1.3, v_th=0.75),
            "conv3": nn.Conv2d(4, 4, 3, 1, 1, bias=True),
            "bn3": nn.BatchNorm2d(4, eps=1e-05),
            "lif3": Lif(tau=2.5, v_th=0.5),
            "conv4": nn.Conv2d(4, 6, 1, 1, 0, bias=True),
            "conv5": nn.Conv2d(4, 6, 3, 1, 1, bias=True),
            "lif4": Lif(tau=2.5, v_th=0.75),
            "linear1": nn.Linear(24, 12, bias=True),
            "bn4": nn.BatchNorm2d(12, eps=1e-05),
            "lif5": Lif(tau=2.5, v_th=0.75),
            "linear2": nn.Linear(12, 9, bias=True),
            "lif6": Lif(tau=2.5, v_th=0.75),
            "linear3": nn.Linear(9, 5, bias=True),
        })

    def forward(self, x, steps=STEPS):
        """Mean of the logits over the steps."""
        for module in self.modules():
            if isinstance(module, Lif):
                module.v = None
        frames = x if x.dim() == 5 else [x] * steps
        return torch.stack([self.step(frame) for frame in frames]).mean(0)

    def step(self, x):
        """Logits of a time step; the neurons keep their potentials."""
        conv1 = self.conv1(x)
        bn1 = self.bn1(conv1)
        lif1 = self.lif1(bn1)
        pool1 = F.avg_pool2d(lif1, 3, 2, 1)
        conv2 = self.conv2(pool1)
        bn2 = self.bn2(conv2)
        lif2 = self.lif2(bn2)
        conv3 = self.conv3(lif2)
        bn3_sum = conv3 + pool1
        bn3 = self.bn3(bn3_sum)
        lif3 = self.lif3(bn3)
        conv4 = self.conv4(lif3)
        conv5 = self.conv5(lif3)
        add2 = conv4 + conv5
        lif4 = self.lif4(add2)
        pool2 = F.adaptive_avg_pool2d(lif4, 2)
        linear1 = self.linear1(pool2.flatten(1))[:, :, None, None]
        bn4 = self.bn4(linear1)
        lif5 = self.lif5(bn4)
        linear2 = self.linear2(lif5.flatten(1))[:, :, None, None]
        lif6 = self.lif6(linear2)
        return self.linear3(lif6.flatten(1))


def load(path):
    """The network with a state dict, ready to answer."""
    network = Network()
    network.load_state_dict(torch.load(path, map_location="cpu"))
    return network.eval()


def main():
    here = pathlib.Path(__file__)
    x = torch.load(sys.argv[1]) if len(sys.argv) > 1 else torch.randn(1, *INPUT)
    with torch.no_grad():
        for logits in load(here.with_name("net.pth"))(x):
            best = int(logits.argmax())
            print(CLASSES[best] if CLASSES else best, *(f"{value:.9g}" for value in logits.tolist()))


if __name__ == "__main__":
    main()
