"""Computes with transformers what a model directory written by tenfold gives, for `tenfold verify` to judge.

    python logits_interop.py DIR expected.safetensors [--rows 6] [--seed 1]
    tenfold verify DIR --against expected.safetensors

Inputs are random ids of unequal lengths in the padded layout that `tenfold verify` reads: hidden states, logits, the
loss, its float64 twin and the gradient of every parameter. Needs torch, transformers and safetensors. Prints one line
of JSON; exit code 1 where transformers finds weights missing or of another shape, or a directory it cannot load.
"""
import argparse
import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file


def load(directory):
    """The model of the architecture that config.json names; weights must fit without remainder."""
    config = transformers.AutoConfig.from_pretrained(directory)
    name = (config.architectures or ["BertModel"])[0]
    model, report = getattr(transformers, name).from_pretrained(
        directory, output_loading_info=True, attn_implementation="eager", torch_dtype=torch.float32)
    tied = {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias", "generator_lm_head.weight",
            "lm_head.decoder.weight", "lm_head.decoder.bias"}
    faults = {kind: sorted(map(str, names)) for kind, names in report.items()
              if kind in ("missing_keys", "unexpected_keys", "mismatched_keys") and set(map(str, names)) - tied}
    return model.eval(), name, faults


def make_labels(config, name, inputs, rows, draw):
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    picked = (torch.rand(ids.shape, generator=draw) < 0.4) & (mask == 1)
    picked[:, 1] = True
    absent = torch.full_like(ids, -100)
    if name == "ElectraForPreTraining":
        return {"labels": torch.randint(0, 2, ids.shape, generator=draw)}
    if "MaskedLM" in name:
        return {"labels": torch.where(picked, ids, absent)}
    if "PreTraining" in name:
        return {"labels": torch.where(picked, ids, absent),
                "next_sentence_label": torch.randint(0, 2, (rows,), generator=draw)}
    if "SequenceClassification" in name:
        if config.problem_type == "regression":
            return {"labels": torch.rand(rows, generator=draw, dtype=torch.float64).float()}
        if config.problem_type == "multi_label_classification":
            return {"labels": torch.randint(0, 2, (rows, config.num_labels), generator=draw).float()}
        return {"labels": torch.randint(0, config.num_labels, (rows,), generator=draw)}
    if "TokenClassification" in name:
        return {"labels": torch.where(picked, torch.randint(0, config.num_labels, ids.shape, generator=draw), absent)}
    if "QuestionAnswering" in name:
        return {"start_positions": torch.ones(rows, dtype=torch.long), "end_positions": torch.full((rows,), 2)}
    if "MultipleChoice" in name:
        return {"labels": torch.randint(0, 3, (rows,), generator=draw)}
    return {}


def make_inputs(config, name, rows, seed):
    draw = torch.Generator().manual_seed(seed)
    longest = min(24, config.max_position_embeddings - 4)
    choices = 3 if "MultipleChoice" in name else 1
    rows *= choices
    lengths = [max(3, longest - 3 * i) for i in range(rows)]
    ids = torch.full((rows, longest), config.pad_token_id, dtype=torch.long)
    mask, segments = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, length in enumerate(lengths):
        ids[row, :length] = torch.randint(2, config.vocab_size, (length,), generator=draw)
        mask[row, :length] = 1
        segments[row, length // 2:length] = min(1, config.type_vocab_size - 1)
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": segments}
    inputs.update(make_labels(config, name, inputs, rows // choices, draw))
    if choices > 1:
        inputs.update({key: inputs[key].view(-1, choices, longest)
                       for key in ("input_ids", "attention_mask", "token_type_ids")})
    return inputs


def run(model, inputs, dtype):
    model = model.to(dtype)
    inputs = {key: x.to(dtype) if x.is_floating_point() else x for key, x in inputs.items()}
    model.zero_grad(set_to_none=True)
    out = model(**inputs, output_hidden_states=True, return_dict=True)
    if out.get("loss") is not None:
        out.loss.backward()
    results = {}
    for key, value in out.items():
        if isinstance(value, (tuple, list)):
            results.update({f"{key}.{i}": x.detach().contiguous() for i, x in enumerate(value)})
        elif value is not None:
            results[key] = value.detach().contiguous()
    return results, {n: p.grad.float().contiguous() for n, p in model.named_parameters() if p.grad is not None}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("expected", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()

    model, name, faults = load(a.directory)
    inputs = make_inputs(model.config, name, a.rows, a.seed)
    tensors = {f"in.{key}": value for key, value in inputs.items()}
    tensors.update(run(model, inputs, torch.float32)[0])
    wide, gradients = run(model, inputs, torch.float64)
    tensors.update({f"f64.{key}": value for key, value in wide.items() if "hidden_states." not in key})
    tensors.update({f"grad.{key}": value for key, value in gradients.items()})
    save_file({key: value.clone() for key, value in tensors.items()}, str(a.expected))  # two names may share one tensor
    print(json.dumps({"model": name, "transformers": transformers.__version__, "tensors": len(tensors),
                      "gradients": len(gradients), "faults": faults}))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
