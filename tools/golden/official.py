"""The official programs, imported from the user's checkouts."""
import importlib, pathlib, re, sys

PEER = pathlib.Path(__file__).resolve().parents[2] / "bench" / "peer"
MODELS = {  # module, input channels, size, classes
    **dict.fromkeys(["spiking_resnet18", "spiking_resnet34"], ("spiking_resnet", 3, 32, 10)),
    "spiking_vgg11_bn": ("spiking_vgg_bn", 2, 48, 10),
    **dict.fromkeys([f"spiking_nfresnet{n}" for n in (34, 50, 101)], ("spiking_resnet_imagenet", 3, 64, 20)),
}


def fail(message):
    print(f"record-golden: {message}", file=sys.stderr)
    sys.exit(2)


SOURCES = [("official", ["modules/neuron.py", "models/spiking_resnet.py"], "github.com/qymeng94/SLTT"),
           ("spikingjelly", ["spikingjelly/clock_driven/neuron.py"], "github.com/fangwei123456/spikingjelly at 1171f524 (0.0.0.0.12)")]


class Official:
    """What a recording needs of the official programs."""

    def __init__(self, a):
        for option, files, source in SOURCES:
            missing = [file for file in files if not pathlib.Path(getattr(a, option), file).is_file()]
            if missing:
                fail(f"--{option} {getattr(a, option)}: no {missing[0]} in it; give a checkout of {source}")
        try:
            import numpy  # noqa: F401; a PyTorch without it cannot hand out its numbers
            import torch
        except ImportError as error:
            fail(f"{error}; install PyTorch 1.13 or later and NumPy for {sys.executable}")
        if tuple(int(n) for n in re.findall(r"\d+", torch.__version__)[:2]) < (1, 13):
            fail(f"PyTorch {torch.__version__} is too old; 1.13 or later is needed")
        sys.path[:0] = [a.official, a.spikingjelly, str(PEER)]
        try:
            from modules import neuron, surrogate
            from spikingjelly.clock_driven import functional, surrogate as sj
            if a.kind == "model":
                from narrow import narrow_module
                self.models = importlib.import_module("models." + MODELS[a.model][0])
                narrow_module(self.models, torch.nn, a.width_divisor, MODELS[a.model][1])
        except (ImportError, AttributeError) as error:
            fail(f"the official code cannot be imported: {error}")
        setup = pathlib.Path(a.spikingjelly, "setup.py")
        stated = re.search(r"version\s*=\s*[\"']([\d.]+)", setup.read_text(errors="replace")) if setup.is_file() else None
        self.version = stated[1] if stated else "not stated"
        self.torch, self.reset = torch, functional.reset_net
        self.surrogate = {"triangle": sj.PiecewiseQuadratic, "rectangle": surrogate.Rectangle, "sigmoid": sj.Sigmoid}[a.surrogate]

        class Watched(neuron.BPTTNeuron if a.method == "bptt" else neuron.SLTTNeuron):
            """The official neuron; keeps u, the membrane potential before firing."""

            def neuronal_fire(self):
                self.potentials.append(self.v.detach())
                return super().neuronal_fire()

        self.Neuron = Watched

    def watch(self, net):
        """Begins new lists of potentials by layer, in the order of the modules."""
        lists = {name: [] for name, module in net.named_modules() if isinstance(module, self.Neuron)}
        for name, module in net.named_modules():
            if name in lists:
                module.potentials = lists[name]
        return lists
