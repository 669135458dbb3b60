#!/usr/bin/env python3
"""Writes tests/tensor/golden/written_by_torch.bin, a small state_dict as torch.save stores it.

Not here: any check; tests/tensor/torch_checkpoint_test.cpp reads the file and says what it holds.
Needs PyTorch: python tests/interop/torch_file_golden.py
"""
import pathlib

import torch

a = torch.arange(6.0).view(2, 3)
layer = torch.nn.Linear(3, 2)
with torch.no_grad():
    layer.weight.zero_()
    layer.bias.zero_()
values = layer.state_dict(prefix="layer.")  # an OrderedDict with _metadata
values.update({"a": a, "a.transposed": a.t(), "a.shared": a, "half": torch.tensor([1.5, -2.0]).half(),
               "wide": torch.tensor([1.5, -2.0]).bfloat16(), "count": torch.tensor(7),
               "parameter": torch.nn.Parameter(torch.ones(1))})
path = pathlib.Path(__file__).parents[1] / "tensor" / "golden" / "written_by_torch.bin"
path.parent.mkdir(exist_ok=True)
torch.save(values, path)
print(path, path.stat().st_size, "bytes")
