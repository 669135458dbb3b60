#!/usr/bin/env python3
"""Writes the hand-made seeds of tests/fuzz/corpus/ anew; seeds that a fuzzer found (found-*) stay.

Not here: any check. The replay programs of the fast suite read what this writes.
"""
import base64
import gzip
import io
import json
import pathlib
import struct
import zipfile

root = pathlib.Path(__file__).parent / "corpus"


def put(target, name, data):
    folder = root / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def make_safetensors():
    two = {"__metadata__": {"format": "pt"}, "a": entry("F32", [2, 3], 0, 24), "b": entry("BF16", [4], 24, 32)}
    put("safetensors", "two", safetensors(two, bytes(32)))
    put("safetensors", "padded", safetensors(json.dumps({"s": entry("I64", [], 0, 8)}).encode() + b"   ", bytes(8)))
    put("safetensors", "empty-tensor", safetensors({"e": entry("U8", [0, 5], 0, 0)}))
    put("safetensors", "none", safetensors({}))
    put("safetensors", "all-types", safetensors({t: entry(t, [0], 0, 0) for t in (
        "F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL").split()}))
    put("safetensors", "hole", safetensors({"a": entry("U8", [1], 0, 1), "b": entry("U8", [1], 2, 3)}, bytes(3)))
    put("safetensors", "overflow", safetensors({"a": entry("F64", [2**40, 2**40], 0, 8)}, bytes(8)))
    put("safetensors", "twice", safetensors(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
                                            b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"))
    put("safetensors", "deep", safetensors(b'{"a":' + b"[" * 300))
    put("safetensors", "control", safetensors(b'{"a\\n\\u001b[31m":{"dtype":"F9"}}'))
    put("safetensors", "utf8", safetensors({"\u00e9\u4e2d": entry("U8", [1], 0, 1)}, b"x"))
    put("safetensors", "long-header", struct.pack("<Q", 2**63) + b"{}")


def pickle_text(s):
    data = s.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def pickle_global(module, name):
    return b"c" + f"{module}\n{name}\n".encode()


def pickle_tuple(numbers):
    return b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", n) for n in numbers) + b"t"


def pickle_tensor(storage, key, size, offset, shape, strides):
    place = b"(" + pickle_text("storage") + pickle_global("torch", storage) + pickle_text(key) + pickle_text("cpu")
    return (pickle_global("torch._utils", "_rebuild_tensor_v2") + b"(" + place + b"K" + bytes([size]) + b"tQK" +
            bytes([offset]) + pickle_tuple(shape) + pickle_tuple(strides) + b"\x89" +
            pickle_global("collections", "OrderedDict") + b")RtR")


def state_dict(values, end=b"."):
    items = b"".join(pickle_text(name) + value for name, value in values.items())
    return b"\x80\x02" + pickle_global("collections", "OrderedDict") + b")Rq\x00(" + items + b"u" + end


def archive(entries, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in entries.items():
            file.writestr(zipfile.ZipInfo("a/" + name), data, method)
    return out.getvalue()


def make_pytorch():
    w = pickle_tensor("FloatStorage", "0", 6, 0, [2, 3], [3, 1])
    data = bytes(24)
    put("pytorch", "ok-one", archive({"data.pkl": state_dict({"w": w}), "byteorder": "little", "data/0": data}))
    put("pytorch", "ok-views", archive({"data.pkl": state_dict({
        "w": w, "t": pickle_tensor("FloatStorage", "0", 6, 0, [3, 2], [1, 3]),
        "s": pickle_tensor("FloatStorage", "0", 6, 5, [], [])}), "data/0": data}))
    put("pytorch", "ok-none", archive({"data.pkl": state_dict({})}))
    put("pytorch", "ok-attributes", archive({"data.pkl": state_dict({"w": w}, end=b"}" + pickle_text("_metadata") +
        b"}sb."), "data/0": data}))
    put("pytorch", "ok-protocol4", archive({"data.pkl": b"\x80\x04\x95" + bytes(8) + b"}\x94(\x8c\x01w\x94" + w +
        b"u.", "data/0": data}))
    put("pytorch", "bad-call", archive({"data.pkl": state_dict({"w": pickle_global("os", "system") + b"(" +
        pickle_text("true") + b"tR"})}))
    put("pytorch", "bad-overlap", archive({"data.pkl": state_dict({
        "w": pickle_tensor("FloatStorage", "0", 6, 0, [2**40], [0])}), "data/0": data}))
    put("pytorch", "bad-cycle", archive({"data.pkl": b"\x80\x02}q\x00" + pickle_text("w") + b"h\x00s."}))
    put("pytorch", "bad-compressed", archive({"data.pkl": state_dict({"w": w}), "data/0": data}, zipfile.ZIP_DEFLATED))
    put("pytorch", "bad-legacy", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.")


def make_config():
    bert = {"architectures": ["BertForSequenceClassification"], "model_type": "bert", "vocab_size": 80,
            "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
            "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
            "max_position_embeddings": 32, "type_vocab_size": 2, "initializer_range": 0.02,
            "layer_norm_eps": 1e-12, "pad_token_id": 0, "position_embedding_type": "absolute",
            "classifier_dropout": None, "torch_dtype": "float32", "transformers_version": "4.40.0",
            "id2label": {"0": "no", "1": "yes"}, "label2id": {"no": 0, "yes": 1}}
    put("config_json", "classifier", json.dumps(bert, indent=2))
    put("config_json", "own", json.dumps({**bert, "model_type": "tenfold-bert", "tenfold": {"version": "0.1.0", "model": {
        "num_hidden_layers": 3, "residual_attention": True, "layers": [{"count": 1}, {"count": 2, "attention": {
            "kind": "softmax"}, "intermediate_size": 8}]}}}))
    put("config_json", "electra", json.dumps({**bert, "model_type": "electra", "architectures": ["ElectraForMultipleChoice"],
        "embedding_size": 8, "summary_type": "first", "summary_use_proj": True, "summary_activation": "gelu",
        "summary_last_dropout": 0.1, "problem_type": None}))
    put("config_json", "roberta", json.dumps({**bert, "model_type": "roberta", "architectures": [
        "RobertaForSequenceClassification"], "pad_token_id": 1, "type_vocab_size": 1,
        "problem_type": "multi_label_classification"}))
    put("config_json", "no-positions", json.dumps({**bert, "model_type": "roberta", "pad_token_id": 31}))
    put("config_json", "heads", json.dumps({**bert, "num_attention_heads": 3}))
    put("config_json", "huge", json.dumps({**bert, "hidden_size": 10**30, "num_hidden_layers": -1}))
    put("config_json", "types", json.dumps({**bert, "hidden_size": "16", "id2label": ["x"], "architectures": {}}))
    put("config_json", "deep", "[" * 100)
    put("config_json", "empty", "{}")
    put("config_json", "other", '{"model_type": "t5\\nx"}')
    put("config_json", "nan", json.dumps({**bert, "layer_norm_eps": 1e308, "initializer_range": 5}))


def tokenizer(**changes):
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "dog", "##s", "\u00e9", "\u4e2d", ","]
    special = lambda name, kind: {"SpecialToken": {"id": name, "type_id": kind}}
    sequence = lambda name, kind: {"Sequence": {"id": name, "type_id": kind}}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True} for i, t in enumerate(tokens[:5])],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": [special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)],
                           "pair": [special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0), sequence("B", 1), special("[SEP]", 1)],
                           "special_tokens": {t: {"id": t, "ids": [i], "tokens": [t]} for t, i in (("[CLS]", 2), ("[SEP]", 3))}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {t: i for i, t in enumerate(tokens)}}, **changes}


