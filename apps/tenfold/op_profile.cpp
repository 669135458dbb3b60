// An observer of libtorch's operators that subtracts the time of children.
// Not here: memory, or threads other than the one that calls.
#include "op_profile.h"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include "tensor/torch.h"

namespace tenfold::app {
namespace {

constexpr int kWarmUps = 2, kRuns = 5;
constexpr size_t kLinesShown = 30;

using Clock = std::chrono::steady_clock;

struct OpTotal {
  double seconds = 0;
  int64_t calls = 0;
};

struct OpenCall final : at::ObserverContext {
  Clock::time_point begin = Clock::now();
  double of_children = 0;
  OpenCall* parent = nullptr;
};

// Operators start and end on the calling thread, the backward pass included, so a stack of open
// calls needs no lock.
thread_local OpenCall* innermost = nullptr;
std::map<std::string, OpTotal>* totals = nullptr;

std::unique_ptr<at::ObserverContext> begin_call(const at::RecordFunction&) {
  auto call = std::make_unique<OpenCall>();
  call->parent = innermost;
  innermost = call.get();
  return call;
}

/// "torch::autograd::CppNode<tenfold::nn::(anonymous namespace)::ResidualNorm>" -> "ResidualNorm
/// backward"; other names as they are.
std::string short_name(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
  std::string text = status == 0 ? readable.get() : name;
  const std::string mark = "CppNode<";
  const size_t at = text.find(mark);
  if (at == std::string::npos) return text;
  text = text.substr(at + mark.size(), text.rfind('>') - at - mark.size());
  const size_t scope = text.rfind("::");
  return text.substr(scope == std::string::npos ? 0 : scope + 2) + " backward";
}

void end_call(const at::RecordFunction& function, at::ObserverContext* context) {
  auto* call = static_cast<OpenCall*>(context);
  const double seconds = std::chrono::duration<double>(Clock::now() - call->begin).count();
  innermost = call->parent;
  if (innermost != nullptr) innermost->of_children += seconds;
  OpTotal& total = (*totals)[function.name()];
  total.seconds += seconds - call->of_children;
  total.calls += 1;
}

}  // namespace

void print_profile(const std::string& title, const std::function<void()>& work) {
  for (int i = 0; i < kWarmUps; ++i) work();
  std::map<std::string, OpTotal> found;
  totals = &found;
  const at::CallbackHandle handle = at::addGlobalCallback(
      at::RecordFunctionCallback(begin_call, end_call)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < kRuns; ++i) work();
  const double whole = std::chrono::duration<double>(Clock::now() - begin).count();
  at::removeCallback(handle);
  totals = nullptr;

  std::vector<std::pair<std::string, OpTotal>> lines(found.begin(), found.end());
  double seen = 0;
  for (const auto& [name, total] : lines) seen += total.seconds;
  lines.emplace_back("(outside of operators)", OpTotal{whole - seen, 0});
  std::sort(lines.begin(), lines.end(),
            [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  fmt::print("{}: {:.1f} ms a run\n", title, whole / kRuns * 1e3);
  fmt::print("{:>9} {:>6} {:>7}  {}\n", "ms", "share", "calls", "operator");
  for (size_t i = 0; i < std::min(lines.size(), kLinesShown); ++i) {
    const auto& [name, total] = lines[i];
    fmt::print("{:>9.2f} {:>5.1f}% {:>7.1f}  {}\n", total.seconds / kRuns * 1e3,
               100 * total.seconds / whole, static_cast<double>(total.calls) / kRuns,
               short_name(name.c_str()));
  }
}

}  // namespace tenfold::app
