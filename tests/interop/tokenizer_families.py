"""Makes one tokenizer directory a family with the stock library, and holds tenfold's ids against the library's.

    python tokenizer_families.py --tenfold build/tenfold --data ../shared/data --goldens ../shared/goldens --work DIR

Families: bert, electra, minilm, roberta, gpt2, t5, albert, and a few whose blocks no family of ours brings together. Each is read from
what the library wrote; then from what tenfold wrote of it (`tenfold prepare` leaves a copy beside its shards), which the library
reads again. Compared: ids of every golden string and of some real text; offsets and decoded text are compared where both sides define
them alike. A model file of SentencePiece is held against that package. Needs tokenizers, transformers, sentencepiece, zstandard.
Exit code 0 and one line of JSON a family when all agree.
"""
import argparse
import io
import json
import pathlib
import shutil
import subprocess
import sys


def unpacked(path):
    import zstandard
    return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(path.read_bytes())).read()


def make_library_families(data, work):
    from transformers import AlbertTokenizerFast, BertTokenizerFast, ElectraTokenizerFast, GPT2TokenizerFast, RobertaTokenizerFast, T5TokenizerFast
    vocab = str(data / "bert-base-uncased-vocab.txt")
    for name, made in (("bert", lambda: BertTokenizerFast(vocab=str(data / "bert-base-cased-vocab.txt"), do_lower_case=False)),
                       ("electra", lambda: ElectraTokenizerFast(vocab=vocab)), ("minilm", lambda: BertTokenizerFast(vocab=vocab))):
        made().save_pretrained(str(work / name))
    for name, cls in (("roberta", RobertaTokenizerFast), ("gpt2", GPT2TokenizerFast)):
        (work / name).mkdir()
        for part in ("vocab.json", "merges.txt"):
            (work / name / part).write_bytes(unpacked(data / f"gpt2-{part}.zst"))
        cls.from_pretrained(str(work / name)).save_pretrained(str(work / name))
    for name, cls in (("t5", T5TokenizerFast), ("albert", AlbertTokenizerFast)):
        (work / name).mkdir()
        shutil.copy(data / f"{name}-spiece.model", work / name / "spiece.model")
        cls.from_pretrained(str(work / name)).save_pretrained(str(work / name))
        (work / name / "spiece.model").unlink(missing_ok=True)


