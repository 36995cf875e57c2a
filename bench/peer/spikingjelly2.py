#!/usr/bin/env python3
"""Times training iterations of SpikingJelly 2 on the layers of the official programs' ResNet-18 or VGG-11.

usage: spikingjelly2.py --spikingjelly DIR [--model spiking_resnet18|spiking_vgg11_bn] [-T 6] [-b 32] [--iterations 5]
                        [--device cpu|cuda] [--amp no|float16|bfloat16] [--backend triton|torch] [--tuned]
                        [--width-divisor 1] [--batch FILE.safetensors] [--lr 0.1]

--spikingjelly is a checkout of SpikingJelly 2 (fangwei123456/spikingjelly; it needs PyTorch 2.6 or newer). --batch is a file of
`sltt bench --save_batch`; without it the batch is random. Weights are random.

SpikingJelly 2 runs in its multi-step mode: each layer sees all T steps at once, and gradients go through time (BPTT). It has no
SLTT in that mode. A static image goes through the first convolution once, as in SlttEngine. Batch norm normalises over all
steps at once, where the official programs do so step by step. --backend is that of the neurons: Triton where it is there.
--tuned: channels_last, cudnn.benchmark instead of deterministic algorithms.

Prints one JSON object with the fields of official.py.
"""
import argparse, contextlib, json, os, pathlib, resource, statistics, sys, time

WARM_UPS = 2  # as many as `sltt bench`


