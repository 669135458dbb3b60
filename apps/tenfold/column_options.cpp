// Columns to and from a command line.
// Not here: recipes, which have them as data.columns.
#include "column_options.h"

#include <map>

#include "support/strings.h"

namespace tenfold::app {
namespace {

std::map<std::string, data::TextEncoding> encodings() {
  return {data::kTextEncodings.begin(), data::kTextEncodings.end()};
}

}  // namespace

void add_column_options(CLI::App& command, data::TaskColumns& columns, data::Labels labels) {
  command.add_option("--format", columns.format,
                     "of files that their name does not tell: " + join(data::task_formats(), ", "));
  command.add_option("--text-column", columns.text, "column of the text");
  command.add_option("--pair-column", columns.pair, "column of the second text");
  if (labels == data::Labels::required) {
    command.add_option("--label-column", columns.label, "column of the label");
    command
        .add_option("--label-separator", columns.label_separator,
                    "between several labels in one column")
        ->capture_default_str();
  }
  command
      .add_option_function<std::string>(
          "--encoding",
          [&columns](const std::string& name) { columns.encoding = encodings().at(name); },
          "latin-1: lines that are not UTF-8 are read as Latin-1")
      ->check(CLI::IsMember(encodings()))
      ->type_name("NAME")
      ->default_str("utf-8");
  command.add_flag("--skip-bad", columns.skip_bad, "count bad rows instead of refusing them");
}

std::vector<std::string> words_of(const data::TaskColumns& columns) {
  const data::TaskColumns plain;
  std::vector<std::string> words;
  const auto add = [&words](const char* option, const std::string& value,
                            const std::string& usual) {
    if (value == usual) return;
    words.emplace_back(option);
    words.push_back(value);
  };
  add("--format", columns.format, plain.format);
  add("--text-column", columns.text, plain.text);
  add("--pair-column", columns.pair, plain.pair);
  add("--label-column", columns.label, plain.label);
  add("--label-separator", columns.label_separator, plain.label_separator);
  for (const auto& [name, encoding] : encodings()) {
    if (encoding == columns.encoding && encoding != plain.encoding) add("--encoding", name, "");
  }
  if (columns.skip_bad) words.emplace_back("--skip-bad");
  return words;
}

}  // namespace tenfold::app
