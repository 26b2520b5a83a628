/** The frameworks that are there: which Python has which, each started once and kept for all rows. */
import { join } from 'node:path';
import { NotMeasured } from './row.mjs';
import { ONE_THREAD, startPeer } from './peer.mjs';
import { ONE_CPU } from './pin.mjs';
import { ROOT } from './project.mjs';

/** Interpreters to ask: those of SUMLENS_BENCH_PYTHON (separated by colons), the python3 on PATH, the system's. */
function pythons() {
  const named = (process.env.SUMLENS_BENCH_PYTHON ?? '').split(':').filter((path) => path !== '');
  return [...new Set([...named, 'python3', '/usr/bin/python3'])];
}

const ENVIRONMENT = {
  ...ONE_THREAD,
  PYTHONDONTWRITEBYTECODE: '1',
  JAX_PLATFORMS: 'cpu',
  XLA_FLAGS: '--xla_cpu_multi_thread_eigen=false',
};

async function start(python, script, name) {
  const peer = startPeer(python, ['-u', join(ROOT, 'bench/peers', script)], {
    env: ENVIRONMENT,
    cpu: ONE_CPU,
  });
  try {
    const { version, note } = await peer.ask({ op: 'about' });
    return { ...peer, name: `${name} ${version}`, note, python };
  } catch {
    await peer.close();
    return undefined;
  }
}

/** Starts a framework at its first use. */
export class Peers {
  constructor() {
    this.started = new Map();
  }

  /** Every version of PyTorch found. @throws NotMeasured */
  torch() {
    return this.all('torch_step.py', 'PyTorch', 'torch');
  }

  /** @throws NotMeasured */
  async jax() {
    return (await this.all('jax_step.py', 'JAX', 'jax')).slice(0, 1);
  }

  /** TransformerLens below version 4, which removed HookedTransformer. @throws NotMeasured */
  async transformerLens() {
    return (await this.all('lens_torch.py', 'TransformerLens', '"transformer_lens<4"')).slice(0, 1);
  }

  /** PyTorch with TransformerLens below version 4 and scikit-learn. @throws NotMeasured */
  async job() {
    const found = await this.all(
      'job_torch.py',
      'PyTorch, TransformerLens and scikit-learn',
      'torch, "transformer_lens<4" and scikit-learn',
    );
    return found.slice(0, 1);
  }

  async all(script, name, module) {
    if (!this.started.has(script)) this.started.set(script, startAll(script, name));
    const found = await this.started.get(script);
    if (found.length === 0) {
      throw new NotMeasured(
        `no Python with ${module} among ${pythons().join(', ')}. Install it, or name an interpreter in SUMLENS_BENCH_PYTHON.`,
      );
    }
    return found;
  }

  async describe() {
    const found = await Promise.all(this.started.values());
    return found.flat().map(({ name, note }) => `${name} (${note})`);
  }

  async close() {
    const found = await Promise.all(this.started.values());
    await Promise.all(found.flat().map((peer) => peer.close()));
  }
}

async function startAll(script, name) {
  const found = [];
  for (const python of pythons()) {
    const peer = await start(python, script, name);
    if (peer === undefined) continue;
    if (found.some((other) => other.name === peer.name)) await peer.close();
    else found.push(peer);
  }
  return found;
}