def make_tokenizer_json():
    put("tokenizer_json", "bert", json.dumps(tokenizer(), ensure_ascii=False))
    put("tokenizer_json", "bert-processing", json.dumps(tokenizer(
        post_processor={"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}, decoder=None)))
    put("tokenizer_json", "hole", json.dumps(tokenizer(added_tokens=[{"id": 900, "content": "[X]", "special": True}])))
    put("tokenizer_json", "unigram", json.dumps(tokenizer(model={"type": "Unigram", "unk_id": 0, "vocab": [["a", -1.5]]})))
    put("tokenizer_json", "far-id", json.dumps(tokenizer(model={"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[UNK]": 2**31}})))
    put("tokenizer_json", "twice", '{"model": {}, "model": {}}')
    put("tokenizer_json", "deep", '{"model":' * 80)
    put("tokenizer_json", "side", json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": False, "strip_accents": True,
        "tokenize_chinese_chars": False, "pad_token": "[PAD]", "cls_token": {"content": "[CLS]", "lstrip": False},
        "additional_special_tokens": ["dog"]}))


def make_vocabulary():
    put("vocabulary", "plain", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ndog\n##s\n\u00e9\n\u4e2d\n")
    put("vocabulary", "crlf", "[PAD]\r\n[UNK]\r\na\r\n##b")
    put("vocabulary", "empty-line", "[UNK]\n\na\n")
    put("vocabulary", "no-unknown", "a\nb\n")
    put("vocabulary", "repeat", "[UNK]\na\na\n##a\n##a\n")
    put("vocabulary", "not-utf8", b"[UNK]\n\xff\xfe\n\xc3\n")
    put("vocabulary", "odd", "[UNK]\n##\n#\n \n\u200b\na b\n\x00\n")


def make_recipe():
    put("recipe", "all", 'flag = true\nsteps = 1e3\nrate = 0.5\nname = "a\\u00e9"\nmaybe = 3\nsizes = [1, 2]\nwords = ["x", "y"]\n'
                         'color = "green"\nattention = "softmax"\n[inner]\ncount = 2\nshare = 0.25\n[[layers]]\ncount = 1\n[[layers]]\nshare = 0.1\n')
    put("recipe", "choice", 'attention.kind = "performer"\n[attention.performer]\ncount = 7\n')
    put("recipe", "unknown", "stepz = 1\n")
    put("recipe", "types", 'steps = "x"\nsizes = [1, "a"]\n')
    put("recipe", "dates", "steps = 2024-01-01T10:00:00Z\nrate = inf\n")
    put("recipe", "deep", "a = " + "[" * 300)
    put("recipe", "overrides", 'inner.count=3\nlayers.0.count=2\nname=bare word\nsizes=[1,2,3]\nattention.kind=performer\nattention.performer.count=9\na..b=1\n')
    put("recipe", "strings", "name = '''\n\\n'''\nwords = [\"\"\"a\nb\"\"\", 'c']\n")
    put("recipe", "numbers", "steps = 0x7fffffffffffffff\nrate = -0.0\nmaybe = -9223372036854775808\n")


def make_shards():
    def shard(ids, ends, width, fingerprint=7, magic=b"TFSHARD1"):
        body = b"".join(struct.pack("<Q", e) for e in ends) + b"".join(
            i.to_bytes(width, "little") for i in ids)
        return magic + struct.pack("<IIQQQQQQ", width, 0, len(ends), len(ids), fingerprint, 0, 0, 0) + body
    def index(**changes):
        return json.dumps({"format": 1, "complete": True, "documents": 2, "tokens": 5, "vocabulary": 80, "fingerprint": 7,
                           "files": ["shard-00000.bin"], **changes}).encode() + b"\0"
    put("shards", "narrow", index() + shard([5, 6, 7, 8, 9], [2, 5], 2))
    put("shards", "wide", index(vocabulary=70000) + shard([5, 69999, 7, 8, 9], [2, 5], 4))
    put("shards", "out-of-vocabulary", index() + shard([5, 65535, 7, 8, 9], [2, 5], 2))
    put("shards", "ends-fall", index() + shard([5, 6, 7, 8, 9], [5, 2], 2))
    put("shards", "cut", index() + shard([5, 6, 7, 8, 9], [2, 5], 2)[:-3])
    put("shards", "outside", index(files=["../shards.json"]) + b"")
    put("shards", "many", index(documents=2**62, tokens=2**63) + shard([], [], 4))
    put("shards", "unfinished", index(complete=False) + shard([1], [1], 2))
    put("shards", "other-vocabulary", index() + shard([5], [1], 2, fingerprint=8))


def make_rows():
    put("rows", "text", '{"text": "the dog \\u00e9", "label": "a"}\n{"text": "a cat", "label": 1}\n')
    put("rows", "pairs", '{"sentence1": "a", "sentence2": "b", "label": null}\n\n{"text": 5, "label": [1]}\r\n')
    put("rows", "bad", '{"text": \n[1]\n"x"\n{"label": "z"}\n\xff\n')
    put("rows", "columns", "sentence\tlabel\nthe dog\t1\na cat\t0\nonly one\n")
    put("rows", "commas", 'text,label\n"a, ""quoted""\nline",1\nplain,0\n')
    put("rows", "open-quote", 'text,label\n"never closed,1\n')
    put("rows", "wiki", '<doc id="1">\nTitle\n\nBody\n</doc>\n<doc id="2">\nx\n')
    put("rows", "gzip", gzip.compress(b'{"text": "zipped", "label": "a"}\n', mtime=0) + gzip.compress(b'{"text": "two", "label": "b"}\n', mtime=0))
    put("rows", "gzip-cut", gzip.compress(b"a\tb\n" * 30, mtime=0)[:-9])
    # One zstd frame with a raw block, written by hand: magic, single-segment header, last block of 7 bytes.
    put("rows", "zstd", b"\x28\xb5\x2f\xfd\x20\x07" + (7 << 3 | 1).to_bytes(3, "little") + b"x\t1\ny\t0")
    put("rows", "deep", '{"text": ' + "[" * 400)
    put("rows", "mark", b"\xef\xbb\xbfplain text\n\nsecond")


def make_task_rows():
    answer = {"text": "b\u00e9", "answer_start": 2}
    question = {"id": "1", "question": "q", "answers": [answer, {"text": "\U0001d11e", "answer_start": 0}]}
    none = {"question": "r", "id": "2", "answers": [], "is_impossible": True}
    paragraph = {"qas": [question, none, question], "context": "\U0001d11e b\u00e9 c"}
    squad = {"data": [{"paragraphs": [paragraph], "title": "T"}, {"title": "U", "paragraphs": []}], "version": "2.0"}
    put("task_rows", "squad", json.dumps(squad))
    put("task_rows", "squad-offset", json.dumps(squad).replace('"answer_start": 2', '"answer_start": 4000000000'))
    put("task_rows", "squad-types", '{"data": [{"paragraphs": [{"context": 5, "qas": [1, {"id": {}}, []]}, [], 7]}, 3]}')
    put("task_rows", "nbest", json.dumps({"u1": {"hyp_1": {"score": -1.5, "text": "a"}, "hyp_10": {"score": 0, "text": "b"},
                                                 "ref": "a"}, "u2": {"hyp_x": 1, "hyp_2": {"score": 1e300}}, "u3": 5}))
    put("task_rows", "conll", "-DOCSTART- -X- O\n\n# a comment here\nEU NNP B-ORG\nsays VB O\n\nen:It\tB-A\nen:is\tI-A\n")
    put("task_rows", "bioes", "a\tB-X\nb\tI-X\nc\tE-X\nd\tS-Y\n\ne\tE-X\nf\tU-X\n")
    put("task_rows", "iob1", "a I-X\nb B-X\nc O\nd I-Y\ne I-X\n")
    put("task_rows", "latin1", b"LOC:city caf\xe9\nNUM:date caf\xc3\xa9\n:\n \n")
    put("task_rows", "sts", "2.5\ta\tb\n\tc\td\nnan\te\tf\n1e999\tg\th\n")
    put("task_rows", "cola", "gj04\t1\t*\tA \"car.\ngj04\t2\t\tA car.\nshort\n")
    put("task_rows", "choices", json.dumps({"question": "q", "choices": ["a", "b"], "label": "B"}) + "\n" +
        json.dumps({"sent1": "c", "ending0": "a", "ending1": "b", "label": 9}) + "\n")
    put("task_rows", "contrastive", json.dumps({"anchor": "a", "positive": "p", "negatives": ["n", "m"], "negative_1": None}) + "\n")
    put("task_rows", "blimp", json.dumps({"sentence_good": "a", "sentence_bad": "b", "UID": "u", "field": 3}) + "\n")
    put("task_rows", "header", 'anchor,positive,negative\n"a\n""b",p,n\na,p\n')


def make_text():
    put("text", "plain", "The dogs, unaffable. [MASK] caf\u00e9")
    put("text", "accents", "a\u0301\u0300 \u1e9b\u0323 \u0130\u0131\u00df \u01c5 \uac00\u1100\u1161")
    put("text", "marks", "\u0315\u0300\u05ae" * 40)
    put("text", "broken", b"\xff\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xe4\xb8 \xf0\x9f\x98\x80")
    put("text", "controls", "\x00\x01\t\n\r\x7f\u0085\u200b\u200d\ufeff\ufffd\u2028")
    put("text", "chinese", "\u4e2d\u6587a\u3400\U00020000")
    put("text", "literals", "[CLS][SEP][mask][MASK[UNK]]##s[PAD")
    put("text", "long", "a" * 300 + " " + "dog" * 60)


def byte_bpe(**changes):
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"abcdefghijklmnopqrstuvwxyz#,T[]", "\u0120", "\u00c3", "\u00a9", "\u00cc"]
    merges = [["d", "o"], ["do", "g"], ["\u0120", "t"], ["h", "e"], ["\u0120t", "he"]]
    tokens += [a + b for a, b in merges]
    added = [{"id": i, "content": t, "single_word": False, "lstrip": t == "<mask>", "rstrip": False, "normalized": False,
              "special": True} for i, t in enumerate(tokens[:5])]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": level, "decoder": level,
            "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": True,
                               "add_prefix_space": False},
            "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": "", "fuse_unk": True,
                      "end_of_word_suffix": "", "byte_fallback": False, "ignore_merges": False,
                      "vocab": {t: i for i, t in enumerate(tokens)}, "merges": merges}, **changes}


