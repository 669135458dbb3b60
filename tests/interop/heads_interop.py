"""Makes a small model of every head and family with transformers, and lets tenfold read, check and rewrite each.

    python heads_interop.py TENFOLD [--folder DIR] [--bin] [--only NAME]

For each architecture: transformers writes a directory (safetensors, or pytorch_model.bin where --bin is given) and its
results (logits_interop.py); `tenfold verify` must find them equal; `tenfold convert` rewrites the directory, and
transformers must load that without a missing or a surplus weight and compute the same again. Not here: tokenizers.
Needs torch, transformers and safetensors. One line of JSON for each model; exit code 1
where one differs.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import torch
import transformers

HEADS = ("Model", "ForMaskedLM", "ForPreTraining", "ForSequenceClassification", "ForTokenClassification",
         "ForQuestionAnswering", "ForMultipleChoice")
PROBLEMS = {"single_label_classification": 3, "multi_label_classification": 3, "regression": 1}


def configurations():
    size = dict(vocab_size=60, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
                max_position_embeddings=20)
    for family, more in (("Bert", {}), ("Electra", {"embedding_size": 16}),
                         ("Roberta", {"type_vocab_size": 1, "pad_token_id": 1})):
        for head in HEADS:
            if family == "Roberta" and head == "ForPreTraining":
                continue
            problems = PROBLEMS if head == "ForSequenceClassification" else {None: 2}
            for problem, labels in problems.items():
                config = getattr(transformers, family + "Config")(**size, **more)
                if problem:
                    config.problem_type = problem
                if problem or head == "ForTokenClassification":
                    config.num_labels = labels
                yield family + head, problem, config


def make(name, config, folder, as_bin):
    torch.manual_seed(1)
    model = getattr(transformers, name)(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(folder)
    if as_bin:
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def check(tenfold, folder):
    """The first step that went wrong, or nothing."""
    script = pathlib.Path(__file__).with_name("logits_interop.py")
    expected, out = folder / "expected.safetensors", folder.with_name(folder.name + "-out")
    shutil.rmtree(out, ignore_errors=True)
    for step in ((sys.executable, script, folder, expected), (tenfold, "verify", folder, "--against", expected, "--json"),
                 (tenfold, "convert", folder, "--out", out), (sys.executable, script, out, folder / "again.safetensors"),
                 (tenfold, "verify", folder, "--against", folder / "again.safetensors", "--json")):
        code, said, complaint = run(*step)
        if code != 0:
            differing = [t["name"] for t in json.loads(said)["tensors"] if not t["passed"]] if "--json" in step else said
            return {"step": " ".join(map(str, step[:2])), "said": differing, "complaint": complaint[-500:]}
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tenfold", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--bin", action="store_true", help="weights as pytorch_model.bin")
    parser.add_argument("--only", default="", help="architectures with this in their name")
    a = parser.parse_args()
    root = a.folder or pathlib.Path(tempfile.mkdtemp())
    wrong = 0
    for name, problem, config in configurations():
        if a.only not in name:
            continue
        folder = root / "-".join(filter(None, (name, problem)))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(name, config, folder, a.bin)
        fault = check(a.tenfold, folder)
        wrong += fault is not None
        print(json.dumps({"model": name, "problem": problem, "fault": fault}), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
