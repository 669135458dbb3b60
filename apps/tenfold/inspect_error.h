// `tenfold inspect --attention-error TEXT DIR`: what another attention would make of a model's own
// queries, keys and values. Not here: how heads attend (inspect_attention.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tenfold::app {

struct AttentionErrorArguments {
  std::filesystem::path model;
  std::string text;
  std::string kind;                   ///< empty: the model's own, or "performer"
  std::vector<std::string> settings;  ///< "option=value" of the kind
  bool json = false;
};

/// Prints a line a layer, or (json) one object. Error{usage} for an empty text, Error{data} for one
/// longer than the model takes, Error{unsupported} where layers or the other kind have no queries,
/// keys and values of the usual form. Returns the exit code.
int inspect_attention_error(const AttentionErrorArguments& arguments);

}  // namespace tenfold::app