def charsmap():
    """A map of a to b and of z to nothing, as a Darts double array."""
    units = [0] * 256
    units[0] = 128 << 10  # the root's children lie at 128 ^ byte
    for byte, value in ((ord("a"), 0), (ord("z"), 1)):
        at = 128 ^ byte
        units[at] = byte | 0x100 | (at ^ (byte + 8)) << 10  # a value at byte + 8
        units[byte + 8] = 1 << 31 | value
    trie = struct.pack("<256I", *units)
    return struct.pack("<I", len(trie)) + trie + b"b\0\0"


def unigram(**changes):
    mark = "\u2581"
    pieces = [["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], [mark, -2.0], [mark + "the", -3.0], ["dog", -4.5], ["s", -3.5],
              ["<0xE4>", -9.0], ["d", -5.0]]
    metaspace = {"type": "Metaspace", "replacement": mark, "prepend_scheme": "first", "split": True}
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [{"id": i, "content": p[0], "single_word": i == 0, "lstrip": False, "rstrip": i == 1,
                              "normalized": i == 2, "special": i < 2} for i, p in enumerate(pieces[:3])],
            "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap()).decode()}, {"type": "NFKD"},
                {"type": "StripAccents"}, {"type": "Lowercase"}, {"type": "NFC"}, {"type": "Strip", "strip_left": True, "strip_right": True},
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace, {"type": "Digits"}, {
                "type": "Punctuation", "behavior": "MergedWithPrevious"}]},
            "post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, {
                "SpecialToken": {"id": "</s>", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {
                    "Sequence": {"id": "B", "type_id": 0}}], "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}},
            "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": mark}, "content": " "}, {
                "type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
            "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": True, "vocab": pieces}, **changes}


