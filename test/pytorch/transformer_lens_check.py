"""Exports to transformer-lens in HookedTransformer: python3 transformer_lens_check.py <folder of dump.mjs>

Compares logits, greedy answers, every activation that has a hook, and what the lens says (lens_check.py). From version
3 on TransformerLens hooks LayerNorm before its weight and bias, sumlens after them: they are applied here. Needs
TransformerLens below version 4, which removed HookedTransformer. With `--fixtures <file>` what TransformerLens computes
for two reference checkpoints is written too: the tests compare it where there is no Python.
"""
import json
import os
import re
import sys
import warnings
from importlib.metadata import version

warnings.filterwarnings("ignore")

import lens_check
import torch
from transformer_lens import HookedTransformer, HookedTransformerConfig

from common import Tally, read_index, read_numbers, read_safetensors, sequences

VERSION = version("transformer-lens")
# the reference checkpoints whose numbers the tests compare without Python
FIXTURES = r"^(max-med-sum|sum)-pairs-d16-s1-.*@16000$"
HOOKS_BEFORE_WEIGHT = int(VERSION.partition(".")[0]) >= 3


def load(path):
    # float64, so that what is left is the engine's own rounding
    with open(os.path.join(path, "config.json")) as file:
        config = HookedTransformerConfig.from_dict({**json.load(file), "device": "cpu", "dtype": torch.float64})
    model = HookedTransformer(config)
    left = model.load_state_dict(read_safetensors(os.path.join(path, "model.safetensors")), strict=False)
    # masks are buffers that hold no weights
    missing = [name for name in left.missing_keys if not re.search(r"attn\.(mask|IGNORE)$", name)]
    return model.eval(), missing, list(left.unexpected_keys)


def hook_name(name):
    """blocks.0.attn.q -> blocks.0.attn.hook_q"""
    before, _, last = name.rpartition(".")
    return f"{before}.hook_{last}" if before else f"hook_{last}"


def theirs(cache, model, name):
    """Their activation in our layout: [T, width], or flat [heads T T]."""
    value = cache[hook_name(name)][0]
    if name.endswith(".normalized") and HOOKS_BEFORE_WEIGHT:
        norm = model.get_submodule(name.rpartition(".")[0])
        value = value * norm.w + norm.b
    if re.search(r"attn\.(attn_scores|pattern)$", name):
        return value.flatten()
    return value.flatten(start_dim=1)


def write_fixtures(path, entries):
    """What TransformerLens computes for the checkpoints named in FIXTURES, to 7 digits."""

    def plain(value):
        if isinstance(value, dict):
            return {name: plain(one) for name, one in value.items()}
        return [float(f"{x:.7g}") for x in value.flatten().tolist()]

    cases = []
    for name, model, case in entries:
        given = {key: case[key] for key in ("clean", "corrupted", "answers", "stages")}
        given["paths"] = [{key: path[key] for key in ("from", "to")} for path in case["paths"]]
        cases.append({"checkpoint": name, **given, "theirs": plain(lens_check.computed(model, case))})
    with open(path, "w") as out:
        json.dump({"transformerLens": VERSION, "cases": cases}, out)
        out.write("\n")


def main(folder, fixtures=None):
    tally = Tally("TransformerLens")
    kept = []
    for entry in read_index(folder)["exports"]:
        name, config = entry["id"], entry["config"]
        model, missing, unexpected = load(os.path.join(folder, entry["folders"]["transformer-lens"]))
        tally.equal("missing keys", name, missing, [])
        tally.equal("unexpected keys", name, unexpected, [])
        with torch.no_grad():
            runs = [model.run_with_cache(tokens[None]) for tokens in sequences(entry)]
            engine = read_numbers(folder, entry["logits"], [len(entry["tokens"]), config["dVocab"]])
            tally.close("logits", name, engine, torch.cat([logits[0] for logits, _ in runs]))
            tally.answers(name, lambda tokens: model(tokens[None])[0], entry)
            for activation, file in entry["activations"].items():
                other = torch.cat([theirs(cache, model, activation) for _, cache in runs])
                ours = read_numbers(folder, file, list(other.shape))
                if activation.endswith("attn_scores"):
                    # both have -inf where the future is hidden
                    tally.equal("hidden scores", name, torch.equal(ours.isinf(), other.isinf()), True)
                    ours, other = ours[~ours.isinf()], other[~other.isinf()]
                kind = re.sub(r"^blocks\.\d+\.", "", activation)
                tally.close(kind, name, ours, other)
            for case in entry["lens"]:
                lens_check.compare(tally, name, model, case)
            if re.search(FIXTURES, name):
                kept.append((name, model, entry["lens"][0]))
    if fixtures is not None:
        with torch.no_grad():
            write_fixtures(fixtures, kept)
    tally.finish(folder, "transformer_lens.json")


torch.set_num_threads(1)
main(sys.argv[1], sys.argv[3] if sys.argv[2:3] == ["--fixtures"] else None)
