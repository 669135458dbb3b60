// Growing groups and taking them apart.
// Not here: anything random.
#include "data/text_group.h"

#include "data/token_block.h"
#include "support/fail.h"
#include "support/rng.h"

namespace tenfold::data {

void append_text(Example& example, const Encoding& text) {
  auto& tokens = example.sequences["tokens"];
  auto& segments = example.sequences["segments"];
  tokens.insert(tokens.end(), text.ids.begin(), text.ids.end());
  segments.insert(segments.end(), text.segments.begin(), text.segments.end());
  example.sequences["ends"].push_back(static_cast<int32_t>(tokens.size()));
}

TextGroups pack_groups(std::span<const Example> examples) {
  TextGroups groups;
  std::vector<Example> texts;
  for (const Example& example : examples) {
    const auto ends = example.sequences.find("ends");
    const auto tokens = example.sequences.find("tokens");
    const auto segments = example.sequences.find("segments");
    require(ends != example.sequences.end() && !ends->second.empty() &&
                tokens != example.sequences.end() && segments != example.sequences.end() &&
                ends->second.back() == static_cast<int32_t>(tokens->second.size()),
            ErrorKind::internal, "collator", "example {} is no group of texts", example.id);
    groups.first.push_back(static_cast<int64_t>(texts.size()));
    groups.count.push_back(static_cast<int64_t>(ends->second.size()));
    int32_t begin = 0;
    for (const int32_t end : ends->second) {
      Example text;
      text.sequences["tokens"] = {tokens->second.begin() + begin, tokens->second.begin() + end};
      text.sequences["segments"] = {segments->second.begin() + begin,
                                    segments->second.begin() + end};
      groups.ids.push_back(combine_keys(
          mix_bits(example.id),
          static_cast<uint64_t>(texts.size()) - static_cast<uint64_t>(groups.first.back())));
      texts.push_back(std::move(text));
      begin = end;
    }
  }
  groups.block = pack_tokens(texts);
  return groups;
}

}  // namespace tenfold::data
