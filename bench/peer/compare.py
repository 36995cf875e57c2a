#!/usr/bin/env python3
"""Times SlttEngine and the official PyTorch SLTT programs in turns on the same machine, and prints the ratios.

usage: compare.py --sltt DIR --spikingjelly DIR [--command sltt] [--model spiking_resnet18] [--dataset cifar10]
                  [--method sltt|bptt] [-T 6] [-b 32] [--amp no|float16|bfloat16] [--device cpu|cuda]
                  [--resume CHECKPOINT] [--data_dir DIR] [--lr 0.1] [--rounds 3] [--iterations 3] [--out FILE.json]

--sltt and --spikingjelly are checkouts of the official sources, as for official.py beside this. Each round times both, one after
the other; a program's figure is the median over the rounds. Both train on the same batch (random, or with --data_dir the first
of the data set's) from the parameters of --resume, if given, else from their own random ones. Time is seconds an iteration, update included. Memory is the
process's peak above its idle size on a CPU, and what is allocated on the device on a GPU. On a GPU the official programs
run in their best setting: channels_last, cudnn.benchmark, and torch.compile as a third program where it works.
"""
import argparse, datetime, json, os, pathlib, platform, statistics, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent


def default_command():
    candidates = [HERE.parent.parent / "sltt", HERE.parent.parent / "out" / "sltt"]
    return next((str(c) for c in candidates if c.exists()), "sltt")


def processor():
    try:
        with open("/proc/cpuinfo") as info:
            return next(line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


def run(command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        return None, (result.stderr.strip().splitlines() or ["exit code %d" % result.returncode])[-1]
    return json.loads(result.stdout[result.stdout.index("{"):]), None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sltt", required=True)
    parser.add_argument("--spikingjelly", required=True)
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
            "--device", a.device, "--iterations", str(a.iterations), "-lr", str(a.lr), "--save_batch", str(folder / "batch.safetensors"), "--json"]
    ours += ["-data_dir", a.data_dir] if a.data_dir else []
    ours += [] if a.amp == "no" else ["-amp", "--amp-dtype", a.amp]
    theirs = [sys.executable, str(HERE / "official.py"), "--sltt", a.sltt, "--spikingjelly", a.spikingjelly, "--model", a.model, "--method", a.method,
              "-T", str(a.T), "-b", str(a.b), "--iterations", str(a.iterations), "--device", a.device, "--amp", a.amp, "--lr", str(a.lr),
              "--batch", str(folder / "batch.safetensors")]
    if a.resume:
        subprocess.run([a.command, "convert", a.resume, str(folder / "weights.pth")], check=True, stdout=subprocess.DEVNULL)
        ours += ["-resume", a.resume]
        theirs += ["--weights", str(folder / "weights.pth")]
    programs = {"SlttEngine": ours, "official": theirs}
    if a.device == "cuda":
        programs["official"] = theirs + ["--channels-last", "--benchmark"]
        programs["official, compiled"] = programs["official"] + ["--compile"]

    found = {name: [] for name in programs}
    first_loss, convolutions = {}, None
    for turn in range(a.rounds):
        for name in list(programs):
            result, error = run(programs[name])
            if result is None:
                print(f"{name}: {error}", file=sys.stderr)
                if name == "official, compiled":
                    del programs[name], found[name]
                    continue
                sys.exit(1)
            if name == "SlttEngine":
                r = result["result"]
                memory = r["peak_process_bytes"] - r["idle_process_bytes"] if a.device == "cpu" else r["device_bytes"]
                found[name].append((r["seconds_per_iteration"], memory))
                first_loss[name], convolutions = r["first_loss"], r["convolutions"]
            else:
                memory = result["peak_above_idle_bytes"] if a.device == "cpu" else result["peak_allocated_bytes"]
                found[name].append((result["seconds"], memory))
                first_loss[name] = result["first_loss"]
            print(f"round {turn + 1}: {name:20} {found[name][-1][0]:9.4f} s  {found[name][-1][1] / 2**20:9.1f} MiB", file=sys.stderr)

    medians = {name: tuple(statistics.median(v[i] for v in values) for i in (0, 1)) for name, values in found.items()}
    time, memory = medians["SlttEngine"]
    report = {
        "date": datetime.date.today().isoformat(), "machine": processor(), "cores": os.cpu_count(), "command": "bench/peer/compare.py " + " ".join(
            x for x in [f"--model {a.model}", f"--dataset {dataset}", f"--method {a.method}", f"-T {a.T}", f"-b {a.b}", f"--amp {a.amp}",
                        f"--device {a.device}", "--resume CHECKPOINT" if a.resume else "", "--data_dir DIR" if a.data_dir else "",
                        f"--lr {a.lr}" if a.lr != 0.1 else "", f"--rounds {a.rounds}", f"--iterations {a.iterations}"] if x),
        "rounds": {name: [{"seconds": s, "bytes": m} for s, m in values] for name, values in found.items()},
        "ratios": {name: {"time": time / s, "memory": memory / m} for name, (s, m) in medians.items() if name != "SlttEngine"},
        "first_loss": first_loss,
        "convolutions": convolutions,
    }
    print(f"{'':20} {'s an iteration':>15} {'images/s':>10} {'peak MiB':>10} {'time ratio':>11} {'memory ratio':>13}")
    for name, (s, m) in medians.items():
        print(f"{name:20} {s:15.4f} {a.b / s:10.1f} {m / 2**20:10.1f} {time / s:11.3f} {memory / m:13.3f}")
    if a.out:
        with open(a.out, "w") as out:
            json.dump(report, out, indent=2)


if __name__ == "__main__":
    main()
