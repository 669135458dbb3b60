// The one exception type that leaves the library.
// Not here: how messages are formatted (src/support/fail.h) or printed (the program's business).
#pragma once

#include <stdexcept>
#include <string>

namespace tenfold {

/// What went wrong, in the terms a caller can act on. The program maps each kind to its exit code.
enum class ErrorKind {
  run,          ///< a run failed: non-finite loss, full disk, an unwritable folder
  usage,        ///< the command line is wrong
  config,       ///< a recipe or option is wrong
  data,         ///< an input file, row or shard is wrong
  shape,        ///< tensors or sequences that do not fit each other
  checkpoint,   ///< a model directory or training state is missing, damaged or does not fit
  unsupported,  ///< a legal request that this build, model or combination cannot serve
  internal,     ///< a broken promise of tenfold's own
};

/// Error: `what()` reads "[where] message", one line, without a trailing newline.
/// Immutable after construction; safe to copy between threads.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& where, const std::string& message);

  ErrorKind kind() const noexcept { return kind_; }

  /// The process exit code of this kind: 1 run or internal, 2 usage or config, 3 data, 4
  /// checkpoint, 5 unsupported. Shapes that do not fit come from data: 3.
  int exit_code() const noexcept;

 private:
  ErrorKind kind_;
};

}  // namespace tenfold
