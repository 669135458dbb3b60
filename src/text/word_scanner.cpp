// The word under construction: its bytes, their places, and the sorting of marks.
// Not here: the scan itself, a template (word_scanner.h).
#include "text/word_scanner.h"

#include <algorithm>

namespace tenfold::text {

void WordScanner::append(const char* bytes, uint32_t length, uint32_t num_chars, Source source) {
  word_end_ = source.end;
  num_chars_ += num_chars;
  if (num_chars_ > max_chars_ && num_bytes_ > 0) return;  // too long: only its end still matters
  if (bytes_.size() < num_bytes_ + length) {
    const size_t room = std::max<size_t>(512, 2 * (num_bytes_ + length));
    bytes_.resize(room);
    map_begin_.resize(room);
    map_end_.resize(room);
  }
  for (uint32_t i = 0; i < length; ++i) {
    bytes_[num_bytes_] = bytes[i];
    map_begin_[num_bytes_] = source.begin;
    map_end_[num_bytes_] = source.end;
    ++num_bytes_;
  }
}

void WordScanner::append(uint32_t c, Source source) {
  char buffer[4];
  append(buffer, encode_utf8(c, buffer), 1, source);
}

// Canonical order: the marks after a starter are sorted by class. The stock tokenizer hands the
// places of the source characters out in the *sorted* order, and the second and later parts of a
// decomposition repeat the place given out last; offsets follow that. Takes the last starter's
// cluster back and writes it again, sorted.
size_t WordScanner::append_cluster() {
  num_bytes_ = cluster_bytes_;
  num_chars_ = cluster_chars_;
  marks_.clear();
  sources_.clear();
  size_t at = cluster_begin_, last_starter = 0;
  while (at < text_.size()) {
    const CodePoint c = decode_utf8(text_, at);
    const CharEntry& entry = (*table_)[c.value];
    if (entry.kind != CharKind::removed) {
      if (entry.starts && !sources_.empty()) break;
      sources_.push_back(
          {origin_ + static_cast<uint32_t>(at), origin_ + static_cast<uint32_t>(at + c.length)});
      const CodePoints parts = decompose(c.value);
      for (uint32_t i = 0; i < parts.count; ++i) {
        marks_.push_back({combining_class(parts.value[i]), i == 0, parts.value[i]});
        if (marks_.back().order == 0) last_starter = marks_.size();
      }
    }
    at += c.length;
  }
  std::stable_sort(marks_.begin() + static_cast<std::ptrdiff_t>(last_starter), marks_.end(),
                   [](const Mark& a, const Mark& b) { return a.order < b.order; });
  size_t next_source = 0;
  for (const Mark& mark : marks_) {
    if (mark.first) ++next_source;
    if (is_nonspacing_mark(mark.value)) continue;
    CodePoints out{{mark.value, 0, 0, 0}, 1};
    if (table_->options().lowercase) out = lower_case(mark.value);
    for (uint32_t i = 0; i < out.count; ++i)
      append(out.value[i], sources_[std::max<size_t>(next_source, 1) - 1]);
  }
  start_cluster(at);
  return at;
}

}  // namespace tenfold::text
