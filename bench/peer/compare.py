#!/usr/bin/env python3
"""Times SlttEngine and the official PyTorch SLTT programs in turns on the same machine, and prints the ratios.

usage: compare.py --sltt DIR --spikingjelly DIR [--spikingjelly2 DIR] [--command sltt]
                  [--model spiking_resnet18] [--dataset cifar10]
                  [--method sltt|bptt] [-T 6] [-b 32] [--amp no|float16|bfloat16] [--device cpu|cuda]
                  [--resume CHECKPOINT] [--data_dir DIR] [--lr 0.1] [--rounds 3] [--iterations 3] [--out FILE.json]

--sltt and --spikingjelly are checkouts of the official sources, as for official.py. Each round times both programs, one after
the other; a program's figure is the median over the rounds.

Both programs train on the same batch: random, or with --data_dir the data set's first. They start from the parameters of
--resume if it is given, else from random ones. Time is seconds an iteration, the update included. On a CPU, memory is the
process's peak above its idle size. On a GPU, memory is what the program allocated for the iterations; a further column has all
memory in use on the device, the libraries' included.

On a GPU the official programs run as published, tuned (channels_last, cudnn.benchmark, the loss read once an iteration), and
tuned with torch.compile. The compiled variant runs in the first round only, because compiling takes minutes. A variant that
fails is left out and named. --out is written anew after each program.

--spikingjelly2 is a checkout of SpikingJelly 2, whose ResNet-18 or VGG-11 of the same layers (spikingjelly2.py) then runs too, by
BPTT and from random weights; on a GPU also tuned.
"""
import argparse, datetime, json, os, pathlib, platform, statistics, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent
TUNED, COMPILED = "official, tuned", "official, compiled"
NEWER, NEWER_TUNED = "SpikingJelly 2", "SpikingJelly 2, tuned"
COMPILE_LIMIT = 180  # seconds for the compiled program, compiling included


def default_command():
    candidates = [HERE.parent.parent / "sltt", HERE.parent.parent / "out" / "sltt"]
    return next((str(c) for c in candidates if c.exists()), "sltt")


