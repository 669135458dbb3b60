// Rows of build_info(), from the generated header and the build's definitions.
// Not here: torch headers: this small file is compiled anew after every commit.
#include "build_info.h"

#include "tenfold_commit.h"

namespace tenfold::app {

std::vector<std::pair<std::string, std::string>> build_info() {
  return {{"tenfold", TENFOLD_VERSION},
          {"commit", TENFOLD_COMMIT},
          {"compiler", TENFOLD_COMPILER},
          {"flags", TENFOLD_FLAGS},
          {"libtorch", TENFOLD_TORCH_VERSION}};
}

std::string build_info_text() {
  std::string text;
  for (const auto& [name, value] : build_info()) {
    text += (text.empty() ? "" : "\n") + name + std::string(10 - name.size(), ' ') + value;
  }
  return text;
}

}  // namespace tenfold::app