def make_mixed_families(data, work):
    """Blocks in other company than the families have them."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    vocab = {w: i for i, w in enumerate((data / "bert-base-uncased-vocab.txt").read_text(encoding="utf-8").split("\n")[:-1])}
    merges = [tuple(x.split(" ")) for x in unpacked(data / "gpt2-merges.txt.zst").decode().split("\n")[1:] if x]
    gpt2 = json.loads(unpacked(data / "gpt2-vocab.json.zst"))

    def put(name, t):
        (work / name).mkdir()
        t.save(str(work / name / "tokenizer.json"))
        (work / name / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    t = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    t.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("``", '"'), normalizers.Strip(), normalizers.NFD(),
                                         normalizers.StripAccents(), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits(True)])
    t.decoder = decoders.WordPiece(cleanup=False)
    t.post_processor = processors.BertProcessing(("[SEP]", vocab["[SEP]"]), ("[CLS]", vocab["[CLS]"]))
    t.add_special_tokens([AddedToken("[MASK]", lstrip=True), AddedToken("[PAD]", rstrip=True)])
    t.add_tokens([AddedToken("extra", single_word=True, normalized=True), AddedToken("id", single_word=True, normalized=False)])
    put("mixed-wordpiece", t)
    t = Tokenizer(models.BPE(gpt2, merges))
    t.normalizer = normalizers.NFC()
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"\p{N}"), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=True)])
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True)])
    t.add_special_tokens([AddedToken("<|endoftext|>")])
    put("mixed-bytes", t)
    t = Tokenizer(models.BPE(gpt2, merges))
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.RobertaProcessing(("<|endoftext|>", 50256), ("<|endoftext|>", 50256), trim_offsets=True, add_prefix_space=True)
    put("prefixed-bytes", t)


def lines_of(goldens, data):
    strings = [json.loads(x)["text"] for x in (goldens / "text/strings.jsonl").read_text().split("\n") if x]
    strings = [s for s in strings if "\n" not in s and "\r" not in s]  # one text a line
    text = (data / "tokenizers/botchan.txt").read_text(encoding="utf-8").split("\n")[:2000]
    wiki = unpacked(data / "wikitext2/valid.txt.zst").decode().split("\n")[:1000]
    return [x for x in strings + text + wiki if "\r" not in x]


def tenfold_rows(program, directory, lines, work):
    path = work / "lines.txt"
    path.write_bytes("".join(x + "\n" for x in lines).encode("utf-8"))
    out = subprocess.run([program, "tokenize", "--model", directory, "--input", path], check=True, capture_output=True).stdout
    rows = [json.loads(x) for x in out.decode("utf-8").split("\n") if x]
    if len(rows) != len(lines):
        sys.exit(f"{directory}: {len(lines)} lines, {len(rows)} rows")
    return rows


def byte_offsets(text, offsets):
    at = [0]
    for c in text:
        at.append(at[-1] + len(c.encode("utf-8")))
    return [[at[b], at[e]] for b, e in offsets]


def library_rows(directory, lines):
    from tokenizers import Tokenizer
    t = Tokenizer.from_file(str(directory / "tokenizer.json"))
    for line, e in zip(lines, t.encode_batch(lines)):
        yield e.ids, byte_offsets(line, e.offsets)


def sentencepiece_rows(path, lines):
    import sentencepiece
    m = sentencepiece.SentencePieceProcessor(model_file=str(path))
    for line in lines:
        pieces = m.encode(line, return_type="proto").pieces
        yield [p.id for p in pieces], None


def compare(name, ours, theirs, lines, inner=False):
    wrong, shifted = 0, 0
    for line, row, (ids, offsets) in zip(lines, ours, theirs):
        got = row["ids"]
        if inner:  # between what goes around a text
            got = got[len(got) - len(ids) - inner:len(got) - inner]
        if got != ids:
            wrong += 1
            if wrong <= 3:
                print(f"{name}: {line!r}\n  ours   {got}\n  theirs {ids}", file=sys.stderr)
        elif offsets is not None and row["offsets"] != offsets:
            shifted += 1
            if shifted <= 2:
                print(f"{name}: {line!r}\n  ours   {row['offsets']}\n  theirs {offsets}", file=sys.stderr)
    print(json.dumps({"family": name, "texts": len(lines), "different_ids": wrong, "different_offsets": shifted}), flush=True)
    return wrong


def saved_copy(program, directory, work):
    text = work / "text.txt"
    text.write_text("A line.\n")
    out = work / (directory.name + "-shards")
    subprocess.run([program, "prepare", "--input", text, "--vocab", directory, "--out", out], check=True, capture_output=True)
    return out / "tokenizer"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for key in ("tenfold", "data", "goldens", "work"):
        parser.add_argument("--" + key, type=pathlib.Path, required=True)
    a = parser.parse_args()
    work = a.work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    make_library_families(a.data / "tokenizers", work)
    make_mixed_families(a.data / "tokenizers", work)
    lines = lines_of(a.goldens, a.data)
    wrong = 0
    for directory in sorted(x for x in work.iterdir() if x.is_dir()):
        name = directory.name
        theirs = list(library_rows(directory, lines))
        wrong += compare(name, tenfold_rows(a.tenfold, directory, lines, work), theirs, lines)
        copy = saved_copy(a.tenfold, directory, work)
        wrong += compare(name + ", saved", tenfold_rows(a.tenfold, copy, lines, work), theirs, lines)
        wrong += compare(name + ", read by the library", [{"ids": i, "offsets": o} for i, o in library_rows(copy, lines)], theirs, lines)
    plain = [x for x in lines if not any(s in x for s in ("</s>", "<pad>", "<unk>", "<s>", "<extra_id"))]
    for name, file, after in (("t5 model file", "t5-spiece.model", 1), ("plain model file", "sp-test_model.model", 1)):
        directory = work / name.replace(" ", "-")
        directory.mkdir()
        shutil.copy(a.data / "tokenizers" / file, directory / "spiece.model")
        theirs = list(sentencepiece_rows(directory / "spiece.model", plain))
        wrong += compare(name, tenfold_rows(a.tenfold, directory, plain, work), theirs, plain, after)
        copy = saved_copy(a.tenfold, directory, work)
        wrong += compare(name + ", saved", tenfold_rows(a.tenfold, copy, plain, work), theirs, plain, after)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
