"""TransformerLens peer: patching grid, direct attribution and logit lens over many prompts, on an exported model.

Written as its users write it where it is fast: one batch of all prompts, only the activations that are needed kept, last
position alone wherever nothing else is asked. float32, one thread.
"""

import json
import os
import sys

# what importing prints must not end up between the answers
sys.stdout = sys.stderr
os.environ["TQDM_DISABLE"] = "1"

import numpy
import torch
import transformer_lens
from transformer_lens import HookedTransformer, HookedTransformerConfig, patching

from lines import serve, timed

torch.set_num_threads(1)
torch.set_grad_enabled(False)


def safetensors(path):
    with open(path, "rb") as file:
        content = file.read()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    found = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        numbers = numpy.frombuffer(content[begin:end], dtype="<f4").reshape(entry["shape"])
        found[name] = torch.from_numpy(numbers.copy())
    return found


class Task:
    def __init__(self, folder):
        with open(os.path.join(folder, "config.json")) as file:
            config = HookedTransformerConfig.from_dict({**json.load(file), "device": "cpu"})
        self.model = HookedTransformer(config)
        self.model.load_state_dict(safetensors(os.path.join(folder, "model.safetensors")), strict=False)
        self.model.eval()
        with open(os.path.join(folder, "prompts.json")) as file:
            prompts = json.load(file)
        self.clean, self.corrupted = torch.tensor(prompts["clean"]), torch.tensor(prompts["corrupted"])
        self.right, self.wrong = (torch.tensor(answers) for answers in prompts["answers"])
        self.stages = [stage.replace("resid_", "hook_resid_") for stage in prompts["stages"]]

    def cached(self, tokens, names):
        """(logits, cache) with the named activations alone."""
        return self.model.run_with_cache(tokens, names_filter=lambda name: name in names)

    def logit_lens(self):
        _, cache = self.cached(self.clean, set(self.stages))
        last = torch.stack([cache[stage][:, -1] for stage in self.stages])
        # [stages, prompts, V]
        return self.model.unembed(self.model.ln_final(last))

    def attribution(self):
        model, layers = self.model, range(self.model.cfg.n_layers)
        end = f"blocks.{model.cfg.n_layers - 1}.hook_resid_post"
        kept = {"hook_embed", "hook_pos_embed", end}
        kept |= {f"blocks.{layer}.{name}" for layer in layers for name in ("attn.hook_z", "hook_mlp_out")}
        _, cache = self.cached(self.clean, kept)
        # [prompts, d]: LayerNorm's weight times the unembedding of the right answer, less its mean
        direction = model.ln_final.w * model.W_U.T[self.right]
        direction = direction - direction.mean(dim=1, keepdim=True)
        stream = cache[end][:, -1]
        scale = (stream.var(dim=1, unbiased=False) + model.cfg.eps).sqrt()
        parts = [cache["hook_embed"][:, -1], cache["hook_pos_embed"][:, -1]]
        for layer in layers:
            block = model.blocks[layer]
            heads = torch.einsum("bhe,hed->hbd", cache[f"blocks.{layer}.attn.hook_z"][:, -1], block.attn.W_O)
            parts += [*heads, block.attn.b_O.expand_as(stream)]
            parts += [cache[f"blocks.{layer}.hook_mlp_out"][:, -1] - block.mlp.b_out]
            parts += [block.mlp.b_out.expand_as(stream)]
        values = torch.einsum("pbd,bd->bp", torch.stack(parts), direction) / scale[:, None]
        constant = model.W_U.T[self.right] @ model.ln_final.b + model.b_U[self.right]
        return torch.cat([values, constant[:, None]], dim=1)

    def patching(self):
        """[cells] mean logit difference: theirs put the second run's values into the first's, which here is the clean one."""
        names = [f"blocks.{layer}.{name}" for layer in range(self.model.cfg.n_layers) for name in ("hook_resid_pre", "attn.hook_z")]
        _, cache = self.cached(self.corrupted, set(names))
        rows = torch.arange(len(self.right))

        def metric(logits):
            last = logits[:, -1]
            return (last[rows, self.right] - last[rows, self.wrong]).mean()

        places = patching.get_act_patch_resid_pre(self.model, self.clean, cache, metric)
        heads = patching.get_act_patch_attn_head_out_all_pos(self.model, self.clean, cache, metric)
        return torch.cat([places.flatten(), heads.flatten()])


found = {}


def open_folder(request):
    found["task"] = Task(request["folder"])
    return {}


def work(request):
    task = found["task"]
    return {"patching": task.patching, "attribution": task.attribution, "logit lens": task.logit_lens}[request["task"]]


serve(
    {
        "about": lambda request: {
            "version": transformer_lens.__version__ if hasattr(transformer_lens, "__version__") else "",
            "note": f"PyTorch {torch.__version__}, one thread",
        },
        "open": open_folder,
        "numbers": lambda request: {"numbers": work(request)().flatten().tolist()},
        "run": lambda request: timed(lambda: [work(request)() for _ in range(request["times"])]),
    }
)
