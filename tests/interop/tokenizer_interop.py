"""Compares the ids of a tokenizer directory written by tenfold with what the stock packages make of the same files.

    tenfold tokenize --model DIR --input LINES > OURS
    python tokenizer_interop.py DIR LINES OURS

OURS holds a JSON object a line: {"ids": [..], "tokens": [..], "offsets": [[begin, end], ..]}, offsets in bytes.
Needs the packages tokenizers and transformers, nothing else. Exit code 0 and one line of JSON when all agree.
"""
import argparse
import json
import pathlib
import sys


def byte_offsets(text, offsets):
    """Code-point offsets to UTF-8 byte offsets."""
    at = [0]
    for c in text:
        at.append(at[-1] + len(c.encode("utf-8")))
    return [[at[b], at[e]] for b, e in offsets]


def without_added(ours, special):
    """Our row without the [CLS] and [SEP] that an encoder may have put around it."""
    ids, tokens, offsets = ours["ids"], ours["tokens"], ours["offsets"]
    if ids and ids[0] == special[0] and offsets[0] == [0, 0]:
        ids, tokens, offsets = ids[1:-1], tokens[1:-1], offsets[1:-1]
    return ids, tokens, offsets


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("lines", type=pathlib.Path)
    parser.add_argument("ours", type=pathlib.Path)
    a = parser.parse_args()

    from tokenizers import Tokenizer
    from transformers import AutoTokenizer
    fast = Tokenizer.from_file(str(a.directory / "tokenizer.json"))
    auto = AutoTokenizer.from_pretrained(str(a.directory))
    lines = a.lines.read_bytes().decode("utf-8").split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    rows = [json.loads(x) for x in a.ours.read_text(encoding="utf-8").split("\n") if x]
    if len(rows) != len(lines):
        sys.exit(f"{len(lines)} lines of text, {len(rows)} of ours")
    special = (auto.cls_token_id, auto.sep_token_id)
    wrong = 0
    for n, (line, row) in enumerate(zip(lines, rows)):
        ids, tokens, offsets = without_added(row, special)
        theirs = fast.encode(line, add_special_tokens=False)
        slow = auto(line, add_special_tokens=False).input_ids
        if ids == theirs.ids == slow and tokens == theirs.tokens and offsets == byte_offsets(line, theirs.offsets):
            continue
        wrong += 1
        if wrong <= 5:
            print(f"line {n + 1}: {line!r}\n  ours  {ids}\n  fast  {theirs.ids}\n  auto  {slow}", file=sys.stderr)
    whole = lines[:200]
    again = sum(auto(x).input_ids != [special[0], *auto(x, add_special_tokens=False).input_ids, special[1]] for x in whole)
    names = all(getattr(auto, f"{k}_token_id") is not None for k in ("pad", "unk", "cls", "sep", "mask"))
    print(json.dumps({"lines": len(lines), "mismatches": wrong, "boundary_mismatches": again, "special_tokens": names}))
    return 1 if wrong or again or not names else 0


if __name__ == "__main__":
    sys.exit(main())
