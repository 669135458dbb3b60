// `tenfold inspect --attention TEXT DIR`: how every head of a model attends in one text.
// Not here: what else a model directory holds (command_inspect.cpp), or averages over a validation
// (attention_metrics.h).
#pragma once

#include <filesystem>
#include <string>

namespace tenfold::app {

struct AttentionArguments {
  std::filesystem::path model;
  std::string text;
  std::filesystem::path svg;  ///< a picture of every head's weights; empty: none
  bool json = false;
};

/// Prints a line a layer and head, or (json) one object. Error{usage} for an empty text and for a
/// picture of more than 64 tokens, Error{data} for a text longer than the model takes,
/// Error{unsupported} where no layer forms scores. Returns the exit code.
int inspect_attention(const AttentionArguments& arguments);

}  // namespace tenfold::app
