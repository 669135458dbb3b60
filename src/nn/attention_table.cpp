// The process-wide table of attention kinds.
// Not here: the kinds.
#include "nn/attention_table.h"

#include "nn/softmax_attention.h"
#include "support/strings.h"

namespace tenfold::nn {

void AttentionTable::add(AttentionKind kind) {
  for (const AttentionKind& present : kinds_) {
    require(present.name != kind.name, ErrorKind::internal, "attention",
            "kind '{}' is registered twice", kind.name);
  }
  kinds_.push_back(std::move(kind));
}

const AttentionKind& AttentionTable::find(std::string_view name) const {
  std::vector<std::string> names;
  for (const AttentionKind& kind : kinds_) {
    if (kind.name == name) return kind;
    names.push_back(kind.name);
  }
  fail(ErrorKind::config, "attention", "unknown kind '{}': expected one of {}{}", name,
       join(names, ", "), did_you_mean(name, names));
}

config::ChoiceTable AttentionTable::choices() const {
  config::ChoiceTable table;
  for (const AttentionKind& kind : kinds_) table.push_back({kind.name, kind.summary, kind.options});
  return table;
}

AttentionTable& attention_table() {
  static AttentionTable table = [] {
    AttentionTable built_in;
    built_in.add(attention_kind<SoftmaxAttention, config::NoOptions>(
        "softmax", "scaled dot products through a softmax", "arXiv 1706.03762"));
    return built_in;
  }();
  return table;
}

namespace {

/// work(kind, its options) of a choice.
template <typename Work>
auto with_choice(const config::Choice& choice, Work work) {
  const AttentionKind& kind = attention_table().find(choice.kind.empty() ? "softmax" : choice.kind);
  return choice.options ? work(kind, *choice.options) : work(kind, *kind.options());
}

}  // namespace

std::shared_ptr<Attention> make_attention(const config::Choice& choice, const AttentionShape& shape,
                                          uint64_t seed, torch::TensorOptions options) {
  return with_choice(choice, [&](const AttentionKind& kind, const config::OptionSet& set) {
    return kind.make(shape, set, seed, options);
  });
}

AttentionTraits attention_traits(const config::Choice& choice) {
  return with_choice(choice, [](const AttentionKind& kind, const config::OptionSet& set) {
    return kind.traits(set);
  });
}

double attention_flops(const config::Choice& choice, const AttentionShape& shape,
                       const AttentionLoad& load) {
  return with_choice(choice, [&](const AttentionKind& kind, const config::OptionSet& set) {
    return kind.flops(shape, set, load);
  });
}

}  // namespace tenfold::nn