def processor():
    try:
        with open("/proc/cpuinfo") as info:
            return next(line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


def run(command, limit=None):
    """Runs a program; returns its JSON and None, or None and the error."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return None, f"not done after {limit} s"
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines() or ["exit code %d" % result.returncode]
        # PyTorch ends some errors with a paragraph of advice.
        return None, next((line for line in reversed(lines) if "Error" in line), lines[-1])
    return json.loads(result.stdout[result.stdout.index("{"):]), None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sltt", required=True)
    parser.add_argument("--spikingjelly", required=True)
    parser.add_argument("--spikingjelly2")
    parser.add_argument("--command", default=default_command())
    parser.add_argument("--model", default="spiking_resnet18")
    parser.add_argument("--dataset")
    parser.add_argument("--method", default="sltt", choices=["sltt", "bptt"])
    parser.add_argument("-T", type=int, default=6)
    parser.add_argument("-b", type=int, default=32)
    parser.add_argument("--amp", default="no", choices=["no", "float16", "bfloat16"])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--resume")
    parser.add_argument("--data_dir")
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=3)
    parser.add_argument("--out")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compare(a, pathlib.Path(folder))


def compare(a, folder):
    dataset = a.dataset or {"spiking_vgg": "dvsgesture", "spiking_nfr": "imagenet"}.get(a.model[:11], "cifar10")

    ours = [a.command, "bench", "-dataset", dataset, "-model", a.model, "-T", str(a.T), "-b", str(a.b), "--method", a.method,
            "--device", a.device, "--iterations", str(a.iterations), "-lr", str(a.lr),
            "--save_batch", str(folder / "batch.safetensors"), "--json"]
    ours += ["-data_dir", a.data_dir] if a.data_dir else []
    ours += [] if a.amp == "no" else ["-amp", "--amp-dtype", a.amp]
    ours += ["--fast-math"] if a.amp == "no" and a.device == "cuda" else []  # PyTorch, too, rounds to TF32 there
    theirs = [sys.executable, str(HERE / "official.py"), "--sltt", a.sltt, "--spikingjelly", a.spikingjelly,
              "--model", a.model, "--method", a.method,
              "-T", str(a.T), "-b", str(a.b), "--iterations", str(a.iterations), "--device", a.device, "--amp", a.amp, "--lr", str(a.lr),
              "--batch", str(folder / "batch.safetensors")]
    if a.resume:
        subprocess.run([a.command, "convert", a.resume, str(folder / "weights.pth")], check=True, stdout=subprocess.DEVNULL)
        ours += ["-resume", a.resume]
        theirs += ["--weights", str(folder / "weights.pth")]
    programs = {"SlttEngine": ours, "official": theirs}
    if a.device == "cuda":
        programs |= {TUNED: theirs + ["--tuned"], COMPILED: theirs + ["--tuned", "--compile"]}
    if a.spikingjelly2:
        newer = [sys.executable, str(HERE / "spikingjelly2.py"), "--spikingjelly", a.spikingjelly2, "--model", a.model, "-T", str(a.T),
                 "-b", str(a.b), "--iterations", str(a.iterations), "--device", a.device, "--amp", a.amp, "--lr", str(a.lr),
                 "--batch", str(folder / "batch.safetensors")]
        programs[NEWER] = newer
        if a.device == "cuda":
            programs[NEWER_TUNED] = newer + ["--tuned"]

    options = [f"--model {a.model}", f"--dataset {dataset}", f"--method {a.method}", f"-T {a.T}", f"-b {a.b}", f"--amp {a.amp}",
               f"--device {a.device}", "--resume CHECKPOINT" if a.resume else "", "--data_dir DIR" if a.data_dir else "",
               f"--lr {a.lr}" if a.lr != 0.1 else "", f"--rounds {a.rounds}", f"--iterations {a.iterations}"]
    report = {
        "date": datetime.date.today().isoformat(), "machine": processor(), "cores": os.cpu_count(),
        "command": " ".join(["bench/peer/compare.py"] + [option for option in options if option]),
        "rounds": {name: [] for name in programs}, "ratios": {}, "left_out": {}, "first_loss": {}, "convolutions": None,
    }
    rounds = report["rounds"]
    for turn in range(a.rounds):
        for name in [n for n in programs if n not in report["left_out"] and not (turn and n == COMPILED)]:
            result, error = run(programs[name], COMPILE_LIMIT if name == COMPILED else None)
            if result is None:
                print(f"{name}: {error}", file=sys.stderr)
                if name not in (TUNED, COMPILED, NEWER, NEWER_TUNED):
                    sys.exit(1)
                report["left_out"][name] = error
                del rounds[name]
            else:
                rounds[name].append(figures(name, result, a, report))
                last = rounds[name][-1]
                print(f"round {turn + 1}: {name:21} {last['seconds']:9.4f} s  {last['bytes'] / 2**20:9.1f} MiB", file=sys.stderr)
            show = summarise(report, a.b)
            if a.out:
                with open(a.out, "w") as out:
                    json.dump(report, out, indent=2)
    print(show)


def figures(name, result, a, report):
    """Time and memory of a program's run. What is the same in all of its runs goes to the report."""
    if name == "SlttEngine":
        r = result["result"]
        report["convolutions"] = r["convolutions"]
        memory = r["peak_process_bytes"] - r["idle_process_bytes"] if a.device == "cpu" else r["device_bytes"]
        found = {"seconds": r["seconds_per_iteration"], "bytes": memory}
    else:
        r = result
        report |= {key: r[key] for key in ("torch", "threads", "cudnn") if key in r}
        if "backend" in r:
            report["spikingjelly2_backend"] = r["backend"]
        found = {"seconds": r["seconds"], "bytes": r["peak_above_idle_bytes"] if a.device == "cpu" else r["peak_allocated_bytes"]}
    report["first_loss"][name] = r["first_loss"]
    if a.device == "cuda":
        report["device"] = r["device"]
        found["in_use_bytes"] = r["device_in_use_bytes"]
    return found


def summarise(report, batch):
    """Puts the ratios of the medians so far into the report; returns the table."""
    medians = {name: {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
               for name, rounds in report["rounds"].items() if rounds}
    ours = medians["SlttEngine"]
    report["ratios"] = {name: {"time": ours["seconds"] / m["seconds"], "memory": ours["bytes"] / m["bytes"]}
                        for name, m in medians.items() if name != "SlttEngine"}
    in_use = any("in_use_bytes" in m for m in medians.values())
    header = f"{'':21} {'s an iteration':>15} {'images/s':>10} {'peak MiB':>10} {'time ratio':>11} {'memory ratio':>13}"
    lines = [header + f" {'in use MiB':>11}" * in_use]
    for name, m in medians.items():
        line = (f"{name:21} {m['seconds']:15.4f} {batch / m['seconds']:10.1f} {m['bytes'] / 2**20:10.1f} "
                f"{ours['seconds'] / m['seconds']:11.3f} {ours['bytes'] / m['bytes']:13.3f}")
        lines.append(line + (f" {m['in_use_bytes'] / 2**20:11.1f}" if in_use else ""))
    return "\n".join(lines + [f"left out: {name}: {error}" for name, error in report["left_out"].items()])


if __name__ == "__main__":
    main()
