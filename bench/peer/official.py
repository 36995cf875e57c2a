#!/usr/bin/env python3
"""Times training iterations of the official PyTorch SLTT programs (their models and their step) on one batch.

usage: official.py --sltt DIR --spikingjelly DIR [--model spiking_resnet18] [--method sltt|bptt] [-T 6] [-b 32]
                   [--iterations 5] [--device cpu|cuda] [--amp no|float16|bfloat16] [--tuned] [--compile]
                   [--weights FILE.pth] [--batch FILE.safetensors] [--lr 0.1]

--sltt and --spikingjelly are checkouts of the official sources (qymeng94/SLTT; fangwei123456/spikingjelly, version
0.0.0.0.12). --weights is a checkpoint to start from; --batch is a file of `sltt bench --save_batch`. Without them, weights and
batch are random.

Prints one JSON object: seconds an iteration (median, all), images/s, the first iteration's loss, and memory. On a CPU, memory
is the process's peak above its idle size. On a GPU it is PyTorch's largest allocation after the warm-up, which leaves out the
trials of cudnn.benchmark, and all memory in use on the device.
"""
import argparse, contextlib, json, os, pathlib, resource, statistics, sys, time

WARM_UPS = 2  # as many as `sltt bench`


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sltt", required=True)
    parser.add_argument("--spikingjelly", required=True)
    parser.add_argument("--model", default="spiking_resnet18")
    parser.add_argument("--method", default="sltt", choices=["sltt", "bptt"])
    parser.add_argument("-T", type=int, default=6)
    parser.add_argument("-b", type=int, default=32)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--amp", default="no", choices=["no", "float16", "bfloat16"])
    parser.add_argument("--tuned", action="store_true", help="faster than published: channels_last, cudnn.benchmark instead of "
                        "deterministic, the loss read once an iteration")
    parser.add_argument("--compile", action="store_true", help="the network through torch.compile")
    parser.add_argument("--weights")
    parser.add_argument("--batch")
    parser.add_argument("--lr", type=float, default=0.1)
    a = parser.parse_args()

    sys.path[:0] = [a.sltt, a.spikingjelly]
    import torch
    import torch.nn.functional as F
    from models import spiking_resnet, spiking_resnet_imagenet, spiking_vgg_bn
    from modules import neuron
    from spikingjelly.clock_driven import functional, surrogate

    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    torch.backends.cudnn.deterministic = not a.tuned
    torch.backends.cudnn.benchmark = a.tuned
    torch.manual_seed(2022)
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(len(os.sched_getaffinity(0)))  # as many as SlttEngine takes; a PyTorch may begin with one
    kinds = {"spiking_resnet": (spiking_resnet, 3, 32, 10), "spiking_vgg": (spiking_vgg_bn, 2, 128, 11),
             "spiking_nfresnet": (spiking_resnet_imagenet, 3, 224, 1000)}
    module, channels, size, classes = next(v for k, v in kinds.items() if a.model.startswith(k))
    cls = neuron.SLTTNeuron if a.method == "sltt" else neuron.BPTTNeuron
    net = getattr(module, a.model)(neuron=cls, num_classes=classes, neuron_dropout=0.0, tau=1.1,
                                   surrogate_function=surrogate.PiecewiseQuadratic(), c_in=channels, fc_hw=1).to(a.device)
    if a.weights:
        net.load_state_dict(torch.load(a.weights, map_location=a.device, weights_only=False)["net"])
    if a.tuned:
        net = net.to(memory_format=torch.channels_last)
    module_net = net
    if a.compile:
        net = torch.compile(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=a.lr, momentum=0.9, weight_decay=5e-5)
    dynamic = a.model.startswith("spiking_vgg")
    if a.batch:
        sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
        from samples import read_batch
        frames, label = (torch.from_numpy(x.copy()) for x in read_batch(a.batch))
    else:
        frames = torch.randn((a.T if dynamic else 1, a.b, channels, size, size))
        if dynamic:
            frames = frames.abs().round()
        label = torch.randint(0, classes, (a.b,))
    label = label.to(a.device)
    if a.device != "cpu":
        frames = frames.pin_memory()  # as the official loaders do
    dtype = {"no": None, "float16": torch.float16, "bfloat16": torch.bfloat16}[a.amp]
    grad_scaler = torch.amp.GradScaler if hasattr(torch.amp, "GradScaler") else torch.cuda.amp.GradScaler  # PyTorch before 2.3
    scaler = grad_scaler(enabled=a.amp == "float16" and a.device != "cpu")

    def autocast():
        return contextlib.nullcontext() if dtype is None else torch.autocast(a.device.split(":")[0], dtype=dtype)

    def step_loss(out):
        means = torch.ones_like(out)
        return (1 - 0.05) * F.cross_entropy(out, label if a.method == "sltt" else label.repeat(a.T)) + 0.05 * F.mse_loss(out, means)

    def upload(frame):
        frame = frame.to(a.device, non_blocking=True)
        return frame.contiguous(memory_format=torch.channels_last) if a.tuned else frame

    def iteration():
        net.train()
        optimizer.zero_grad()
        batch_loss = 0.0
        # As in the official loop, and as in ours: a batch comes from the host in each iteration.
        image = None if dynamic else upload(frames[0])
        if a.method == "sltt":
            for t in range(a.T):
                with autocast():
                    out = net(upload(frames[t]) if dynamic else image)
                    loss = step_loss(out) / a.T
                scaler.scale(loss).backward()
                batch_loss += loss.detach() if a.tuned else loss.item()  # .item() waits for the device
        else:
            with autocast():
                loss = step_loss(torch.cat([net(upload(frames[t]) if dynamic else image) for t in range(a.T)], 0))
            scaler.scale(loss).backward()
            batch_loss = loss.detach()
        scaler.step(optimizer)
        scaler.update()
        functional.reset_net(module_net)
        return float(batch_loss)

    first_loss = iteration()
    for _ in range(1, WARM_UPS):
        iteration()
    if a.device != "cpu":
        torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(a.iterations):
        if a.device != "cpu":
            torch.cuda.synchronize()
        start = time.perf_counter()
        iteration()
        if a.device != "cpu":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    result = {"program": "official", "torch": torch.__version__, "model": a.model, "method": a.method, "T": a.T, "batch": a.b, "amp": a.amp,
              "seconds": statistics.median(seconds), "all_seconds": seconds, "images_per_second": a.b / statistics.median(seconds),
              "first_loss": first_loss}
    if a.device == "cpu":
        result |= {"threads": torch.get_num_threads(), "peak_above_idle_bytes": peak - idle}
    else:
        free, total = torch.cuda.mem_get_info()
        result |= {"device": torch.cuda.get_device_name(), "cudnn": torch.backends.cudnn.version(),
                   "peak_allocated_bytes": torch.cuda.max_memory_allocated(),
                   "peak_reserved_bytes": torch.cuda.max_memory_reserved(), "device_in_use_bytes": total - free}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
