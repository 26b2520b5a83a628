"""Every reference checkpoint in our own PyTorch module, loaded strictly: python3 own_module.py <folder of dump.mjs>

Compares logits at every position and greedy answers with the engine's. PyTorch computes in float64, so that what is
left is the engine's own rounding; its float32 is set beside it. Needs torch and numpy only.
"""
import sys

import torch

from common import LOGITS_TOLERANCE, Tally, read_index, read_numbers, read_safetensors, sequences
from gpt import GPT


def load(config, weights):
    model = GPT(config)
    stored = read_safetensors(weights)
    if config["tied"] and not torch.equal(stored["lm_head.weight"], stored["transformer.wte.weight"]):
        raise ValueError(f"{weights}: the tied weights differ")
    model.load_state_dict(stored, strict=True)
    return model.eval()


def main(folder):
    tally = Tally("our own module")
    with torch.no_grad():
        for entry in read_index(folder)["checkpoints"]:
            model = load(entry["config"], entry["weights"])
            single = torch.cat([model(tokens) for tokens in sequences(entry)])
            model.double()
            logits = torch.cat([model(tokens) for tokens in sequences(entry)])
            engine = read_numbers(folder, entry["logits"], [len(entry["tokens"]), entry["config"]["dVocab"]])
            rounding = tally.seen("difference of PyTorch's own float32", entry["id"], single, logits)
            tally.seen("size of the logits", entry["id"], logits, torch.zeros_like(logits))
            # where logits are large, float32 itself may be coarser than the tolerance
            tolerance = max(LOGITS_TOLERANCE, rounding)
            tally.close("difference of the logits", entry["id"], engine, logits, tolerance)
            tally.answers(entry["id"], model, entry)
    tally.finish(folder, "own_module.json")


torch.set_num_threads(1)
main(sys.argv[1])
