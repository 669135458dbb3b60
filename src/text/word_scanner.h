// Normalises a text and cuts it into words, each with the map from its bytes back to the input's.
// Not here: the vocabulary (wordpiece.h); special-token literals are cut out before the text comes
// here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "text/char_table.h"
#include "text/utf8.h"

namespace tenfold::text {

/// One normalised word. Byte i of it came from input bytes [map_begin[i], map_end[i]); where the
/// maps are null it came from input byte begin + i alone. Valid until the next word.
struct Word {
  const char* bytes;
  uint32_t length;
  bool too_long;  // more than max_chars code points; bytes then hold a beginning only
  uint32_t begin, end;
  const uint32_t* map_begin;
  const uint32_t* map_end;
};

/// Cuts one text. Keep an object per thread and reuse it: it allocates only for words longer than
/// any before.
class WordScanner {
 public:
  /// Calls on_word(const Word&) for every word of `text`, in order. Input positions are counted
  /// from `origin`. Time is linear in the text; memory in max_chars, and in the longest run of
  /// marks where one has to be sorted.
  template <typename OnWord>
  void scan(const CharTable& table, std::string_view text, uint32_t origin, size_t max_chars,
            OnWord&& on_word);

 private:
  struct Mark {
    uint8_t order;
    bool first;  // of its source character
    uint32_t value;
  };
  struct Source {
    uint32_t begin, end;
  };

  template <typename OnWord>
  size_t scan_word(size_t at, OnWord&& on_word);
  template <typename OnWord>
  void spread(uint32_t c, Source source, OnWord&& on_word);
  template <typename OnWord>
  void flush(OnWord&& on_word);
  template <typename OnWord>
  void emit_alone(const CharEntry& entry, Source source, OnWord&& on_word);

  void start_cluster(size_t begin) {
    cluster_begin_ = begin;
    cluster_bytes_ = num_bytes_;
    cluster_chars_ = num_chars_;
  }
  void append(const char* bytes, uint32_t length, uint32_t num_chars, Source source);
  void append(uint32_t c, Source source);
  size_t append_cluster();

  const CharTable* table_ = nullptr;
  std::string_view text_;
  uint32_t origin_ = 0;
  size_t max_chars_ = 0;

  std::vector<char> bytes_;
  std::vector<uint32_t> map_begin_, map_end_;
  size_t num_bytes_ = 0, num_chars_ = 0;
  uint32_t word_end_ = 0;
  size_t cluster_begin_ = 0, cluster_bytes_ = 0, cluster_chars_ = 0;
  std::vector<Mark> marks_;
  std::vector<Source> sources_;
};

template <typename OnWord>
void WordScanner::scan(const CharTable& table, std::string_view text, uint32_t origin,
                       size_t max_chars, OnWord&& on_word) {
  constexpr size_t kFast = 128;
  char fast[kFast];
  table_ = &table;
  text_ = text;
  origin_ = origin;
  max_chars_ = max_chars;
  const size_t size = text.size();
  for (size_t at = 0; at < size;) {
    const auto lead = static_cast<uint8_t>(text[at]);
    const CharKind kind = table.ascii_kind(lead);
    if (kind == CharKind::blank || kind == CharKind::removed) {
      ++at;
      continue;
    }
    const uint32_t begin = origin + static_cast<uint32_t>(at);
    if (kind == CharKind::isolated) {
      const char byte = table.ascii_byte(lead);
      on_word(Word{&byte, 1, false, begin, begin + 1, nullptr, nullptr});
      ++at;
      continue;
    }
    // A word of ASCII letters alone maps one to one; whatever else turns up is left to scan_word.
    size_t i = at;
    uint32_t length = 0;
    CharKind last = kind;
    while (last == CharKind::letter && length < kFast) {
      fast[length++] = table.ascii_byte(static_cast<uint8_t>(text[i]));
      last = ++i < size ? table.ascii_kind(static_cast<uint8_t>(text[i])) : CharKind::blank;
    }
    if (last == CharKind::blank || last == CharKind::isolated) {
      on_word(Word{fast, length, length > max_chars, begin, begin + length, nullptr, nullptr});
      at = i;
    } else {
      at = scan_word(at, on_word);
    }
  }
}

template <typename OnWord>
void WordScanner::flush(OnWord&& on_word) {
  if (num_chars_ > 0) {
    on_word(Word{bytes_.data(), static_cast<uint32_t>(num_bytes_), num_chars_ > max_chars_,
                 map_begin_[0], word_end_, map_begin_.data(), map_end_.data()});
  }
  num_bytes_ = num_chars_ = 0;
}

template <typename OnWord>
void WordScanner::emit_alone(const CharEntry& entry, Source source, OnWord&& on_word) {
  flush(on_word);
  append(entry.bytes.data(), entry.length, entry.num_chars, source);
  flush(on_word);
}

template <typename OnWord>
void WordScanner::spread(uint32_t c, Source source, OnWord&& on_word) {
  const CodePoints out = table_->normalize(c);
  for (uint32_t i = 0; i < out.count; ++i) {
    const bool blank = is_blank(out.value[i]), alone = is_punctuation(out.value[i]);
    if (blank || alone) flush(on_word);
    if (!blank) append(out.value[i], source);
    if (alone) flush(on_word);
  }
}

// Any characters from `at` on, up to and including the first that ends a word; returns where to go
// on.
template <typename OnWord>
size_t WordScanner::scan_word(size_t at, OnWord&& on_word) {
  num_bytes_ = num_chars_ = 0;
  start_cluster(at);
  while (at < text_.size()) {
    const CodePoint c = decode_utf8(text_, at);
    const size_t next = at + c.length;
    const Source source{origin_ + static_cast<uint32_t>(at), origin_ + static_cast<uint32_t>(next)};
    const CharEntry& entry = (*table_)[c.value];
    if (entry.starts && entry.kind != CharKind::removed) start_cluster(at);
    switch (entry.kind) {
      case CharKind::letter:
        append(entry.bytes.data(), entry.length, entry.num_chars, source);
        break;
      case CharKind::removed:
      case CharKind::mark: break;
      case CharKind::blank: flush(on_word); return next;
      case CharKind::isolated: emit_alone(entry, source, on_word); return next;
      case CharKind::reorder: at = append_cluster(); continue;
      case CharKind::spread:
        spread(c.value, source, on_word);
        start_cluster(next);
        break;
    }
    at = next;
  }
  flush(on_word);
  return at;
}

}  // namespace tenfold::text
