// Where a command's results go: standard output, or a file that appears when it is whole.
// Not here: their format.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "support/files.h"

namespace tenfold::app {

class ResultsOut {
 public:
  /// Empty or "-": standard output.
  explicit ResultsOut(const std::filesystem::path& path) {
    if (!path.empty() && path != "-") file_ = std::make_unique<AtomicFile>(path);
  }
  void line(const std::string& text) {
    if (file_) {
      file_->write(text);
      file_->write("\n");
    } else {
      std::fwrite(text.data(), 1, text.size(), stdout);
      std::fputc('\n', stdout);
    }
  }
  void finish() {
    if (file_) file_->commit();
  }

 private:
  std::unique_ptr<AtomicFile> file_;
};

}  // namespace tenfold::app
