// Construction of tenfold::Error and its exit codes.
#include "tenfold/error.h"

namespace tenfold {

Error::Error(ErrorKind kind, const std::string& where, const std::string& message)
    : std::runtime_error("[" + where + "] " + message), kind_(kind) {}

int Error::exit_code() const noexcept {
  switch (kind_) {
    case ErrorKind::run:
    case ErrorKind::internal: return 1;
    case ErrorKind::usage:
    case ErrorKind::config: return 2;
    case ErrorKind::data:
    case ErrorKind::shape: return 3;
    case ErrorKind::checkpoint: return 4;
    case ErrorKind::unsupported: return 5;
  }
  return 1;
}

}  // namespace tenfold
