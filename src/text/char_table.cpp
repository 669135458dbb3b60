// Making the blocks of the normalisation table.
// Not here: any state besides those blocks.
#include "text/char_table.h"

#include <algorithm>

#include "text/utf8.h"

namespace tenfold::text {

CharTable::CharTable(const NormalizerOptions& options)
    : options_(options), blocks_(new std::atomic<const Block*>[kNumBlocks]()) {
  ascii_kind_.fill(CharKind::spread);
  for (uint8_t c = 0; c < 0x80; ++c) {
    const CharEntry& entry = (*this)[c];
    ascii_kind_[c] = entry.kind;
    ascii_byte_[c] = entry.bytes[0];
  }
}

CharTable::~CharTable() {
  for (uint32_t i = 0; i < kNumBlocks; ++i) delete blocks_[i].load(std::memory_order_relaxed);
}

const CharTable::Block* CharTable::make_block(uint32_t index) const {
  auto block = std::make_unique<Block>();
  for (uint32_t i = 0; i < 256; ++i) (*block)[i] = make_entry(index * 256 + i);
  const Block* present = nullptr;
  if (blocks_[index].compare_exchange_strong(present, block.get(), std::memory_order_acq_rel)) {
    return block.release();
  }
  return present;
}

CodePoints CharTable::normalize(uint32_t c) const {
  CodePoints parts{{c, 0, 0, 0}, 1};
  if (options_.strip_accents) parts = decompose(c);
  CodePoints result;
  for (uint32_t i = 0; i < parts.count; ++i) {
    const uint32_t part = parts.value[i];
    if (options_.strip_accents && is_nonspacing_mark(part)) continue;
    CodePoints lowered{{part, 0, 0, 0}, 1};
    if (options_.lowercase) lowered = lower_case(part);
    for (uint32_t k = 0; k < lowered.count && result.count < result.value.size(); ++k) {
      result.value[result.count++] = lowered.value[k];
    }
  }
  return result;
}

CharEntry CharTable::make_entry(uint32_t c) const {
  CharEntry entry;
  if (options_.clean_text) {
    if (c == 0 || c == kReplacement || is_control(c)) return entry;
    if (is_blank(c)) {
      entry.kind = CharKind::blank;
      return entry;
    }
  }
  const CodePoints out = normalize(c);
  uint32_t num_punctuation = 0, num_blanks = 0, num_marks = 0, length = 0;
  for (uint32_t i = 0; i < out.count; ++i) {
    num_punctuation += is_punctuation(out.value[i]);
    num_blanks += is_blank(out.value[i]);
    num_marks += options_.strip_accents && combining_class(out.value[i]) != 0;
    length += out.value[i] < 0x80 ? 1 : out.value[i] < 0x800 ? 2 : out.value[i] < 0x10000 ? 3 : 4;
  }
  entry.starts = !options_.strip_accents || combining_class(decompose(c).value[0]) == 0;
  const bool alone = options_.split_chinese && is_ideograph(c);
  if (out.count == 0) {
    entry.kind = CharKind::mark;
  } else if (num_marks > 0) {
    entry.kind = CharKind::reorder;
  } else if (num_blanks == 1 && out.count == 1) {
    entry.kind = CharKind::blank;
  } else if (length > entry.bytes.size() || (out.count > 1 && num_punctuation + num_blanks > 0)) {
    entry.kind = CharKind::spread;
  } else {
    entry.kind = alone || num_punctuation == 1 ? CharKind::isolated : CharKind::letter;
    entry.num_chars = static_cast<uint8_t>(out.count);
    for (uint32_t i = 0; i < out.count; ++i) {
      entry.length = static_cast<uint8_t>(entry.length +
                                          encode_utf8(out.value[i], &entry.bytes[entry.length]));
    }
  }
  return entry;
}

}  // namespace tenfold::text
