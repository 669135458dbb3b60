// The text a command reads: files, or one of WordNet's tasks written to a scratch folder.
// Not here: cutting into documents (data/readers.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "command.h"
#include "data/readers.h"

namespace tenfold::app {

struct CorpusArguments {
  std::vector<std::filesystem::path> input;
  std::string task;
  std::filesystem::path wordnet;
  std::string layout = "auto";
  data::ReaderOptions reader;
};

/// --input, --task, --wordnet, --layout, --text-key, --skip-bad.
void add_corpus_arguments(CLI::App& command, CorpusArguments& arguments);

/// The reader of the corpus; a wordnet-text task is written below `scratch` first. Error{usage}
/// unless exactly one of
/// --input and --task is given.
data::DocumentReader open_corpus(CorpusArguments arguments, const std::filesystem::path& scratch);

}  // namespace tenfold::app
