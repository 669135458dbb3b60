// Judging what a reader did, and files for readers that take a path.
// Not here: where the inputs come from (fuzzer.cpp, replay.cpp).
#include "target.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace tenfold::fuzz {
namespace {

constexpr size_t kLongestMessage = 2048;

struct Scratch {
  std::filesystem::path path;
  Scratch() {
    const bool in_memory = ::access("/dev/shm", W_OK) == 0;
    path =
        (in_memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path()) /
        ("tenfold-fuzz-" + std::to_string(::getpid()));
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace

void broken(std::string_view promise) {
  std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(promise.size()), promise.data());
  std::abort();
}

bool accepts(std::string_view bytes) {
  try {
    read(bytes);
    return true;
  } catch (const Error& error) {
    const std::string_view message = error.what();
    const auto is_control = [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    };
    promise(std::none_of(message.begin(), message.end(), is_control), "an error is one plain line");
    promise(message.size() <= kLongestMessage, "an error is short");
    promise(error.kind() != ErrorKind::internal && error.kind() != ErrorKind::run,
            "bad input is no failure of the program");
    return false;
  }
}

const std::filesystem::path& scratch_folder() {
  static const Scratch scratch;
  return scratch.path;
}

std::filesystem::path put_file(const std::filesystem::path& name, std::string_view bytes) {
  const std::filesystem::path path = scratch_folder() / name;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) std::filesystem::create_directories(path.parent_path());
  const int file = fd >= 0 ? fd : ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count <= 0) {
      std::perror(path.c_str());
      std::exit(2);
    }
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  ::close(file);
  return path;
}

}  // namespace tenfold::fuzz
