"""A whole network: training iterations on one batch, then an evaluation."""
from golden.fairness import BATCH_NORM, FLOOR, NORMALISER_FREE, OUTPUTS, SHARE, Refused, compare_potentials, firing_rates, relative
from golden.official import MODELS

OTHER_ROUNDING, OTHER_SHARE = 3.0, 0.5  # another implementation's gradient errors, and what they may use of a tolerance
WARM_UP = 32  # steps that move batch norm's statistics to the network's own


def build(a, off, dtype, state=None):
    net = getattr(off.models, a.model)(neuron=off.Neuron, num_classes=a.classes, neuron_dropout=0.0, tau=a.tau,
                                       surrogate_function=off.surrogate(), c_in=MODELS[a.model][1], fc_hw=1)
    if state is not None:
        net.load_state_dict(state)
    return net.to(dtype)


def state_of(net):
    return {name: value.detach().clone() for name, value in net.state_dict().items()}


def frame(x, t):
    return x[t] if x.dim() == 5 else x


def start(a, off, seed):
    """The initial state, the batch and the steps that SLTT-K chooses."""
    torch = off.torch
    torch.manual_seed(seed)
    net = build(a, off, torch.float32)
    off.watch(net)
    channels = MODELS[a.model][1]
    if is_dynamic(a):
        x = torch.poisson(torch.rand(a.T, a.batch, channels, a.size, a.size) ** 2 * 1.5)  # counts of events, half of them zero
    else:
        x = torch.randn(a.batch, channels, a.size, a.size)
    labels = torch.randint(0, a.classes, (a.batch,))
    chosen = [sorted(torch.randperm(a.T)[:a.K].tolist()) if a.method == "slttk" else list(range(a.T)) for _ in range(a.iterations)]
    if a.init == "disturbed":
        disturb(a, off, net, x)
    return state_of(net), x, labels, chosen


def disturb(a, off, net, x):
    torch, free = off.torch, "nfresnet" in a.model
    norms = {name for name, module in net.named_modules() if isinstance(module, torch.nn.BatchNorm2d)}
    with torch.no_grad():
        for name, p in net.named_parameters():
            layer, kind = name.rpartition(".")[::2]
            if layer in norms:
                p.copy_(torch.empty_like(p).uniform_(0.75, 1.25) if kind == "weight" else torch.randn_like(p) * 0.15)
            elif kind == "skipinit_gain":
                p.uniform_(0.3, 0.8)
            elif kind == "gain":
                p.uniform_(2.2, 3.4)  # with 1 the deep layers hardly fire
            elif kind == "bias":
                p.normal_(0, 0.1 if layer in ("fc", "linear", "classifier.1") else 0.3 if free else 0.05)
            elif layer == "fc":
                p.normal_(0, 0.2)
        for step in range(WARM_UP if norms else 0):
            net(frame(x, step % a.T))
            if step % a.T == a.T - 1:
                off.reset(net)
    off.reset(net)


def is_dynamic(a):
    return "vgg" in a.model


def loss_of(a, torch, out, labels):
    functional = torch.nn.functional
    loss = functional.cross_entropy(out, labels)
    if a.loss_lambda == 0:
        return loss
    target = functional.one_hot(labels, a.classes).to(out) if a.mse_n_reg else torch.full_like(out, a.loss_means)
    return (1 - a.loss_lambda) * loss + a.loss_lambda * functional.mse_loss(out, target)


