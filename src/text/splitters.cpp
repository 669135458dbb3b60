// One function a pre-tokenizer, over the stock package's rules for what becomes of a match.
// Not here: the pipeline that runs them (pipeline.cpp).
#include "text/splitters.h"

#include <algorithm>

#include "text/text_pattern.h"
#include "text/unicode.h"

namespace tenfold::text {

namespace {

enum class Behavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

Behavior read_behavior(const Block& block, std::string fallback) {
  const std::string name = block.text("behavior", std::move(fallback));
  if (name == "Removed") return Behavior::removed;
  if (name == "Isolated") return Behavior::isolated;
  if (name == "MergedWithPrevious") return Behavior::merged_with_previous;
  if (name == "MergedWithNext") return Behavior::merged_with_next;
  if (name == "Contiguous") return Behavior::contiguous;
  block.unsupported("has the unknown behavior '{}'", name);
}

struct Cut {
  CharRange range;
  bool match;
};

// A part as matches and what lies between them.
std::vector<Cut> with_gaps(CharRange part, const Ranges& matches, bool invert) {
  std::vector<Cut> out;
  size_t at = part.first;
  for (const CharRange& match : matches) {
    if (match.first > at) out.push_back({{at, match.first}, invert});
    out.push_back({match, !invert});
    at = match.last;
  }
  if (at < part.last) out.push_back({{at, part.last}, invert});
  return out;
}

void put_cuts(std::vector<Cut> cuts, Behavior behavior, Ranges& out) {
  const size_t start = out.size();
  if (behavior == Behavior::merged_with_next) std::reverse(cuts.begin(), cuts.end());
  bool before = false;
  for (const Cut& cut : cuts) {
    const bool some = out.size() > start;
    switch (behavior) {
      case Behavior::removed:
        if (!cut.match) out.push_back(cut.range);
        break;
      case Behavior::isolated: out.push_back(cut.range); break;
      case Behavior::contiguous:
        if (some && cut.match == before) {
          out.back().last = cut.range.last;
        } else {
          out.push_back(cut.range);
        }
        break;
      case Behavior::merged_with_previous:
        if (some && cut.match && !before) {
          out.back().last = cut.range.last;
        } else {
          out.push_back(cut.range);
        }
        break;
      case Behavior::merged_with_next:
        if (some && cut.match && !before) {
          out.back().first = cut.range.first;
        } else {
          out.push_back(cut.range);
        }
        break;
    }
    before = cut.match;
  }
  if (behavior == Behavior::merged_with_next)
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(start), out.end());
}

Splitter by_pattern(const Pattern& pattern, Behavior behavior, bool invert = false) {
  return [=](MappedChars& chars, Ranges& parts) {
    Ranges out, matches;
    for (const CharRange& part : parts) {
      matches.clear();
      pattern(chars, part, matches);
      put_cuts(with_gaps(part, matches, invert), behavior, out);
    }
    parts = std::move(out);
  };
}

// Every character of a kind is a match of its own.
template <typename Test>
Splitter by_char(Test test, Behavior behavior) {
  return by_pattern(
      [=](const MappedChars& chars, CharRange part, Ranges& out) {
        for (size_t i = part.first; i < part.last; ++i) {
          if (test(chars[i].value)) out.push_back({i, i + 1});
        }
      },
      behavior);
}

bool is_number(uint32_t c) { return letter_class(c) == LetterClass::number; }

// \w+|[^\w\s]+
void words_and_symbols(const MappedChars& chars, CharRange part, Ranges& out) {
  const auto kind = [&](size_t i) {
    const uint32_t c = chars[i].value;
    return is_word_character(c) ? 1 : is_blank(c) ? 0 : 2;
  };
  for (size_t i = part.first; i < part.last;) {
    size_t end = i + 1;
    while (end < part.last && kind(end) == kind(i)) ++end;
    if (kind(i) != 0) out.push_back({i, end});
    i = end;
  }
}

enum class Prefix { never, first, always };

// The character put before a part that lacks it has the place of the part's first.
void put_prefix(uint32_t prefix, const MappedChars& chars, CharRange part, MappedChars& out) {
  out.push_back({prefix, chars[part.first].begin, chars[part.first].end});
}

Prefix read_prefix(const Block& block) {
  if (!block.has("prepend_scheme"))
    return block.flag("add_prefix_space", true) ? Prefix::always : Prefix::never;
  const std::string scheme = block.text("prepend_scheme");
  if (scheme == "always") return Prefix::always;
  if (scheme == "first") return Prefix::first;
  if (scheme == "never") return Prefix::never;
  block.unsupported("has the unknown prepend_scheme '{}'", scheme);
}

Splitter metaspace(const Block& block) {
  block.allow_keys(
      {"type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep"});
  const std::vector<uint32_t> mark = code_points(block.text("replacement"));
  if (mark.size() != 1) block.damaged("'replacement' must be one character");
  const Prefix prefix = read_prefix(block);
  const bool split = block.flag("split", true);
  const Splitter by_mark =
      by_char([mark = mark[0]](uint32_t c) { return c == mark; }, Behavior::merged_with_next);
  return [=, mark = mark[0]](MappedChars& chars, Ranges& parts) {
    MappedChars out;
    for (CharRange& part : parts) {
      const size_t first = out.size();
      const uint32_t begins = chars[part.first].value;
      const bool wanted =
          prefix == Prefix::always || (prefix == Prefix::first && chars[part.first].begin == 0);
      if (wanted && begins != mark && begins != ' ') put_prefix(mark, chars, part, out);
      for (size_t i = part.first; i < part.last; ++i) {
        out.push_back(chars[i]);
        if (out.back().value == ' ') out.back().value = mark;
      }
      part = {first, out.size()};
    }
    chars = std::move(out);
    if (split) by_mark(chars, parts);
  };
}

Splitter byte_level_splitter(const Block& block) {
  block.allow_keys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  const bool prefix = block.flag("add_prefix_space", true), regex = block.flag("use_regex", true);
  const Splitter by_gpt2 = by_pattern(gpt2_pattern(), Behavior::isolated);
  return [=](MappedChars& chars, Ranges& parts) {
    if (prefix) {
      MappedChars out;
      for (CharRange& part : parts) {
        const size_t first = out.size();
        if (chars[part.first].value != ' ') put_prefix(' ', chars, part, out);
        out.insert(out.end(), chars.begin() + static_cast<std::ptrdiff_t>(part.first),
                   chars.begin() + static_cast<std::ptrdiff_t>(part.last));
        part = {first, out.size()};
      }
      chars = std::move(out);
    }
    if (regex) by_gpt2(chars, parts);
  };
}

Splitter sequence_splitter(const Block& block, bool& byte_level) {
  block.allow_keys({"type", "pretokenizers"});
  std::vector<Splitter> steps;
  const nlohmann::json& list = block.array("pretokenizers");
  for (size_t i = 0; i < list.size(); ++i) {
    const Block item = block.item(list[i], i);
    if (byte_level) item.unsupported("comes after ByteLevel, which must be the last");
    steps.push_back(compile_splitter(item, byte_level));
  }
  return [steps = std::move(steps)](MappedChars& chars, Ranges& parts) {
    for (const Splitter& step : steps) step(chars, parts);
  };
}

}  // namespace

