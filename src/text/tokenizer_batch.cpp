// Many texts at once, on several threads, with results in the order of the texts.
// Not here: a thread pool; threads live for one call.
#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "text/tokenizer_core.h"

namespace tenfold {
namespace text {
namespace {

constexpr size_t kChunk = 64;  // texts taken at a time

// Runs work(first, last) over 0 .. count - 1 in chunks; the first exception is rethrown here.
template <typename Work>
void in_chunks(size_t count, size_t chunk, size_t threads, Work&& work) {
  std::atomic<size_t> next{0};
  std::exception_ptr error;
  std::mutex error_mutex;
  const auto run = [&] {
    try {
      for (size_t first = next.fetch_add(chunk); first < count; first = next.fetch_add(chunk)) {
        work(first, std::min(first + chunk, count));
      }
    } catch (...) {
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
      next.store(count);
    }
  };
  threads = std::clamp<size_t>(threads, 1, std::max<size_t>((count + chunk - 1) / chunk, 1));
  std::vector<std::jthread> helpers;
  for (size_t i = 1; i < threads; ++i) helpers.emplace_back(run);
  run();
  helpers.clear();
  if (error) std::rethrow_exception(error);
}

// Appends one text's ids in the form the options ask for; `around` is null for the text alone.
void append_ids(const Tokenizer& tokenizer, std::string_view text, const BatchOptions& options,
                const PostProcessor* around, std::vector<int32_t>& ids) {
  if (!around) {
    const size_t start = ids.size();
    tokenizer.encode_ids_into(text, ids, options.literals);
    if (ids.size() - start > options.max_length) ids.resize(start + options.max_length);
    return;
  }
  for (const TemplateStep& step : around->single) {
    if (step.kind == TemplateStep::Kind::special) {
      ids.push_back(step.id);
      continue;
    }
    const size_t start = ids.size();
    const size_t room = options.max_length - around->added_to_single();
    tokenizer.encode_ids_into(text, ids, options.literals);
    if (ids.size() - start > room) ids.resize(start + room);
  }
}

void check_batch(const PostProcessor* around, const BatchOptions& options) {
  if (around) need_room(options.max_length, around->added_to_single());
}

Encoding encode_one(const Tokenizer& tokenizer, std::string_view text, const BatchOptions& options,
                    const PostProcessor* around) {
  if (!options.offsets) {
    Encoding out;
    append_ids(tokenizer, text, options, around, out.ids);
    return out;
  }
  if (options.add_special)
    return tokenizer.encode_single(text, options.max_length, options.literals);
  Encoding out = tokenizer.encode(text, options.literals);
  if (out.size() > options.max_length) {
    out.ids.resize(options.max_length);
    out.begin.resize(options.max_length);
    out.end.resize(options.max_length);
    out.segments.resize(options.max_length);
    out.special.resize(options.max_length);
  }
  return out;
}

}  // namespace
}  // namespace text

std::vector<Encoding> Tokenizer::encode_batch(std::span<const std::string_view> texts,
                                              const BatchOptions& options) const {
  const text::PostProcessor* around = options.add_special ? &impl_->boundaries() : nullptr;
  text::check_batch(around, options);
  std::vector<Encoding> out(texts.size());
  text::in_chunks(texts.size(), text::kChunk, options.threads, [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i)
      out[i] = text::encode_one(*this, texts[i], options, around);
  });
  return out;
}

RaggedIds Tokenizer::encode_ids(std::span<const std::string_view> texts,
                                const BatchOptions& options) const {
  const text::PostProcessor* around = options.add_special ? &impl_->boundaries() : nullptr;
  text::check_batch(around, options);
  RaggedIds out;
  out.offsets.assign(texts.size() + 1, 0);
  const size_t threads = std::max<size_t>(options.threads, 1);
  const size_t share = threads == 1 ? std::max<size_t>(texts.size(), 1) : text::kChunk * 4;
  const size_t num_shares = (texts.size() + share - 1) / share;
  std::vector<std::vector<int32_t>> parts(num_shares);
  text::in_chunks(texts.size(), share, threads, [&](size_t first, size_t last) {
    std::vector<int32_t>& ids = parts[first / share];
    size_t num_bytes = 0;
    for (size_t i = first; i < last; ++i) num_bytes += texts[i].size();
    ids.reserve(num_bytes / 4 + 2 * (last - first));
    for (size_t i = first; i < last; ++i) {
      const size_t before = ids.size();
      text::append_ids(*this, texts[i], options, around, ids);
      out.offsets[i + 1] = static_cast<int64_t>(ids.size() - before);
    }
  });
  for (size_t i = 0; i < texts.size(); ++i) out.offsets[i + 1] += out.offsets[i];
  if (num_shares == 1) {
    out.ids = std::move(parts[0]);
  } else {
    out.ids.reserve(static_cast<size_t>(out.offsets.back()));
    for (const auto& part : parts) out.ids.insert(out.ids.end(), part.begin(), part.end());
  }
  return out;
}

}  // namespace tenfold
