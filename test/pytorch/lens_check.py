"""The lens against TransformerLens's own tools, on cached activations in float64: logit lens, direct attribution
(stack_head_results, stack_neuron_results, apply_ln_to_stack), activation patching (transformer_lens.patching), and path
patching by hooks. What it computes is also what test/lens/fixtures/transformer-lens.json holds.
"""
import os

# no progress bars of their patching
os.environ["TQDM_DISABLE"] = "1"

import torch
from transformer_lens import patching


def logits_of(model, residual):
    """What the final LayerNorm and the unembedding make of a residual stream [1, T, d]; [T, V]."""
    return model.unembed(model.ln_final(residual))[0]


def logit_lens(model, cache, stages):
    """[stages, T, V]"""
    names = [stage.replace("resid_", "hook_resid_") for stage in stages]
    return torch.stack([logits_of(model, cache[name]) for name in names])


def attribution(model, cache, parts, of, position):
    """[parts]: each part's write, centred and divided as the final LayerNorm does, along the logit's direction."""
    unembedding = sum(times * model.W_U[:, token] for token, times in of)
    direction = model.ln_final.w * unembedding
    constant = model.ln_final.b @ unembedding + sum(times * model.b_U[token] for token, times in of)
    cache.compute_head_results()
    heads = cache.stack_head_results(layer=-1)
    neurons = cache.stack_neuron_results(layer=-1)
    cfg = model.cfg

    def write(part):
        kind, layer = part["kind"], part.get("layer")
        if kind in ("embed", "pos_embed"):
            return cache[f"hook_{kind}"]
        if kind == "head":
            return heads[layer * cfg.n_heads + part["head"]]
        if kind == "neuron":
            return neurons[layer * cfg.d_mlp + part["neuron"]]
        bias = model.blocks[layer].mlp.b_out
        if kind == "feed-forward":
            return cache[f"blocks.{layer}.hook_mlp_out"] - bias
        bias = model.blocks[layer].attn.b_O if kind == "attention bias" else bias
        return bias.expand_as(cache["hook_embed"])

    rest = [part for part in parts if part["kind"] != "readout bias"]
    scaled = cache.apply_ln_to_stack(torch.stack([write(part) for part in rest]), layer=-1)
    values = iter((scaled[:, 0, position] @ direction).tolist())
    flat = [constant.item() if part["kind"] == "readout bias" else next(values) for part in parts]
    return torch.tensor(flat, dtype=torch.float64)


def sender_hook(path, corrupted):
    """Puts the sender's corrupted write into a run."""
    sender = path["from"]
    if sender["kind"] == "embed":
        return "hook_embed", lambda value, hook: corrupted[hook.name]
    layer = sender["layer"]
    if sender["kind"] != "head":
        name = "attn_out" if sender["kind"] == "attention" else "mlp_out"
        return f"blocks.{layer}.hook_{name}", lambda value, hook: corrupted[hook.name]

    def one_head(value, hook):
        value[:, :, sender["head"]] = corrupted[hook.name][:, :, sender["head"]]
        return value

    return f"blocks.{layer}.attn.hook_z", one_head


def path_patch(model, tokens, clean, corrupted, path, metric):
    """All sublayers but the sender's held at their clean writes; then the receiver alone takes what it then reads."""
    sender, receiver = path["from"], path["to"]
    writes = [f"blocks.{layer}.hook_{name}" for layer in range(model.cfg.n_layers) for name in ("attn_out", "mlp_out")]
    place = "mlp_out" if sender["kind"] == "feed-forward" else "attn_out"
    free = None if sender["kind"] == "embed" else f"blocks.{sender['layer']}.hook_{place}"
    held = [(name, lambda value, hook: clean[hook.name]) for name in writes if name != free]
    if receiver["kind"] == "feed-forward":
        inputs = [f"blocks.{receiver['layer']}.mlp.hook_pre"]
    elif receiver["kind"] == "attention":
        which = receiver.get("input", "qkv")
        inputs = [f"blocks.{receiver['layer']}.attn.hook_{one}" for one in which]
    else:
        inputs = []
    seen = {}

    def remember(value, hook):
        seen[hook.name] = value.clone()

    direct = [sender_hook(path, corrupted), *held, *((name, remember) for name in inputs)]
    logits = model.run_with_hooks(tokens, fwd_hooks=direct)
    if not inputs:
        return metric(logits)

    def receive(value, hook):
        if "head" in receiver:
            value[:, :, receiver["head"]] = seen[hook.name][:, :, receiver["head"]]
            return value
        return seen[hook.name]

    return metric(model.run_with_hooks(tokens, fwd_hooks=[(name, receive) for name in inputs]))


PATCHES = {
    "resid_pre": patching.get_act_patch_resid_pre,
    "resid_mid": patching.get_act_patch_resid_mid,
    "attn_out": patching.get_act_patch_attn_out,
    "mlp_out": patching.get_act_patch_mlp_out,
    "heads": patching.get_act_patch_attn_head_out_all_pos,
}


def computed(model, case):
    """Their numbers for one case of dump-lens.mjs, under its own names."""
    tokens, other = torch.tensor([case["clean"]]), torch.tensor([case["corrupted"]])
    logits, clean = model.run_with_cache(tokens)
    corrupted_logits, corrupted = model.run_with_cache(other)
    right, wrong = case["answers"]

    def metric(out):
        return out[0, -1, right] - out[0, -1, wrong]

    asked = {
        "answer": ([(right, 1)], -1),
        "neurons": ([(right, 1)], -1),
        "difference": ([(right, 1), (wrong, -1)], -2),
    }
    # theirs put the clean values into the corrupted run: here the runs change places
    patch = {name: grid(model, tokens, corrupted, metric) for name, grid in PATCHES.items()}
    return {
        "logits": logits[0, -1],
        "logitLens": logit_lens(model, clean, case["stages"]),
        "attribution": {
            name: attribution(model, clean, case["attribution"][name]["parts"], *how) for name, how in asked.items()
        },
        "totals": {
            name: sum(times * logits[0, position, token] for token, times in of)
            for name, (of, position) in asked.items()
        },
        "patterns": torch.stack([clean["pattern", layer][0] for layer in range(model.cfg.n_layers)]),
        "metric": torch.stack([metric(logits), metric(corrupted_logits)]),
        "patch": patch,
        "paths": torch.stack([path_patch(model, tokens, clean, corrupted, path, metric) for path in case["paths"]]),
    }


def compare(tally, name, model, case):
    theirs = computed(model, case)

    def close(kind, ours, other):
        tally.close(f"lens: {kind}", name, torch.tensor(ours, dtype=torch.float64).flatten(), other.flatten())

    close("logits", case["logits"], theirs["logits"])
    close("logit lens", case["logitLens"], theirs["logitLens"])
    close("patterns", case["patterns"], theirs["patterns"])
    close("metric", case["metric"], theirs["metric"])
    for kind, ours in case["attribution"].items():
        parts = theirs["attribution"][kind]
        # parts of opposite sign may be many times the logit (105 here): each is measured over the larger of 1 and its size
        size = parts.abs().clamp(min=1)
        close(f"attribution, {kind}", (torch.tensor(ours["values"], dtype=torch.float64) / size).tolist(), parts / size)
        total = theirs["totals"][kind].reshape(1)
        close(f"attribution, {kind}: total", [ours["total"]], total)
        close(f"attribution, {kind}: sum of parts", [sum(ours["values"])], total)
    for kind, ours in case["patch"].items():
        close(f"patching, {kind}", ours, theirs["patch"][kind])
    close("path patching", [path["value"] for path in case["paths"]], theirs["paths"])
