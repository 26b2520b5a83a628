"""PyTorch peer: a GPT as nanoGPT writes it (pre-LN, learned positions), trained step by step on the same batches.

Attention is scaled_dot_product_attention where this version has it, else matrix products with a mask. AdamW is the
fastest variant that this version has, measured at the start. One thread.
"""

import math
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

from lines import Workload, serve, timed

torch.set_num_threads(1)
HAS_SDPA = hasattr(F, "scaled_dot_product_attention")


class Norm(nn.Module):
    def __init__(self, width, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads = c["nHeads"]
        self.c_attn = nn.Linear(c["dModel"], 3 * c["dModel"], bias=c["bias"])
        self.c_proj = nn.Linear(c["dModel"], c["dModel"], bias=c["bias"])
        if not HAS_SDPA:
            n = c["nCtx"]
            self.register_buffer("above", torch.ones(n, n, dtype=torch.bool).triu(1), persistent=False)

    def forward(self, x):
        B, T, C = x.shape
        split = lambda y: y.view(B, T, self.heads, C // self.heads).transpose(1, 2)
        q, k, v = (split(y) for y in self.c_attn(x).split(C, dim=2))
        if HAS_SDPA:
            z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(C // self.heads))
            z = F.softmax(scores.masked_fill(self.above[:T, :T], float("-inf")), dim=-1) @ v
        return self.c_proj(z.transpose(1, 2).contiguous().view(B, T, C))


class FeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c_fc = nn.Linear(c["dModel"], c["dMlp"], bias=c["bias"])
        self.c_proj = nn.Linear(c["dMlp"], c["dModel"], bias=c["bias"])

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x)))


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.ln_1, self.attn = Norm(c["dModel"], c["bias"]), Attention(c)
        self.ln_2, self.mlp = Norm(c["dModel"], c["bias"]), FeedForward(c)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Gpt(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(c["dVocab"], c["dModel"]),
                "wpe": nn.Embedding(c["nCtx"], c["dModel"]),
                "h": nn.ModuleList([Block(c) for _ in range(c["nLayers"])]),
                "ln_f": Norm(c["dModel"], c["bias"]),
            }
        )

    def logits(self, tokens):
        t = self.transformer
        x = t["wte"](tokens) + t["wpe"](torch.arange(tokens.shape[1]))
        for block in t["h"]:
            x = block(x)
        return F.linear(t["ln_f"](x), t["wte"].weight)

    def forward(self, tokens, targets):
        logits = self.logits(tokens)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1), ignore_index=-1)


class Run:
    """One model in training; AdamW variants are tried on copies of it, so that its own steps are untouched."""

    def __init__(self, folder):
        self.work = Workload(folder)
        self.batches = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in self.work.batches]
        self.variant = min(variants(), key=self.trial)
        self.build(self.variant)

    def build(self, variant):
        model = Gpt(self.work.config)
        state = {name: torch.from_numpy(value.copy()) for name, value in self.work.parameters.items()}
        model.load_state_dict(state)
        named, o = list(model.named_parameters()), self.work.options
        groups = [
            {"params": [p for n, p in named if self.work.decays[n] == decays], "weight_decay": decay}
            for decays, decay in ((True, o["weightDecay"]), (False, 0.0))
        ]
        self.optimizer = torch.optim.AdamW(
            groups, lr=o["learningRate"], betas=(o["beta1"], o["beta2"]), eps=o["eps"], **variant
        )
        self.model, self.parameters, self.at = model, [p for _, p in named], 0
        self.norm = {"foreach": True} if "foreach" in variant else {}

    def trial(self, variant):
        try:
            self.build(variant)
            for _ in range(3):
                self.step()
        except (RuntimeError, TypeError):
            return math.inf
        begin = time.process_time()
        for _ in range(5):
            self.step()
        return time.process_time() - begin

    def step(self):
        tokens, targets = self.batches[self.at % len(self.batches)]
        self.at += 1
        loss = self.model(tokens, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.work.options["clip"], **self.norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss

    def steps(self, n):
        for _ in range(n):
            self.step()

    def scheduled_step(self):
        for group in self.optimizer.param_groups:
            group["lr"] = self.work.rates[self.at]
        self.step()

    def accuracy(self, batches):
        with torch.no_grad():
            right = total = 0
            for tokens, targets in batches:
                wanted = targets >= 0
                right += (self.model.logits(tokens).argmax(-1)[wanted] == targets[wanted]).sum().item()
                total += wanted.sum().item()
        return right / total


def variants():
    return [{"fused": True}, {"foreach": True}, {"foreach": False}] if HAS_SDPA else [{"foreach": True}, {}]


runs = {}


def prepare(request):
    run = Run(request["folder"])
    runs[request["name"]] = run
    return {
        "losses": [run.step().item() for _ in range(request["check"])],
        "parameters": sum(p.numel() for p in run.parameters),
        "note": f"AdamW {run.variant or 'default'}, attention {'sdpa' if HAS_SDPA else 'matmul'}",
    }


def race(request):
    """Trains until the accuracy is reached; looking at it is not timed. Returns the updates and the time they took."""
    run = Run(request["folder"])
    questions = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in Workload(request["questions"]).batches]
    spent = {"wallMs": 0.0, "cpuMs": 0.0}
    while run.at < len(run.batches):
        block = timed(lambda: [run.scheduled_step() for _ in range(request["every"])])
        spent = {kind: spent[kind] + block[kind] for kind in spent}
        accuracy = run.accuracy(questions)
        if accuracy >= request["accuracy"]:
            break
    return {"steps": run.at, "accuracy": accuracy, **spent}


def about(_):
    config = torch.__config__.show()
    blas = "MKL" if "BLAS_INFO=mkl" in config else "the system's BLAS"
    return {"version": torch.__version__, "note": f"{blas}, {torch.get_num_threads()} thread"}


if __name__ == "__main__":
    serve(
        {
            "about": about,
            "prepare": prepare,
            "race": race,
            "run": lambda request: timed(lambda: runs[request["name"]].steps(request["steps"])),
        }
    )
