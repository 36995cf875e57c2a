"""Which cases any float32 implementation can meet."""
import math

THRESHOLD = 1.0
SHARE = 0.2  # of verify's tolerance, for the official float32 run against float64
OUTPUTS, FLOOR = 1e-5, 1e-5  # as in Verification/Tolerances.cs
BATCH_NORM, NORMALISER_FREE = {"grad": 1e-4, "final": 1e-5}, {"grad": 1e-3, "final": 1e-3}


class Refused(Exception):
    """This seed's case is not fair to every float32 implementation."""


def relative(a, b):
    difference = (a.double() - b.double()).norm().item()
    return 0.0 if difference == 0 else difference / max(b.double().norm().item(), 1e-300)


def compare_potentials(a, off, low, high, edges):
    """Refuses a case with a neuron too near to the threshold. Returns margins, their safety and the largest rounding error."""
    torch = off.torch
    found = {"flips": 0, "min_margin": math.inf, "safety": 99.0, "min_edge_margin": 9.0, "edge_safety": 99.0, "max_u_error": 0.0}
    for name in low:
        u, exact = (torch.cat([x.flatten() for x in side[name]]).double() for side in (low, high))
        flips = ((u >= THRESHOLD) != (exact >= THRESHOLD)).sum().item()
        if flips:
            raise Refused(f"{flips} spikes of {name or 'the neuron'} differ between float32 and float64")
        error = (u - exact).abs().max().item()
        least = max(error, 2.0 ** -24)  # half of the rounding at the threshold, where this run happened to be exact
        margins = (u - THRESHOLD).abs()
        margin, edge = margins.min().item(), (margins - 0.5).abs().min().item()
        found["min_margin"], found["max_u_error"] = min(found["min_margin"], margin), max(found["max_u_error"], error)
        found["safety"] = min(found["safety"], margin / least)
        if edges:
            found["min_edge_margin"] = min(found["min_edge_margin"], edge)
            found["edge_safety"] = min(found["edge_safety"], edge / least)
    for what, key in (("the threshold", "safety"), ("the surrogate's edge", "edge_safety")):
        if found[key] < a.safety:
            raise Refused(f"a neuron is {found[key]:.2g} rounding errors from {what}, less than {a.safety:g}")
    return found


def firing_rates(potentials):
    counts = {name: [(u >= THRESHOLD).double().mean().item() for u in steps] for name, steps in potentials.items()}
    rates = {name: sum(r) / len(r) for name, r in counts.items()}
    fired = sum((u >= THRESHOLD).sum().item() for steps in potentials.values() for u in steps)
    return rates, fired / sum(u.numel() for steps in potentials.values() for u in steps)