def train(a, off, state, x, labels, chosen, dtype, error=None):
    """Runs the iterations. Returns what they compute, the potentials, the learning rates and the final state. error has the size of
    the random numbers that are added to each gradient."""
    torch, x = off.torch, x.to(dtype)
    net = build(a, off, dtype, state)
    potentials, record, rates = off.watch(net), {}, []
    if a.optimizer == "SGD":
        optimizer = torch.optim.SGD(net.parameters(), lr=a.lr, momentum=a.momentum, weight_decay=a.weight_decay)
    else:
        optimizer = torch.optim.AdamW(net.parameters(), lr=a.lr, weight_decay=a.weight_decay)
    schedulers = torch.optim.lr_scheduler
    scheduler = (schedulers.CosineAnnealingLR(optimizer, T_max=a.T_max) if a.scheduler == "CosALR"
                 else schedulers.StepLR(optimizer, step_size=a.step_size, gamma=a.gamma))
    net.train()
    for i in range(a.iterations):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.zero_grad()
        outs, batch_loss = [], 0.0
        for t in range(a.T):
            with torch.set_grad_enabled(t in chosen[i]):
                outs.append(net(frame(x, t)))
            if a.method != "bptt" and t in chosen[i]:
                loss = loss_of(a, torch, outs[t], labels) / a.T
                loss.backward()
                batch_loss += loss.item()
            record[f"iter{i}.out_t{t}"] = outs[t].detach()
        if a.method == "bptt":
            loss = loss_of(a, torch, torch.cat(outs), labels.repeat(a.T))
            loss.backward()
            batch_loss = loss.item()
        for name, p in net.named_parameters():
            if error:
                p.grad += torch.randn_like(p) * error[f"iter{i}.grad.{name}"]
            record[f"iter{i}.grad.{name}"] = p.grad.detach().clone()
        record[f"iter{i}.loss"] = torch.tensor([batch_loss], dtype=dtype)
        record[f"iter{i}.total_fr"] = total(outs)
        optimizer.step()
        scheduler.step()
        off.reset(net)
    return record, potentials, rates, state_of(net)


def evaluate(a, off, state, x, labels, dtype):
    torch, x = off.torch, x.to(dtype)
    net = build(a, off, dtype, state)
    potentials = off.watch(net)
    net.eval()
    with torch.no_grad():
        outs = [net(frame(x, t)) for t in range(a.T)]
        if a.method == "bptt":
            loss = loss_of(a, torch, torch.cat(outs), labels.repeat(a.T)).item()
        else:
            loss = sum((loss_of(a, torch, out, labels) / a.T).item() for out in outs)
    return {"eval.total_fr": total(outs), "eval.loss": torch.tensor([loss], dtype=dtype)}, potentials


def total(outs):
    result = outs[0].detach().clone()
    for out in outs[1:]:
        result += out.detach()
    return result


def noise_of(a, low, high, names):
    """Parameters with a true gradient of zero, such as a bias in front of batch norm: what is recorded is rounding."""
    def is_noise(name):
        keys = [f"iter{i}.grad.{name}" for i in range(a.iterations)]
        return any(low[k].norm() > 0 for k in keys) and all(high[k].norm() <= 1e-10 * largest(high, k, names) for k in keys)
    return [name for name in names if is_noise(name)]


def largest(record, key, names):
    """The largest gradient norm of the key's iteration."""
    iteration = key.split(".")[0]
    return max(record[f"{iteration}.grad.{name}"].norm().item() for name in names)


def not_reproducible(a, off, state, x, noise):
    """AdamW turns the rounding of those gradients into steps of ±lr: those parameters, and the statistics that follow them."""
    if a.optimizer != "AdamW" or not noise:
        return []

    def statistics(offset):
        net = build(a, off, off.torch.float64, {n: v + offset if n in noise else v for n, v in state.items()})
        off.watch(net)
        with off.torch.no_grad():
            net(frame(x.double(), 0))
        return {name: value for name, value in net.state_dict().items() if "running_" in name}

    before, after = statistics(0.0), statistics(0.01)
    return [f"final.{name}" for name in noise] + [f"final.{name}" for name in before if relative(after[name], before[name]) > 1e-9]


def final_of(state):
    return {f"final.{name}": value for name, value in state.items()}


def gradient_error(low, high):
    """Root mean square of each gradient's rounding."""
    return {key: (low[key].double() - high[key]).square().mean().sqrt().item() for key in low if ".grad." in key}


def float32_error(a, low, high, noise, skipped, names, allowed=SHARE):
    """The worst relative error by kind. Refuses a case in which float32 uses more than the allowed part of a tolerance."""
    tolerances = {**(NORMALISER_FREE if "nfresnet" in a.model else BATCH_NORM)}
    worst = dict.fromkeys(["out", "grad_abs", "grad", "loss", "total_fr", "final", "eval"], 0.0)
    for key, exact in high.items():
        if key in skipped or not exact.is_floating_point():
            continue
        part, _, rest = key.partition(".")
        kind = part if part in ("final", "eval") else "out" if rest.startswith("out") else rest.split(".")[0]
        error, share = relative(low[key], exact), 0.0
        if kind == "grad":
            floor = largest(high, key, names)
            absolute = (low[key].double() - exact).norm().item() / floor if floor > 0 else 0.0
            worst["grad_abs"] = max(worst["grad_abs"], absolute)
            share = min(error / tolerances["grad"], absolute / FLOOR)
        elif kind != "final" or rest not in noise:
            share = error / tolerances.get(kind, OUTPUTS)
        if not share <= allowed:
            raise Refused(f"rounding changes {key} by {error:.1e}, {share:.2f} of what verify allows")
        if rest.removeprefix("grad.") not in noise:
            worst[kind] = max(worst[kind], error)
    return {kind: float(f"{error:.3g}") for kind, error in worst.items()}


