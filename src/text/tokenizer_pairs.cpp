// The special tokens around one text or two, truncation, and windows over the second text.
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
};

void add_special(Encoding& out, int32_t id, uint8_t segment) {
  out.ids.push_back(id);
  out.begin.push_back(0);
  out.end.push_back(0);
  out.segments.push_back(segment);
  out.special.push_back(1);
}

void add_part(Encoding& out, const Part& part, uint8_t segment) {
  const auto copy = [&](auto& to, const auto& from) {
    to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(part.first),
              from.begin() + static_cast<std::ptrdiff_t>(part.last));
  };
  copy(out.ids, part.from->ids);
  copy(out.begin, part.from->begin);
  copy(out.end, part.from->end);
  copy(out.special, part.from->special);
  out.segments.insert(out.segments.end(), part.last - part.first, segment);
}

Encoding fill(const std::vector<TemplateStep>& steps, const Part& a, const Part& b) {
  Encoding out;
  for (const TemplateStep& step : steps) {
    if (step.kind == TemplateStep::Kind::special) {
      add_special(out, step.id, step.segment);
    } else {
      add_part(out, step.kind == TemplateStep::Kind::first_text ? a : b, step.segment);
    }
  }
  return out;
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
  const text::PostProcessor& around = impl_->boundaries();
  const size_t added = around.added_to_single();
  text::need_room(max_length, added);
  Encoding out;
  for (const text::TemplateStep& step : around.single) {
    if (step.kind == text::TemplateStep::Kind::special) {
      text::add_special(out, step.id, step.segment);
      continue;
    }
    const size_t start = out.ids.size();
    impl_->append(text, literals, out);
    const size_t length = start + std::min(out.ids.size() - start, max_length - added);
    out.ids.resize(length);
    out.begin.resize(length);
    out.end.resize(length);
    out.special.resize(length);
    out.segments.resize(length, step.segment);
  }
  return out;
}

Encoding Tokenizer::encode_pair(std::string_view a, std::string_view b, size_t max_length,
                                Truncation rule, SpecialText literals) const {
  const text::PostProcessor& around = impl_->boundaries();
  const size_t added = around.added_to_pair();
  text::need_room(max_length, added);
  const Encoding first = encode(a, literals), second = encode(b, literals);
  const text::Lengths keep =
      text::truncate({first.size(), second.size()}, max_length - added, rule);
  return text::fill(around.pair, {&first, 0, keep.a}, {&second, 0, keep.b});
}

std::vector<Encoding> Tokenizer::encode_windows(std::string_view a, std::string_view b,
                                                size_t max_length, size_t stride,
                                                SpecialText literals) const {
  const text::PostProcessor& around = impl_->boundaries();
  const size_t added = around.added_to_pair();
  const Encoding first = encode(a, literals), second = encode(b, literals);
  require(max_length >= added && max_length - added >= first.size(), ErrorKind::data, text::kWhere,
          "max_length {} leaves no room for a first text of {} pieces and {} special tokens",
          max_length, first.size(), added);
  const size_t room = max_length - added - first.size();
  std::vector<Encoding> out;
  const text::Part whole_first{&first, 0, first.size()};
  if (second.size() <= room) {
    out.push_back(text::fill(around.pair, whole_first, {&second, 0, second.size()}));
    return out;
  }
  require(room > stride, ErrorKind::data, text::kWhere,
          "windows hold {} pieces of the second text, which must be more than the stride of {}",
          room, stride);
  for (size_t start = 0;; start += room - stride) {
    const size_t stop = std::min(start + room, second.size());
    out.push_back(text::fill(around.pair, whole_first, {&second, start, stop}));
    if (stop == second.size()) return out;
  }
}

}  // namespace tenfold
