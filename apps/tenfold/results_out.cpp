// The three kinds of targets.
// Not here: temporary names and renaming (support/files.h).
#include "results_out.h"

#include <cerrno>
#include <system_error>

#include "support/fail.h"

namespace tenfold::app {

ResultsOut::ResultsOut(const std::filesystem::path& path) : path_(path) {
  if (path.empty() || path == "-" || path == "/dev/stdout") {
    path_.clear();
    stream_ = stdout;
    return;
  }
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  require(!std::filesystem::is_directory(status), ErrorKind::run, "output",
          "{} is a folder: expected the name of a file", path.string());
  if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status)) {
    // A link stays one: the file it leads to is replaced.
    const auto target = std::filesystem::weakly_canonical(path, failed);
    file_ = std::make_unique<AtomicFile>(failed ? path : target);
    return;
  }
  stream_ = std::fopen(path.c_str(), "we");
  check(stream_ != nullptr);
}

ResultsOut::~ResultsOut() {
  if (stream_ != nullptr && stream_ != stdout) std::fclose(stream_);
}

void ResultsOut::check(bool written) const {
  if (written) return;
  const std::error_code reason(errno, std::generic_category());
  if (stream_ == stdout) throw std::system_error(reason, "standard output");
  fail(ErrorKind::run, "output", "{} cannot be written: {}", path_.string(), reason.message());
}

void ResultsOut::line(std::string_view text) {
  if (file_) {
    file_->write(text);
    file_->write("\n");
    return;
  }
  check(std::fwrite(text.data(), 1, text.size(), stream_) == text.size() &&
        std::fputc('\n', stream_) != EOF);
}

void ResultsOut::flush() {
  if (stream_ != nullptr) check(std::fflush(stream_) == 0);
}

void ResultsOut::finish() {
  flush();
  if (file_) file_->commit();
}

}  // namespace tenfold::app