def varint(n):
    out = b""
    while n >= 128:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value % 2**64)
    return varint(number << 3 | 2) + varint(len(value)) + value


def piece(text, score, kind=1):
    return field(1, field(1, text.encode()) + field(2, score) + field(3, kind))


def sentencepiece(kind=1, fallback=0, t5=True, extra=b""):
    mark = "\u2581"
    first = [("<pad>", 3), ("</s>", 3), ("<unk>", 2)] if t5 else [("<unk>", 2), ("<s>", 3), ("</s>", 3)]
    pieces = b"".join(piece(text, 0.0, k) for text, k in first)
    for i, text in enumerate([mark, "t", "h", "e", "d", "o", "g", "s", "th", "the", mark + "the", "do", "dog"]):
        pieces += piece(text, -1.0 - i / 4)
    pieces += piece("(", 0.0, 4) + piece("he", -2.0, 5) + (piece("<0xE4>", 0.0, 6) if fallback else b"")
    trainer = field(3, kind) + field(35, fallback)
    if t5:
        trainer += field(40, 2) + field(41, -1) + field(42, 1) + field(43, 0)
    return pieces + field(2, trainer) + field(3, field(1, b"nmt_nfkc") + field(2, charsmap())) + extra


def make_sentencepiece():
    put("sentencepiece", "unigram", sentencepiece())
    put("sentencepiece", "bpe", sentencepiece(kind=2, fallback=1, t5=False))
    put("sentencepiece", "plain", sentencepiece(t5=False))
    put("sentencepiece", "words", sentencepiece(kind=3))
    put("sentencepiece", "no-unknown", piece("a", -1.0))
    put("sentencepiece", "two-unknown", piece("a", -1.0, 2) + piece("b", -1.0, 2))
    put("sentencepiece", "cut-map", piece("<unk>", 0.0, 2) + field(3, field(2, struct.pack("<I", 2**31) + b"abcd")))
    put("sentencepiece", "nan", piece("<unk>", float("nan"), 2))
    put("sentencepiece", "long-length", b"\x0a" + varint(2**63))
    put("sentencepiece", "denormalizer", sentencepiece(extra=field(5, field(2, charsmap()))))