def build(model, classes, channels, divisor, neuron, nn, layer):
    """The network; its input and output are (T, N, ...), but a static network's first layer, which takes (N, ...)."""

    def conv(inputs, outputs, kernel=3, stride=1, bias=True):
        return layer.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=bias, step_mode="m")

    def norm(width):
        return layer.BatchNorm2d(width, step_mode="m")

    class Block(nn.Module):
        """Pre-activation: batch norm and neurons in front of each convolution; the shortcut begins behind the first neurons."""

        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.first = nn.Sequential(norm(inputs), neuron())
            self.rest = nn.Sequential(conv(inputs, outputs, stride=stride), norm(outputs), neuron(), conv(outputs, outputs))
            self.shortcut = nn.Identity() if stride == 1 and inputs == outputs else conv(inputs, outputs, 1, stride)

        def forward(self, x):
            x = self.first(x)
            return self.rest(x) + self.shortcut(x)

    widths = [max(1, width // divisor) for width in (64, 128, 256, 512)]
    if model == "spiking_resnet18":
        stem = nn.Conv2d(channels, widths[0], 3, padding=1, bias=False)
        before, blocks = widths[0], []
        for width, stride in zip(widths, (1, 2, 2, 2)):
            blocks += [Block(before, width, stride), Block(width, width, 1)]
            before = width
        head = [norm(before), neuron(), layer.AvgPool2d(4, step_mode="m"), layer.Flatten(step_mode="m"),
                layer.Linear(before, classes, step_mode="m")]
        return stem, nn.Sequential(*blocks, *head)
    layers, before = [], channels
    for group in ([0], [1], [2, 2], [3, 3], [3, 3]):
        for width in (widths[i] for i in group):
            layers += [conv(before, width), norm(width), neuron()]
            before = width
        layers.append(layer.AvgPool2d(2, 2, step_mode="m"))
    return None, nn.Sequential(*layers, layer.AdaptiveAvgPool2d((7, 7), step_mode="m"), layer.Flatten(step_mode="m"),
                               layer.Linear(before * 49, classes, step_mode="m"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spikingjelly", required=True)
    parser.add_argument("--model", default="spiking_resnet18", choices=["spiking_resnet18", "spiking_vgg11_bn"])
    parser.add_argument("-T", type=int, default=6)
    parser.add_argument("-b", type=int, default=32)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--amp", default="no", choices=["no", "float16", "bfloat16"])
    parser.add_argument("--backend", choices=["triton", "torch"])
    parser.add_argument("--tuned", action="store_true")
    parser.add_argument("--width-divisor", type=int, default=1)
    parser.add_argument("--batch")
    parser.add_argument("--lr", type=float, default=0.1)
    a = parser.parse_args()

    sys.path.insert(0, a.spikingjelly)
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
    try:
        from spikingjelly.activation_based import base, functional, layer, neuron, surrogate
    except ImportError as e:
        sys.exit(f"ImportError: --spikingjelly {a.spikingjelly}: not SpikingJelly 2 with what it needs: {e}")

    on_gpu = a.device != "cpu"
    backend = a.backend or ("triton" if on_gpu and getattr(base, "triton", None) is not None else "torch")
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    torch.backends.cudnn.deterministic = not a.tuned
    torch.backends.cudnn.benchmark = a.tuned
    torch.manual_seed(2022)
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(len(os.sched_getaffinity(0)))  # as many as SlttEngine takes
    static = a.model == "spiking_resnet18"
    channels, size, classes = (3, 32, 10) if static else (2, 128, 11)

    def lif():
        return neuron.LIFNode(tau=1.1, decay_input=False, v_threshold=1.0, v_reset=None,
                              surrogate_function=surrogate.PiecewiseQuadratic(), step_mode="m", backend=backend)

    stem, rest = build(a.model, classes, channels, a.width_divisor, lif, nn, layer)
    net = nn.ModuleList([m for m in (stem, rest) if m is not None]).to(a.device)
    if a.tuned:
        net = net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=a.lr, momentum=0.9, weight_decay=5e-5)
    if a.batch:
        sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
        from samples import read_batch
        frames, label = (torch.from_numpy(x.copy()) for x in read_batch(a.batch))
    else:
        frames = torch.randn((1 if static else a.T, a.b, channels, size, size))
        frames = frames if static else frames.abs().round()
        label = torch.randint(0, classes, (a.b,))
    label = label.to(a.device)
    if on_gpu:
        frames = frames.pin_memory()
    dtype = {"no": None, "float16": torch.float16, "bfloat16": torch.bfloat16}[a.amp]
    grad_scaler = torch.amp.GradScaler if hasattr(torch.amp, "GradScaler") else torch.cuda.amp.GradScaler  # PyTorch before 2.3
    scaler = grad_scaler(enabled=a.amp == "float16" and on_gpu)

    def forward():
        x = frames.to(a.device, non_blocking=True)
        if stem is None:
            return rest(x)
        image = x[0].contiguous(memory_format=torch.channels_last) if a.tuned else x[0]
        return rest(stem(image).unsqueeze(0).expand(a.T, -1, -1, -1, -1))

    def iteration():
        net.train()
        optimizer.zero_grad()
        with contextlib.nullcontext() if dtype is None else torch.autocast(a.device.split(":")[0], dtype=dtype):
            out = forward().flatten(0, 1)
            loss = 0.95 * F.cross_entropy(out, label.repeat(a.T)) + 0.05 * F.mse_loss(out, torch.ones_like(out))
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        functional.reset_net(net)
        return float(loss.detach())

    def wait():
        if on_gpu:
            torch.cuda.synchronize()

    first_loss = iteration()
    for _ in range(1, WARM_UPS):
        iteration()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(a.iterations):
        wait()
        start = time.perf_counter()
        iteration()
        wait()
        seconds.append(time.perf_counter() - start)
    result = {"program": "SpikingJelly 2", "torch": torch.__version__, "model": a.model, "method": "bptt", "T": a.T, "batch": a.b,
              "amp": a.amp, "backend": backend, "parameters": sum(p.numel() for p in net.parameters()),
              "seconds": statistics.median(seconds), "all_seconds": seconds, "images_per_second": a.b / statistics.median(seconds),
              "first_loss": first_loss}
    if on_gpu:
        free, total = torch.cuda.mem_get_info()
        result |= {"device": torch.cuda.get_device_name(), "cudnn": torch.backends.cudnn.version(),
                   "peak_allocated_bytes": torch.cuda.max_memory_allocated(),
                   "peak_reserved_bytes": torch.cuda.max_memory_reserved(), "device_in_use_bytes": total - free}
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        result |= {"threads": torch.get_num_threads(), "peak_above_idle_bytes": peak - idle}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
