"""Official networks with fewer channels: their modules with a torch.nn that divides the inner channel counts."""
import types


def narrow(torch_nn, divisor, inputs):
    """A torch.nn for the official module that divides the inner channel counts. inputs is the network's number of input channels."""
    class Conv2d(torch_nn.Conv2d):
        def __init__(self, i, o, *args, **kwargs):
            super().__init__(i if i == inputs else i // divisor, o // divisor, *args, **kwargs)

    class BatchNorm2d(torch_nn.BatchNorm2d):
        def __init__(self, channels):
            super().__init__(channels // divisor)

    class Linear(torch_nn.Linear):
        def __init__(self, features, classes):
            super().__init__(features // divisor, classes)

    narrowed = types.SimpleNamespace(**{name: getattr(torch_nn, name) for name in dir(torch_nn)})
    narrowed.Conv2d, narrowed.BatchNorm2d, narrowed.Linear = Conv2d, BatchNorm2d, Linear
    return narrowed


def narrow_module(module, torch_nn, divisor, inputs):
    """Makes all networks of an official module narrow."""
    if hasattr(module, "ScaledWSConv2d"):
        # The class's own code looks its base up by the module's names, so the class itself must stay.
        original = module.ScaledWSConv2d.__init__

        def init(self, i, o, *args, **kwargs):
            original(self, i if i == inputs else i // divisor, o // divisor, *args, **kwargs)

        module.ScaledWSConv2d.__init__ = init
    module.nn = narrow(torch_nn, divisor, inputs)
