// Attention kinds with the options under test: every registered kind as it comes, and more.
// Not here: the properties they must have (attention_properties_test.cpp).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nn/attention_table.h"

namespace tenfold::nn::testing {

/// One kind with certain options.
struct AttentionVariant {
  std::string name;       ///< for messages
  std::string kind_name;  ///< in attention_table()
  std::shared_ptr<config::OptionSet> options;

  const AttentionKind& kind() const { return attention_table().find(kind_name); }
  AttentionTraits traits() const { return kind().traits(*options); }
};

/// Registers every method at first.
const std::vector<AttentionVariant>& attention_variants();

}  // namespace tenfold::nn::testing
