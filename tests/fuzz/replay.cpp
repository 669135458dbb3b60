// Plain program of a target: the seeds, each cut off at every byte, and random bit flips of them,
// under sanitizers. Seeds named ok-* must be accepted, bad-* refused. Not here: large inputs
// (limits_test.cpp).
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "heap_count.h"
#include "support/rng.h"
#include "target.h"

namespace tenfold::fuzz {
namespace {

constexpr size_t kSpareBytes = 64 << 20;  // a reader may take the size of its input and this much
constexpr double kSeconds = 1;            // for each 100 MB begun; all inputs here are smaller

struct Seed {
  std::string name;
  std::string bytes;
};

std::vector<Seed> read_seeds() {
  std::vector<Seed> seeds;
  for (const auto& entry : std::filesystem::directory_iterator(TENFOLD_CORPUS)) {
    std::ifstream file(entry.path(), std::ios::binary);
    seeds.push_back(
        {entry.path().filename().string(), std::string(std::istreambuf_iterator<char>(file), {})});
  }
  std::sort(seeds.begin(), seeds.end(),
            [](const Seed& a, const Seed& b) { return a.name < b.name; });
  return seeds;
}

struct Worst {
  size_t bytes = 0;
  double seconds = 0;
  int64_t inputs = 0, accepted = 0;
};

bool run(const std::string& bytes, Worst& worst) {
  const heap::Peak heap;
  const std::clock_t begin = std::clock();  // of the process: neighbours do not count
  const bool accepted = accepts(bytes);
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  promise(heap.bytes() <= bytes.size() + kSpareBytes, "no more memory than size + 64 MB");
  promise(seconds <= kSeconds, "no more than 1 s for each 100 MB");
  worst.bytes = std::max(worst.bytes, heap.bytes());
  worst.seconds = std::max(worst.seconds, seconds);
  worst.inputs += 1;
  worst.accepted += accepted ? 1 : 0;
  return accepted;
}

/// Keeps the input at hand, so that a crash can be looked at.
void remember(const std::string& bytes) {
  const char* folder = std::getenv("TENFOLD_KEEP_INPUT");
  if (folder != nullptr) {
    std::ofstream(std::filesystem::path(folder) / kFormat, std::ios::binary) << bytes;
  }
}

int replay(int64_t flips) {
  const std::vector<Seed> seeds = read_seeds();
  promise(!seeds.empty(), "there are seeds");
  Worst worst;
  int wrong = 0;
  for (const Seed& seed : seeds) {
    remember(seed.bytes);
    const bool accepted = run(seed.bytes, worst);
    const bool fits = seed.name.starts_with("ok-")    ? accepted
                      : seed.name.starts_with("bad-") ? !accepted
                                                      : true;
    if (!fits) {
      std::fprintf(stderr, "%s: %s\n", seed.name.c_str(), accepted ? "accepted" : "refused");
      ++wrong;
    }
  }
  for (const Seed& seed : seeds) {
    for (size_t length = 0; length < seed.bytes.size(); ++length) {
      const std::string cut = seed.bytes.substr(0, length);
      remember(cut);
      run(cut, worst);
    }
  }
  RandomStream draw(1, "bit flips");
  for (int64_t i = 0; i < flips; ++i) {
    std::string bytes = seeds[draw.below(seeds.size())].bytes;
    if (bytes.empty()) continue;
    const uint64_t count = 1 + draw.below(4);
    for (uint64_t k = 0; k < count; ++k) {
      char& byte = bytes[draw.below(bytes.size())];
      byte = static_cast<char>(byte ^ static_cast<char>(1U << draw.below(8)));
    }
    remember(bytes);
    run(bytes, worst);
  }
  std::printf("%s: %zu seeds, %lld inputs, %lld accepted, at most %zu KiB and %.1f ms\n", kFormat,
              seeds.size(), static_cast<long long>(worst.inputs),
              static_cast<long long>(worst.accepted), worst.bytes >> 10, worst.seconds * 1e3);
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tenfold::fuzz

int main(int argc, char** argv) {
  using namespace tenfold::fuzz;
  return replay(argc > 1 ? std::atoll(argv[1]) : 10'000);
}
