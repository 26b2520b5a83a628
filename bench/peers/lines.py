"""What every Python peer shares: requests and answers as JSON lines, a workload's files, timing. Needs numpy only."""

import json
import os
import sys
import time

import numpy as np


class Workload:
    """One model, its AdamW options and its batches, as bench/lib/workload.mjs wrote them.

    parameters: {name: float32 array}, batches: [(tokens [S, T], targets [S, T])] int64, padded on the right with
    token 0 and target -1 up to the longest sequence of the batch.
    """

    def __init__(self, folder):
        with open(os.path.join(folder, "workload.json")) as file:
            head = json.load(file)
        self.config, self.options, self.tensors = head["config"], head["options"], head["tensors"]
        # learning rate of each update, where it is not the constant one of the options
        self.rates = head.get("rates")
        arena = np.fromfile(os.path.join(folder, "parameters.f32"), dtype="<f4")
        self.parameters = {
            t["name"]: arena[t["offset"] : t["offset"] + int(np.prod(t["shape"]))].reshape(t["shape"]).copy()
            for t in self.tensors
        }
        self.decays = {t["name"]: t["decays"] for t in self.tensors}
        numbers = np.fromfile(os.path.join(folder, "batches.i32"), dtype="<i4")
        at = 0
        self.batches = []
        for sequences, rows in head["batches"]:
            offsets = numbers[at : at + sequences + 1]
            tokens = numbers[at + sequences + 1 : at + sequences + 1 + rows]
            targets = numbers[at + sequences + 1 + rows : at + sequences + 1 + 2 * rows]
            at += sequences + 1 + 2 * rows
            self.batches.append(padded(offsets, tokens, targets))


def padded(offsets, tokens, targets):
    lengths = np.diff(offsets)
    width = int(lengths.max())
    x = np.zeros((len(lengths), width), dtype=np.int64)
    y = np.full((len(lengths), width), -1, dtype=np.int64)
    for s, length in enumerate(lengths):
        x[s, :length] = tokens[offsets[s] : offsets[s + 1]]
        y[s, :length] = targets[offsets[s] : offsets[s + 1]]
    return x, y


def timed(work):
    """Runs `work`. Returns wall and processor milliseconds, of all threads of this process."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return {
        "wallMs": (time.perf_counter() - wall) * 1e3,
        "cpuMs": (time.process_time() - cpu) * 1e3,
    }


def serve(answers):
    """Answers requests {"op": ...} with answers[op](request) until standard input ends."""
    # what a library prints must not end up between the answers
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = answers[request["op"]](request)
        except Exception as error:  # the benchmark reports it as the reason why a row was not measured
            answer = {"error": f"{type(error).__name__}: {error}".split("\n")[0][:300]}
        print(json.dumps(answer), file=out, flush=True)
