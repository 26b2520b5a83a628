"""What the comparisons share: reading safetensors with numpy alone, and counting what agrees."""
import json
import os
import struct
import sys

import numpy
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
# the clear model that the engine's fixtures are made from
sys.path.insert(0, os.path.join(HERE, "..", "engine", "fixtures"))

LOGITS_TOLERANCE = 1e-4
# two logits as near as this may change places by rounding
TIE = 2e-5


def read_safetensors(path):
    """{name: float32 tensor}: 8 bytes of length, a JSON header, raw little-endian numbers."""
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name} is {entry['dtype']}, expected F32")
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        numbers = numpy.frombuffer(content[begin:end], dtype="<f4").reshape(entry["shape"])
        tensors[name] = torch.from_numpy(numbers.astype(numpy.float32))
    return tensors


def read_numbers(folder, name, shape):
    return torch.from_numpy(numpy.fromfile(os.path.join(folder, name), dtype="<f4").reshape(shape).copy())


def read_index(folder):
    with open(os.path.join(folder, "index.json")) as file:
        return json.load(file)


def sequences(entry):
    """The token sequences [T] of a batch laid end to end."""
    bounds = zip(entry["offsets"], entry["offsets"][1:])
    return [torch.tensor(entry["tokens"][start:end]) for start, end in bounds]


def greedy(logits_of, prompt, stop, most, context):
    """Greedy decoding that computes everything again at each token; and where two logits were nearly equal."""
    tokens, answer, ties = list(prompt), [], []
    while len(answer) < most and len(tokens) < context:
        row = logits_of(torch.tensor(tokens))[-1]
        first, second = torch.topk(row, 2).values.tolist()
        ties.append(first - second < TIE)
        answer.append(int(row.argmax()))
        tokens.append(answer[-1])
        if answer[-1] == stop:
            break
    return answer, ties


class Tally:
    """Counts comparisons; remembers the greatest difference of each kind."""

    def __init__(self, title):
        self.title, self.compared, self.failed, self.ties = title, 0, 0, 0
        self.greatest = {}

    def close(self, kind, name, actual, expected, tolerance=LOGITS_TOLERANCE):
        self.compared += 1
        if actual.shape != expected.shape:
            return self._fail(f"{name}: {kind} has shape {list(actual.shape)}, expected {list(expected.shape)}")
        difference = self.seen(kind, name, actual, expected)
        # a NaN is not close to anything
        if not difference <= tolerance:
            self._fail(f"{name}: {kind} differs by {difference:.3g}, allowed {tolerance:.3g}")

    def seen(self, kind, name, actual, expected):
        """Remembers a difference and judges nothing."""
        difference = (actual.double() - expected.double()).abs().max().item() if actual.numel() else 0.0
        if difference > self.greatest.get(kind, (-1.0,))[0] or difference != difference:
            self.greatest[kind] = (difference, name)
        return difference

    def answers(self, name, logits_of, entry):
        for prompt, expected in zip(entry["prompts"], entry["answers"]):
            self.compared += 1
            context = entry["config"]["nCtx"]
            answer, ties = greedy(logits_of, prompt, entry["stopToken"], entry["maxNewTokens"], context)
            if answer == expected:
                continue
            at = next((i for i, (a, b) in enumerate(zip(answer, expected)) if a != b), min(len(answer), len(expected)))
            if at < len(ties) and ties[at]:
                self.ties += 1
            else:
                self._fail(f"{name}: prompt {prompt} is answered {answer}, by the engine {expected}")

    def equal(self, kind, name, actual, expected):
        self.compared += 1
        if actual != expected:
            self._fail(f"{name}: {kind} is {actual}, expected {expected}")

    def _fail(self, problem):
        self.failed += 1
        print(f"failed: {self.title}: {problem}")

    def finish(self, folder, file):
        for kind, (difference, name) in self.greatest.items():
            print(f"{self.title}: {kind}: at most {difference:.2e} ({name})")
        near = f", {self.ties} nearly equal logits in other places" if self.ties else ""
        print(f"{self.title}: {self.compared} compared, {self.failed} failed{near}")
        with open(os.path.join(folder, file), "w") as out:
            json.dump({"compared": self.compared, "failed": self.failed}, out)
