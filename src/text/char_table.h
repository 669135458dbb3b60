// What normalisation makes of every code point, worked out once per block of 256 and kept.
// Not here: words (word_scanner.h) and the Unicode facts themselves (unicode.h).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "text/unicode.h"

namespace tenfold::text {

/// The choices of a BERT normaliser.
struct NormalizerOptions {
  bool clean_text = true;
  bool split_chinese = true;
  bool strip_accents = true;
  bool lowercase = true;
  bool operator==(const NormalizerOptions&) const = default;
};

enum class CharKind : uint8_t {
  letter,    ///< part of a word
  removed,   ///< dropped by cleaning, before anything else sees it
  mark,      ///< dropped with the accents
  blank,     ///< between words
  isolated,  ///< a word of its own
  reorder,   ///< keeps a mark whose place depends on the marks around it
  spread,    ///< becomes several characters of different kinds, or more than 12 bytes
};

/// One code point after normalisation: 16 bytes, so that four share a cache line.
struct CharEntry {
  CharKind kind = CharKind::removed;
  uint8_t length = 0;     // bytes of the result
  uint8_t num_chars = 0;  // code points of the result
  bool starts = true;     // its decomposition begins with a starter
  std::array<char, 12> bytes{};
};

/// Normalisation of single code points under fixed options. Blocks are made on first use, without
/// locks: two threads may make the same block, one is kept. Safe to share between threads.
class CharTable {
 public:
  explicit CharTable(const NormalizerOptions& options);
  ~CharTable();
  CharTable(const CharTable&) = delete;
  CharTable& operator=(const CharTable&) = delete;

  const CharEntry& operator[](uint32_t c) const {
    const Block* block = blocks_[c >> 8].load(std::memory_order_acquire);
    if (!block) block = make_block(c >> 8);
    return (*block)[c & 0xFF];
  }

  /// Kind of an ASCII byte and the byte it becomes; bytes from 0x80 on are CharKind::spread.
  CharKind ascii_kind(uint8_t byte) const { return ascii_kind_[byte]; }
  char ascii_byte(uint8_t byte) const { return ascii_byte_[byte]; }

  /// The code points that `c` becomes once marks are dropped and letters lowered, before
  /// reordering.
  CodePoints normalize(uint32_t c) const;
  const NormalizerOptions& options() const { return options_; }

 private:
  using Block = std::array<CharEntry, 256>;
  static constexpr uint32_t kNumBlocks = 0x110000 / 256;

  CharEntry make_entry(uint32_t c) const;
  const Block* make_block(uint32_t index) const;

  NormalizerOptions options_;
  std::array<CharKind, 256> ascii_kind_;
  std::array<char, 256> ascii_byte_{};
  mutable std::unique_ptr<std::atomic<const Block*>[]> blocks_;
};

}  // namespace tenfold::text
