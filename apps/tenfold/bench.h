// `tenfold bench NAME`: speeds as JSON lines on stdout, one per case and metric, in the form that
// the pairing script reads. Not here: comparing with other software (that is a pair of such runs),
// or correctness beyond a check before timing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tenfold::app {

struct BenchOptions {
  std::string name;  ///< one of bench_names()
  int threads = 1;
  int rounds = 5;                  ///< samples wanted for each case
  double seconds = 10;             ///< time budget for each case
  std::vector<std::string> cases;  ///< only cases containing one of these; empty: all
  double megabytes = 4;            ///< text for tokenize
  std::filesystem::path data = "../shared/data";  ///< real text and vocabularies
  std::filesystem::path cache = ".peers/cache";   ///< models and inputs shared with the peers
  std::string dtype = "float32";                  ///< of --dtype
  std::string device = "cpu";                     ///< of --device
  bool profile = false;                           ///< a table of operators in place of speeds
  bool recompute = false;                         ///< layers once more in the backward pass
  std::vector<std::string> kinds;                 ///< attention: kinds to measure; empty: all
  std::vector<std::string> settings;              ///< attention: "kind.option=value"
  std::string variant;                            ///< attention: kind and settings, for the lines
  bool child = false;  ///< hidden flag --child: the new process that load and attention measure
};

/// What the lines call this program: "tenfold", with its number format where that is not fp32, and
/// the attention kind that is measured.
std::string bench_peer(const BenchOptions& options);

/// roof, tokenize, encode, train-step, update, load, attention, residual.
const std::vector<std::string>& bench_names();

/// Runs one benchmark: lines on stdout, remarks on stderr. Returns the process exit code; throws
/// tenfold::Error.
int run_bench(const BenchOptions& options);

}  // namespace tenfold::app
