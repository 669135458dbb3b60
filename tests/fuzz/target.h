// What a fuzz target is: one reader of the product behind one function of bytes. The same target is
// linked with libFuzzer (fuzzer.cpp) and with the replay of the committed seeds (replay.cpp).
// Not here: any format.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string_view>

#include "tenfold/error.h"

namespace tenfold::fuzz {

/// Each *_target.cpp defines these two: the folder of its seeds in corpus/, and the reader. It
/// throws Error where the bytes are refused, and calls `broken` where a promise does not hold.
extern const char* const kFormat;
void read(std::string_view bytes);

/// A promise that the input broke: says so and aborts, for the fuzzer to keep the input.
[[noreturn]] void broken(std::string_view promise);

inline void promise(bool holds, std::string_view text) {
  if (!holds) broken(text);
}

/// Runs `read`; an Error must be one short line of a kind that input can cause. Whether the bytes
/// were accepted.
bool accepts(std::string_view bytes);

/// Runs `action`, letting pass Errors of the given kinds alone. Whether it went through.
template <typename Action>
bool allows(std::initializer_list<ErrorKind> kinds, Action action) {
  try {
    action();
    return true;
  } catch (const Error& error) {
    for (ErrorKind kind : kinds) {
      if (error.kind() == kind) return false;
    }
    broken(error.what());
  }
}

/// A folder of this process in memory where the system has one; removed at the end of the program.
const std::filesystem::path& scratch_folder();

/// (Over)writes scratch_folder()/name.
std::filesystem::path put_file(const std::filesystem::path& name, std::string_view bytes);

}  // namespace tenfold::fuzz