def make_families():
    put("tokenizer_json", "byte-bpe", json.dumps(byte_bpe()))
    put("tokenizer_json", "byte-bpe-split", json.dumps(byte_bpe(pre_tokenizer={"type": "Sequence", "pretokenizers": [
        {"type": "Digits", "individual_digits": True}, {"type": "ByteLevel", "add_prefix_space": True}]})))
    put("tokenizer_json", "unigram-t5", json.dumps(unigram()))
    wordpiece = tokenizer(normalizer={"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Prepend", "prepend": "_"}]},
                          pre_tokenizer={"type": "Whitespace"}, decoder={"type": "BPEDecoder", "suffix": "</w>"})
    put("tokenizer_json", "wordpiece-general", json.dumps(wordpiece))
    chars = byte_bpe(pre_tokenizer={"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithNext", "invert": False},
                     decoder=None, post_processor={"type": "Sequence", "processors": [{"type": "ByteLevel"}]})
    put("tokenizer_json", "bpe-characters", json.dumps(chars))
    put("tokenizer_json", "growth", json.dumps(tokenizer(normalizer={"type": "Sequence", "normalizers": [
        {"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaa"}] * 30})))


for make in (make_safetensors, make_pytorch, make_config, make_tokenizer_json, make_families, make_sentencepiece, make_vocabulary,
             make_recipe, make_shards, make_rows, make_task_rows, make_text):
    make()
