// WordPiece, byte-level BPE and unigram over real text: a call a line, a call for all lines, and
// that without offsets.
// Not here: exactness against other tokenizers (tests/text holds it against the goldens).
#include <fmt/format.h>

#include "bench_inputs.h"
#include "bench_works.h"
#include "support/fail.h"

namespace tenfold::app {
namespace {

/// The three forms must agree with each other before any of them is timed.
size_t checked_token_count(const Tokenizer& tokenizer, const std::vector<std::string_view>& lines,
                           const BatchOptions& options) {
  const RaggedIds flat = tokenizer.encode_ids(lines, options);
  const auto batch = tokenizer.encode_batch(lines, options);
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::vector<int32_t> ids(flat.ids.begin() + flat.offsets[i],
                                   flat.ids.begin() + flat.offsets[i + 1]);
    require(ids == batch[i].ids && ids == tokenizer.encode_single(lines[i]).ids,
            ErrorKind::internal, "bench tokenize", "line {} is cut differently by the three forms",
            i + 1);
  }
  return flat.ids.size();
}

void bench_tokenizer(const BenchTimer& timer, const BenchTokenizer& work,
                     const std::vector<std::string_view>& lines, double bytes) {
  const Tokenizer& tokenizer = work.tokenizer;
  const BatchOptions options{.threads = static_cast<size_t>(timer.options().threads)};
  bool wanted = false;
  for (const char* form : {"/line", "/batch", "/batch-no-offsets"})
    wanted = wanted || timer.wants(work.name + form);
  if (!wanted) return;
  const auto tokens = static_cast<double>(checked_token_count(tokenizer, lines, options));
  size_t sink = 0;
  const auto run = [&](const char* form, const std::function<void()>& job) {
    const std::string name = work.name + form;
    if (!timer.wants(name)) return;
    const auto groups = timer.time(name, job);
    timer.rate(name, groups, bytes / 1e6, "bytes", "MB/s");
    timer.rate(name, groups, tokens, "tokens", "tokens/s");
  };
  run("/line", [&] {
    for (std::string_view line : lines) sink += tokenizer.encode_single(line).size();
  });
  run("/batch", [&] {
    for (const Encoding& encoding : tokenizer.encode_batch(lines, options)) sink += encoding.size();
  });
  run("/batch-no-offsets", [&] { sink += tokenizer.encode_ids(lines, options).ids.size(); });
  require(sink > 0 || lines.empty(), ErrorKind::internal, "bench tokenize", "no tokens were made");
}

}  // namespace

void bench_tokenize(const BenchTimer& timer) {
  const BenchText text = bench_text(timer.options());
  const std::vector<std::string_view> lines(text.lines.begin(), text.lines.end());
  for (const BenchTokenizer& work : text.tokenizers)
    bench_tokenizer(timer, work, lines, text.bytes());
}

}  // namespace tenfold::app
