"""The whole job as a plain script: two runs trained in PyTorch (torch_step.py), looked into with TransformerLens and scikit-learn.

Ablation of every part by zeros, by the mean over the other prompts and by the next prompt's values; principal components
of the number embeddings; parity of the result, read from every stage at the last position; one page. float32, one thread.
"""

import html
import json
import os
import sys

# what importing prints must not end up between the answers
sys.stdout = sys.stderr
os.environ["TQDM_DISABLE"] = "1"

import numpy as np
import sklearn
import torch
import transformer_lens
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from transformer_lens import HookedTransformer, HookedTransformerConfig

from lines import Workload, serve, timed
from torch_step import Run

torch.set_num_threads(1)


def hooked(settings, state, c):
    """The trained model as TransformerLens has it: the same weights, named and cut as it wants them."""
    d, heads = c["dModel"], c["nHeads"]
    model = HookedTransformer(HookedTransformerConfig.from_dict({**settings, "device": "cpu"}))
    own = {"embed.W_E": state["transformer.wte.weight"], "pos_embed.W_pos": state["transformer.wpe.weight"]}
    own |= {"unembed.W_U": state["transformer.wte.weight"].T, "unembed.b_U": torch.zeros(c["dVocab"])}
    own |= {"ln_final.w": state["transformer.ln_f.weight"], "ln_final.b": state["transformer.ln_f.bias"]}
    for layer in range(c["nLayers"]):
        block = lambda name: state[f"transformer.h.{layer}.{name}"]
        at = f"blocks.{layer}."
        for name, weight, bias in zip("QKV", block("attn.c_attn.weight").split(d), block("attn.c_attn.bias").split(d)):
            own[f"{at}attn.W_{name}"] = weight.view(heads, d // heads, d).transpose(1, 2)
            own[f"{at}attn.b_{name}"] = bias.view(heads, d // heads)
        own[f"{at}attn.W_O"] = block("attn.c_proj.weight").T.reshape(heads, d // heads, d)
        own[f"{at}attn.b_O"] = block("attn.c_proj.bias")
        own |= {f"{at}mlp.W_in": block("mlp.c_fc.weight").T, f"{at}mlp.b_in": block("mlp.c_fc.bias")}
        own |= {f"{at}mlp.W_out": block("mlp.c_proj.weight").T, f"{at}mlp.b_out": block("mlp.c_proj.bias")}
        for n in (1, 2):
            own |= {f"{at}ln{n}.w": block(f"ln_{n}.weight"), f"{at}ln{n}.b": block(f"ln_{n}.bias")}
    model.load_state_dict(own, strict=False)
    return model.eval()


def replaced(x, way):
    if way == "zero":
        return torch.zeros_like(x)
    return (x.sum(0) - x) / (len(x) - 1) if way == "mean" else x.roll(-1, 0)


class Job:
    def __init__(self, folder):
        with open(os.path.join(folder, "job.json")) as file:
            self.asked = json.load(file)
        self.runs = [Run(os.path.join(folder, name)) for name in self.asked["runs"]]
        self.tokens = torch.tensor(self.asked["tokens"])
        self.answers = torch.tensor(self.asked["answers"])
        self.parity = np.array(self.asked["parity"])
        self.folds = [(np.array(fold["train"]), np.array(fold["held"])) for fold in self.asked["folds"]]

    def train(self, run):
        run.build(run.variant)
        run.steps(self.asked["steps"])
        return {name: x.detach() for name, x in run.model.state_dict().items()}

    def loss(self, logits):
        return torch.nn.functional.cross_entropy(logits[:, -1], self.answers).item()

    def ablation(self, model):
        """[ways, parts] loss of the right answer, nats"""
        parts = self.asked["parts"]
        names = {site["at"] for part in parts for site in part}
        with torch.no_grad():
            _, clean = model.run_with_cache(self.tokens, names_filter=lambda name: name in names)
            found = []
            for way in ("zero", "mean", "resample"):
                for part in parts:
                    hooks = [(site["at"], self.hook(replaced(clean[site["at"]], way), site.get("head"))) for site in part]
                    found.append(self.loss(model.run_with_hooks(self.tokens, fwd_hooks=hooks)))
        return found

    @staticmethod
    def hook(value, head):
        def change(x, hook):
            if head is None:
                return value
            x[:, :, head] = value[:, :, head]
            return x

        return change

    def components(self, model):
        """shares of variance of the number embeddings, then the lengths of their first two coordinates"""
        first, count = self.asked["numbers"]
        fitted = PCA(svd_solver="full")
        scores = fitted.fit_transform(model.W_E[first : first + count].detach().double().numpy())
        return [*fitted.explained_variance_ratio_[:5], *np.abs(scores[:, :2]).ravel()]

    def probes(self, model):
        """[stages] held-out accuracy of the parity of the result"""
        stages = self.asked["stages"]
        with torch.no_grad():
            _, cache = model.run_with_cache(self.tokens, names_filter=lambda name: name in stages)
        found = []
        for stage in stages:
            x, right = cache[stage][:, -1].double().numpy(), 0
            for train, held in self.folds:
                if np.ptp(x, axis=0).max() == 0:
                    # the last token is the same in every prompt: nothing but the more frequent class can be said
                    usual = int(2 * self.parity[train].sum() > len(train))
                    right += (self.parity[held] == usual).sum()
                    continue
                mean = x[train].mean(0)
                scale = np.sqrt(((x[train] - mean) ** 2).sum(1).mean())
                probe = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000).fit((x[train] - mean) / scale, self.parity[train])
                right += (probe.predict((x[held] - mean) / scale) == self.parity[held]).sum()
            found.append(right / len(x))
        return found

    def look(self, state, run):
        model = hooked(self.asked["settings"], state, run.work.config)
        return {"ablation": self.ablation(model), "pca": self.components(model), "probes": self.probes(model)}

    def all(self):
        found = [self.look(self.train(run), run) for run in self.runs]
        folder = self.asked["out"]
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "report.json"), "w") as file:
            json.dump([{kind: [float(x) for x in values] for kind, values in one.items()} for one in found], file)
        rows = "".join(
            f"<tr><th>{html.escape(name)} {kind}</th>{''.join(f'<td>{x:.4f}</td>' for x in values)}</tr>"
            for name, one in zip(self.asked["runs"], found)
            for kind, values in one.items()
        )
        with open(os.path.join(folder, "report.html"), "w") as file:
            file.write(f"<!doctype html><title>Two runs</title><table>{rows}</table>")


found = {}


def open_folder(request):
    found["job"] = Job(request["folder"])
    return {"losses": [run_losses(run, request["check"]) for run in found["job"].runs]}


def run_losses(run, count):
    run.build(run.variant)
    return [run.step().item() for _ in range(count)]


def look(request):
    """At weights from outside, one arena a run: what is found must be the same for the same weights."""
    job, results = found["job"], []
    for run, folder in zip(job.runs, request["folders"]):
        state = {name: torch.from_numpy(x) for name, x in Workload(folder).parameters.items()}
        one = job.look(state, run)
        results.append({kind: [float(x) for x in values] for kind, values in one.items()})
    return {"found": results}


serve(
    {
        "about": lambda request: {
            "version": getattr(transformer_lens, "__version__", ""),
            "note": f"PyTorch {torch.__version__}, scikit-learn {sklearn.__version__}, one thread",
        },
        "open": open_folder,
        "look": look,
        "run": lambda request: timed(found["job"].all),
    }
)
