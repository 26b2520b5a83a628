"""JAX peer: the same GPT and AdamW as one jitted step with donated buffers, float32, on the CPU back end.

bench/lib/peers.mjs starts it on one processor (taskset) with XLA's multi-threaded matrix products off.
"""

from functools import partial

import jax
import jax.numpy as jnp

from lines import Workload, serve, timed


def norm(p, name, x):
    mean = x.mean(-1, keepdims=True)
    centred = x - mean
    y = centred * jax.lax.rsqrt((centred * centred).mean(-1, keepdims=True) + 1e-5) * p[name + ".weight"]
    return y + p[name + ".bias"] if name + ".bias" in p else y


def linear(p, name, x):
    y = x @ p[name + ".weight"].T
    return y + p[name + ".bias"] if name + ".bias" in p else y


def attention(p, name, x, heads):
    B, T, C = x.shape
    D = C // heads
    # [B heads, T, D]: plain batched products are what the CPU back end does fastest
    split = lambda y: y.reshape(B, T, heads, D).transpose(0, 2, 1, 3).reshape(B * heads, T, D)
    q, k, v = (split(y) for y in jnp.split(linear(p, name + ".c_attn", x), 3, -1))
    scores = jax.lax.dot_general(q, k, (((2,), (2,)), ((0,), (0,)))) * D**-0.5
    causal = jnp.tril(jnp.ones((T, T), dtype=bool))
    pattern = jax.nn.softmax(jnp.where(causal, scores, -jnp.inf), axis=-1)
    z = jax.lax.dot_general(pattern, v, (((2,), (1,)), ((0,), (0,))))
    return linear(p, name + ".c_proj", z.reshape(B, heads, T, D).transpose(0, 2, 1, 3).reshape(B, T, C))


def gelu(x):
    # jax.nn.gelu(approximate=False) is written with erfc, which is a third slower here
    return 0.5 * x * (1 + jax.lax.erf(x * 0.5**0.5))


def loss_of(p, config, tokens, targets):
    x = p["transformer.wte.weight"][tokens] + p["transformer.wpe.weight"][: tokens.shape[1]]
    for layer in range(config["nLayers"]):
        h = f"transformer.h.{layer}"
        x = x + attention(p, h + ".attn", norm(p, h + ".ln_1", x), config["nHeads"])
        hidden = linear(p, h + ".mlp.c_fc", norm(p, h + ".ln_2", x))
        x = x + linear(p, h + ".mlp.c_proj", gelu(hidden))
    logits = norm(p, "transformer.ln_f", x) @ p["transformer.wte.weight"].T
    log_probs = jax.nn.log_softmax(logits, axis=-1)
    chosen = jnp.take_along_axis(log_probs, jnp.maximum(targets, 0)[..., None], axis=-1)[..., 0]
    wanted = targets >= 0
    return -jnp.where(wanted, chosen, 0).sum() / wanted.sum()


def make_step(config, o, decays):
    @partial(jax.jit, donate_argnums=(0,))
    def step(state, tokens, targets):
        p, m, v, t = state
        loss, g = jax.value_and_grad(loss_of)(p, config, tokens, targets)
        size = jnp.sqrt(sum((x * x).sum() for x in g.values()))
        factor = jnp.minimum(1.0, o["clip"] / (size + 1e-6))
        t = t + 1
        new_p, new_m, new_v = {}, {}, {}
        for name in p:
            d = g[name] * factor
            new_m[name] = o["beta1"] * m[name] + (1 - o["beta1"]) * d
            new_v[name] = o["beta2"] * v[name] + (1 - o["beta2"]) * d * d
            m_hat = new_m[name] / (1 - o["beta1"] ** t)
            v_hat = new_v[name] / (1 - o["beta2"] ** t)
            decay = 1 - o["learningRate"] * o["weightDecay"] if decays[name] else 1.0
            new_p[name] = p[name] * decay - o["learningRate"] * m_hat / (jnp.sqrt(v_hat) + o["eps"])
        return (new_p, new_m, new_v, t), loss

    return step


class Run:
    def __init__(self, folder):
        work = Workload(folder)
        self.batches = [(jnp.asarray(x, jnp.int32), jnp.asarray(y, jnp.int32)) for x, y in work.batches]
        p = {name: jnp.asarray(value) for name, value in work.parameters.items()}
        zeros = lambda: {name: jnp.zeros_like(value) for name, value in p.items()}
        self.state, self.at = (p, zeros(), zeros(), jnp.zeros((), jnp.float32)), 0
        self.jitted = make_step(work.config, work.options, work.decays)

    def step(self):
        tokens, targets = self.batches[self.at % len(self.batches)]
        self.at += 1
        self.state, loss = self.jitted(self.state, tokens, targets)
        return loss

    def steps(self, n):
        for _ in range(n):
            loss = self.step()
        loss.block_until_ready()
        jax.block_until_ready(self.state)


runs = {}


def prepare(request):
    run = Run(request["folder"])
    runs[request["name"]] = run
    losses = [float(run.step()) for _ in range(request["check"])]
    return {"losses": losses, "note": "jit, donated state"}


if __name__ == "__main__":
    serve(
        {
            "about": lambda _: {"version": jax.__version__, "note": f"{jax.device_count()} {jax.default_backend()} device"},
            "prepare": prepare,
            "run": lambda request: timed(lambda: runs[request["name"]].steps(request["steps"])),
        }
    )