def record_model(a, off, seed):
    torch = off.torch
    init, x, labels, chosen = start(a, off, seed)
    low, low_u, rates, final = train(a, off, init, x, labels, chosen, torch.float32)
    high, high_u, _, high_final = train(a, off, init, x, labels, chosen, torch.float64)
    edges = a.surrogate == "rectangle"
    found = compare_potentials(a, off, low_u, high_u, edges)
    eval_low, eval_u = evaluate(a, off, final, x, labels, torch.float32)
    eval_high, eval_high_u = evaluate(a, off, final, x, labels, torch.float64)
    found_eval = compare_potentials(a, off, eval_u, eval_high_u, False)
    (layers, rate), (eval_layers, eval_rate) = firing_rates(low_u), firing_rates(eval_u)
    for when, by_layer in [("training", layers)] + ([("evaluation", eval_layers)] if a.init == "disturbed" else []):
        silent = [name for name, r in by_layer.items() if r == 0]
        if silent:
            raise Refused(f"{silent[0]} never fires in {when}")

    net = build(a, off, torch.float32, init)
    names = [name for name, _ in net.named_parameters()]
    noise = noise_of(a, low, high, names)
    skipped = not_reproducible(a, off, init, x, noise)
    tensors = {**{f"init.{n}": v for n, v in init.items()}, "input": x, "labels": labels, **low,
               **final_of(final), **eval_low}
    errors = float32_error(a, tensors, {**high, **final_of(high_final), **eval_high}, noise, skipped, names)
    if a.optimizer == "AdamW":
        # AdamW divides by the gradient's size, so the rounding of a gradient that is nearly zero becomes a whole step. Another
        # implementation rounds otherwise: try with random errors.
        torch.manual_seed(seed)
        other, _, _, other_final = train(a, off, init, x, labels, chosen, torch.float64, {
            key: error * OTHER_ROUNDING for key, error in gradient_error(low, high).items()})
        float32_error(a, {**other, **final_of(other_final)}, {**high, **final_of(high_final)}, noise,
                      skipped, names, allowed=OTHER_SHARE)
    layer_channels = {n: [v.shape[1], v.shape[0]] for n, v in ((n[:-len(".weight")], v) for n, v in init.items()
                                                            if n.endswith(".weight") and v.dim() >= 2)}
    metadata = {
        "method": a.method, "T": a.T, "K": a.K if a.method == "slttk" else 0, "tau": a.tau, "surrogate": a.surrogate,
        "loss_lambda": a.loss_lambda, "mse_n_reg": a.mse_n_reg, "loss_means": a.loss_means, "optimizer": a.optimizer, "lr": a.lr,
        "momentum": a.momentum, "weight_decay": a.weight_decay, "scheduler": a.scheduler, "T_max": a.T_max, "step_size": a.step_size,
        "gamma": a.gamma, "iterations": a.iterations, "width_divisor": a.width_divisor, "classes": a.classes, "dynamic": is_dynamic(a),
        "drop_rate": 0.0, "init": a.init, "model": a.model, "input": list(x.shape),
        "chosen_steps": chosen, "flips": found["flips"], "min_margin": found["min_margin"],
        "min_margin_eval": found_eval["min_margin"], "safety": min(found["safety"], found_eval["safety"]),
        "edge_safety": found["edge_safety"], **({"min_edge_margin": found["min_edge_margin"]} if edges else {}),
        "max_u_error": max(found["max_u_error"], found_eval["max_u_error"]),
        "layer_firing_rates": {n: round(r, 4) for n, r in layers.items()}, "firing_rate": round(rate, 5),
        "eval_layer_firing_rates": {n: round(r, 4) for n, r in eval_layers.items()}, "eval_firing_rate": round(eval_rate, 5),
        "noise_parameters": noise, "not_reproducible": skipped, "float32_error": errors, "learning_rates": rates,
        "channels": layer_channels, "state_dict": [[n, list(v.shape)] for n, v in init.items()], "parameters": names}
    return tensors, metadata