Splitter compile_splitter(const Block& block, bool& byte_level) {
  const std::string type = block.type();
  if (type == "Sequence") return sequence_splitter(block, byte_level);
  if (type == "Metaspace") return metaspace(block);
  if (type == "ByteLevel") {
    byte_level = true;
    return byte_level_splitter(block);
  }
  if (type == "Punctuation") {
    block.allow_keys({"type", "behavior"});
    return by_char(is_punctuation, read_behavior(block, "Isolated"));
  }
  if (type == "Digits") {
    block.allow_keys({"type", "individual_digits"});
    return by_char(is_number, block.flag("individual_digits", false) ? Behavior::isolated
                                                                     : Behavior::contiguous);
  }
  if (type == "Split") {
    block.allow_keys({"type", "pattern", "behavior", "invert"});
    return by_pattern(compile_pattern(block), read_behavior(block, "Removed"),
                      block.flag("invert", false));
  }
  Splitter plain;
  if (type == "BertPreTokenizer") {
    const Splitter blanks = by_char(is_blank, Behavior::removed),
                   symbols = by_char(is_punctuation, Behavior::isolated);
    plain = [=](MappedChars& chars, Ranges& parts) {
      blanks(chars, parts);
      symbols(chars, parts);
    };
  }
  if (type == "WhitespaceSplit") plain = by_char(is_blank, Behavior::removed);
  if (type == "Whitespace") plain = by_pattern(words_and_symbols, Behavior::removed, true);
  if (!plain) block.unsupported("is of the unknown type '{}'", type);
  block.allow_keys({"type"});
  return plain;
}

}  // namespace tenfold::text
