"""One LIF layer."""
from golden.fairness import BATCH_NORM, OUTPUTS, SHARE, Refused, compare_potentials, firing_rates, relative


def record_neuron(a, off, seed):
    torch = off.torch
    torch.manual_seed(seed)
    x, upstream = torch.randn(a.T, *a.shape) * 1.5, torch.randn(a.T, *a.shape)

    def run(dtype):
        neuron = off.Neuron(tau=a.tau, surrogate_function=off.surrogate())
        potentials = off.watch(neuron)
        leaf = x.clone().to(dtype).requires_grad_()
        spikes, v = [], []
        for t in range(a.T):
            spikes.append(neuron(leaf[t]))
            v.append(neuron.v.detach())
        (torch.stack(spikes) * upstream.to(dtype)).sum().backward()
        u = torch.stack(potentials[""])
        return {"spikes": torch.stack(spikes).detach(), "u": u, "v": torch.stack(v), "grad_x": leaf.grad}, potentials

    (low, low_u), (high, high_u) = run(torch.float32), run(torch.float64)
    found = compare_potentials(a, off, low_u, high_u, a.surrogate == "rectangle")
    errors = {name: relative(low[name], high[name]) for name in low}
    if max(errors["u"] / OUTPUTS, errors["v"] / OUTPUTS, errors["grad_x"] / BATCH_NORM["grad"]) > SHARE:
        raise Refused(f"float32 is too far from float64: {errors}")
    rate = firing_rates(low_u)[1]
    if rate == 0:
        raise Refused("no neuron fires")
    metadata = {"method": a.method, "surrogate": a.surrogate, "tau": a.tau, "T": a.T, "note": "x normal * 1.5",
                **{key: found[key] for key in ("min_margin", "min_edge_margin", "safety", "edge_safety", "max_u_error")},
                "firing_rate": rate, "float32_error": errors}
    return {"x": x, "upstream": upstream, **low}, metadata
