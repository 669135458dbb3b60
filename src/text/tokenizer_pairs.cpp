// [CLS] and [SEP] around one text or two, truncation, and windows over the second text.
// Not here: the pieces themselves (tokenizer_core.h).
#include <algorithm>

#include "support/fail.h"
#include "text/tokenizer_core.h"

namespace tenfold {
namespace text {
namespace {

constexpr std::string_view kWhere = "tokenizer";

struct Part {
  const Encoding* from;
  size_t first, last;
  uint8_t segment;
};

void add_special(Encoding& out, int32_t id, uint8_t segment) {
  out.ids.push_back(id);
  out.begin.push_back(0);
  out.end.push_back(0);
  out.segments.push_back(segment);
  out.special.push_back(1);
}

void add_part(Encoding& out, const Part& part) {
  const auto copy = [&](auto& to, const auto& from) {
    to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(part.first),
              from.begin() + static_cast<std::ptrdiff_t>(part.last));
  };
  copy(out.ids, part.from->ids);
  copy(out.begin, part.from->begin);
  copy(out.end, part.from->end);
  copy(out.special, part.from->special);
  out.segments.insert(out.segments.end(), part.last - part.first, part.segment);
}

Encoding join(const Tokenizer& tokenizer, const Part& a, const Part& b) {
  Encoding out;
  add_special(out, tokenizer.cls_id(), 0);
  add_part(out, a);
  add_special(out, tokenizer.sep_id(), 0);
  add_part(out, b);
  add_special(out, tokenizer.sep_id(), 1);
  return out;
}

void need_boundaries(const Tokenizer& tokenizer) {
  const WordPieceOptions& options = tokenizer.options();
  require(tokenizer.cls_id() >= 0 && tokenizer.sep_id() >= 0, ErrorKind::checkpoint, kWhere,
          "the vocabulary lacks '{}' or '{}', which open and close a sequence", options.cls,
          options.sep);
}

struct Lengths {
  size_t a, b;
};

// The shorter text keeps all it can; what is left over by halving goes to the longer one.
Lengths longest_first(Lengths have, size_t room) {
  const bool swapped = have.a > have.b;
  size_t shorter = std::min(have.a, have.b);
  size_t longer = shorter > room ? shorter : std::max(shorter, room - shorter);
  if (shorter + longer > room) {
    shorter = room / 2;
    longer = shorter + room % 2;
  }
  return swapped ? Lengths{longer, shorter} : Lengths{shorter, longer};
}

Lengths truncate(Lengths have, size_t room, Truncation rule) {
  if (have.a + have.b <= room) return have;
  const size_t excess = have.a + have.b - room;
  switch (rule) {
    case Truncation::longest_first: return longest_first(have, room);
    case Truncation::only_first:
      require(have.a > excess, ErrorKind::data, kWhere,
              "cutting only the first text ({} pieces) leaves it no room: the second has {}, {} "
              "fit together",
              have.a, have.b, room);
      return {have.a - excess, have.b};
    case Truncation::only_second:
      require(have.b > excess, ErrorKind::data, kWhere,
              "cutting only the second text ({} pieces) leaves it no room: the first has {}, {} "
              "fit together",
              have.b, have.a, room);
      return {have.a, have.b - excess};
  }
  fail(ErrorKind::internal, kWhere, "unknown truncation rule");
}

}  // namespace
}  // namespace text

Encoding Tokenizer::encode_single(std::string_view text, size_t max_length,
                                  SpecialText literals) const {
  text::need_boundaries(*this);
  require(max_length >= 2, ErrorKind::data, text::kWhere,
          "max_length must leave room for 2 special tokens, got {}", max_length);
  Encoding out;
  text::add_special(out, cls_id(), 0);
  impl_->append(text, literals, out);
  const size_t length = std::min(out.ids.size(), max_length - 1);
  out.ids.resize(length);
  out.begin.resize(length);
  out.end.resize(length);
  out.special.resize(length);
  out.segments.assign(length, 0);
  text::add_special(out, sep_id(), 0);
  return out;
}

Encoding Tokenizer::encode_pair(std::string_view a, std::string_view b, size_t max_length,
                                Truncation rule, SpecialText literals) const {
  text::need_boundaries(*this);
  require(max_length >= 3, ErrorKind::data, text::kWhere,
          "max_length must leave room for 3 special tokens, got {}", max_length);
  const Encoding first = encode(a, literals), second = encode(b, literals);
  const text::Lengths keep = text::truncate({first.size(), second.size()}, max_length - 3, rule);
  return text::join(*this, {&first, 0, keep.a, 0}, {&second, 0, keep.b, 1});
}

std::vector<Encoding> Tokenizer::encode_windows(std::string_view a, std::string_view b,
                                                size_t max_length, size_t stride,
                                                SpecialText literals) const {
  text::need_boundaries(*this);
  const Encoding first = encode(a, literals), second = encode(b, literals);
  require(max_length >= 3 && max_length - 3 >= first.size(), ErrorKind::data, text::kWhere,
          "max_length {} leaves no room for a first text of {} pieces and 3 special tokens",
          max_length, first.size());
  const size_t room = max_length - 3 - first.size();
  std::vector<Encoding> out;
  const text::Part whole_first{&first, 0, first.size(), 0};
  if (second.size() <= room) {
    out.push_back(text::join(*this, whole_first, {&second, 0, second.size(), 1}));
    return out;
  }
  require(room > stride, ErrorKind::data, text::kWhere,
          "windows hold {} pieces of the second text, which must be more than the stride of {}",
          room, stride);
  for (size_t start = 0;; start += room - stride) {
    const size_t stop = std::min(start + room, second.size());
    out.push_back(text::join(*this, whole_first, {&second, start, stop, 1}));
    if (stop == second.size()) return out;
  }
}

}  // namespace tenfold
