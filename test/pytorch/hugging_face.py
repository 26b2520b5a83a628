"""Exports to hf-gpt2 in Hugging Face transformers: python3 hugging_face.py <folder of dump.mjs>

Loads each folder with from_pretrained, as a user would, and compares logits, greedy answers, the residual stream before
every block, attention patterns, the final LayerNorm and the tokenizer.
"""
import os
import sys

import torch
import transformers

from common import Tally, read_index, read_numbers, sequences


def patterns(flat, lengths, heads):
    """Concatenated [heads, T, T] by sequence."""
    at, found = 0, []
    for length in lengths:
        size = heads * length * length
        found.append(flat[at : at + size].reshape(heads, length, length))
        at += size
    return found


def main(folder):
    tally = Tally(f"transformers {transformers.__version__}")
    for entry in read_index(folder)["exports"]:
        if "hf-gpt2" not in entry["folders"]:
            continue
        name, config = entry["id"], entry["config"]
        path = os.path.join(folder, entry["folders"]["hf-gpt2"])
        model, info = transformers.AutoModelForCausalLM.from_pretrained(
            path, attn_implementation="eager", output_loading_info=True
        )
        # float64, so that what is left is the engine's own rounding
        model.double().eval()
        for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
            tally.equal(kind, name, sorted(info[kind]), [])
        tally.equal("class", name, type(model).__name__, "GPT2LMHeadModel")
        inputs = sequences(entry)
        count, width = len(entry["tokens"]), config["dModel"]
        with torch.no_grad():
            runs = [model(t[None], output_hidden_states=True, output_attentions=True) for t in inputs]
            engine = read_numbers(folder, entry["logits"], [count, config["dVocab"]])
            tally.close("logits", name, engine, torch.cat([run.logits[0] for run in runs]))
            tally.answers(name, lambda tokens: model(tokens[None]).logits[0], entry)
        for layer in range(config["nLayers"]):
            ours = read_numbers(folder, entry["activations"][f"blocks.{layer}.resid_pre"], [count, width])
            tally.close("resid_pre", name, ours, torch.cat([run.hidden_states[layer][0] for run in runs]))
            flat = read_numbers(folder, entry["activations"][f"blocks.{layer}.attn.pattern"], [-1])
            theirs = torch.cat([run.attentions[layer][0].flatten() for run in runs])
            tally.close("attn.pattern", name, flat, theirs)
        ours = read_numbers(folder, entry["activations"]["ln_final.normalized"], [count, width])
        tally.close("ln_final.normalized", name, ours, torch.cat([run.hidden_states[-1][0] for run in runs]))
        tokenizer = transformers.AutoTokenizer.from_pretrained(path)
        texts = entry["texts"]
        glued = " ".join(texts).replace("( ", "(").replace(" )", ")")
        for text in (" ".join(texts), glued):
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            tally.equal("tokenizer", name, ids, entry["tokens"])
            # what `generate(**tokenizer(text))` passes on: token_type_ids would be added to the embedding
            tally.equal("model inputs", name, sorted(tokenizer(text)), ["attention_mask", "input_ids"])
    tally.finish(folder, "hugging_face.json")


transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)
main(sys.argv[1])
